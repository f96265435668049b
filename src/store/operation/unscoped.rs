//! The few statements that run without a caller's scope, each with its reason.

use chrono::{DateTime, Duration, Utc};
use entity::{
    department,
    event::EventOperation,
    id::{self, OrganizationId},
    organization::{self, Weekday},
};
use sea_orm::ConnectionTrait;

use crate::{
    Result,
    auth::{Actor, revoked::Revocation},
    store::{
        FailureKind, Scope, Store,
        driver::{Connection, Payer, RowLayout},
        operation::jobs::{
            Job, Kind, StepResult,
            kind::{Recurrence, ScheduleZone, Standing},
        },
        rollup,
        statement::{
            builder::{Alias, Sql},
            cell::{CellKind, fold},
        },
        transaction::event::Event,
    },
};

/// Number of keys, and of rows that their results refer to, that one transaction deletes. The result of each may be
/// long.
const KEYS_AT_A_TIME: i64 = 200;

/// Name of the department of an organization to which feedback goes that no rule routes.
const FALLBACK: &str = "Unassigned";

/// The properties of a new organization.
#[derive(Clone, Debug)]
pub struct NewOrganization<'a> {
    /// Name in commands, unique on the server.
    pub slug: &'a str,
    /// Display name.
    pub name: &'a str,
    /// IANA time zone.
    pub time_zone: &'a str,
    /// Whether the audit log begins with an entry about the operator who creates the organization.
    pub is_noted: bool,
}

/// An organization, as listed for the operator.
#[derive(Clone, Debug)]
pub struct ListedOrganization {
    /// Id of the organization.
    pub id: OrganizationId,
    /// Name in commands.
    pub slug: String,
    /// Display name.
    pub name: String,
    /// Since when all tokens of the organization are refused.
    pub suspended_at: Option<DateTime<Utc>>,
}

/// The contents of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents {
    /// No tables.
    Nothing,
    /// Tables of this program, and the slugs of the organizations, sorted.
    Organizations(Vec<String>),
    /// Tables of another program.
    OtherTables,
}

/// The job that deletes idempotency keys older than a day.
pub(in crate::store) static FORGET_KEYS: Kind = Kind {
    name: "IDEMPOTENCY_KEYS",
    step: |scope, job| Box::pin(scope.step_forgetting_keys(job)),
    standing: Some(Standing {
        organizations: |store| {
            let all =
                async { Ok(store.organizations().await?.into_iter().map(|(organization, _)| organization).collect()) };
            Box::pin(all)
        },
        recurs: Some(Recurrence { cron: "0 * * * *", zone: ScheduleZone::Utc }),
    }),
};

impl Scope {
    /// Deletes a limited number of idempotency keys older than a day, so that no writer waits long.
    async fn step_forgetting_keys(&self, job: &Job) -> Result<StepResult> {
        let before = (self.now() - Duration::hours(24)).timestamp_millis();
        let tx = self.begin().await?;
        let mut has_more = false;
        for (table, key) in
            [("idempotency", ["subject", "idempotency_key"]), ("idempotency_row", ["row_id", "call_id"])]
        {
            let mut sql = Sql::new(self.store.backend());
            Store::expired(&mut sql, table, &key, self.organization(), before);
            has_more |= i64::try_from(tx.execute(sql.finish()).await?).is_ok_and(|deleted| deleted == KEYS_AT_A_TIME);
        }
        tx.commit_step(job, has_more.then_some("")).await
    }
}

impl Store {
    /// Creates an organization with its fallback department; returns `None` if the slug is taken. Not scoped, because
    /// no caller belongs to the organization yet.
    pub async fn create_organization(
        &self,
        new: &NewOrganization<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<OrganizationId>> {
        use entity::noun::StringEnum;
        let (organization, department) = (OrganizationId(id::new()), id::new());
        let tx = self.scope(Actor::operator(organization), now).begin().await?;
        let now = now.timestamp_millis();
        let mut sql = self.sql();
        sql.push("INSERT INTO organization_slug (slug, organization_id) VALUES (").bind(new.slug).push(", ");
        sql.bind_tenant(organization).push(")");
        match tx.conn.transaction.execute(sql.finish()).await {
            Err(error) if error.kind() == FailureKind::Unique => {
                tx.roll_back().await?;
                return Ok(None);
            }
            done => done?,
        };
        let mut sql = self.sql();
        sql.push("INSERT INTO organization (id, version, created_at, updated_at, slug, name, time_zone, week_start, ");
        sql.push("locale) VALUES (").bind_tenant(organization).push(", 1, ").bind(now).push(", ").bind(now).push(", ");
        sql.bind(new.slug).push(", ").bind(new.name).push(", ").bind(new.time_zone).push(", ");
        sql.bind(Weekday::Monday.name()).push(", 'en')");
        tx.execute(sql.finish()).await?;
        let mut sql = self.sql();
        sql.push("INSERT INTO department (organization_id, id, version, created_at, updated_at, name, name_folded) ");
        sql.push("VALUES (").bind_tenant(organization).push(", ").bind(department).push(", 1, ").bind(now).push(", ");
        sql.bind(now).push(", ").bind(FALLBACK).push(", ").bind(fold(FALLBACK)).push(")");
        tx.execute(sql.finish()).await?;
        tx.index_text(&department::NOUN, department::NAME.into(), department, FALLBACK);
        let mut sql = self.sql();
        sql.push("UPDATE organization AS t SET fallback_department_id = ").bind(department).push(" WHERE ");
        sql.filter_tenant_again(
            "the foreign key rejects the department of another organization",
            Alias::ROW,
            "id",
            organization,
        );
        tx.execute(sql.finish()).await?;
        let mut sql = self.sql();
        // The organization has no rows, so all of them are counted.
        sql.push("INSERT INTO organization_sequence (organization_id, last, rolled_to, rolled_until, rolled_zone, ");
        sql.push("rolled_week_start) VALUES (")
            .bind_tenant(organization)
            .push(", 0, 0, ")
            .bind(rollup::FOREVER)
            .push(", ");
        sql.bind(new.time_zone).push(", ").bind(Weekday::Monday.name()).push(")");
        tx.execute(sql.finish()).await?;
        let mut sql = self.sql();
        sql.push("INSERT INTO audit_head (organization_id, last_sequence, hash) VALUES (").bind_tenant(organization);
        sql.push(", 0, '')");
        tx.execute(sql.finish()).await?;
        if new.is_noted {
            let (noun, row, fields) = (organization::NOUN.name, organization.0, vec!["slug", "name", "timeZone"]);
            tx.note(Event { noun, row, operation: EventOperation::Created, version: 1, fields });
        }
        tx.commit().await?;
        Ok(Some(organization))
    }

    /// Returns the organization with this slug. Not scoped, because commands name organizations before any token
    /// exists.
    pub async fn organization_by_slug(&self, slug: &str) -> Result<Option<OrganizationId>> {
        let mut sql = self.sql();
        sql.push("SELECT organization_id FROM organization_slug WHERE slug = ").bind(slug);
        Ok(self.owners(sql).await?.pop())
    }

    /// Returns every organization, ordered by slug, for the operator.
    pub async fn listed_organizations(&self) -> Result<Vec<ListedOrganization>> {
        use entity::noun::StringEnum;
        let mut sql = self.sql();
        sql.push("SELECT o.id, o.slug, o.name, s.withdrawn_at FROM organization o LEFT JOIN token_withdrawal s ");
        sql.push("ON s.organization_id = o.id AND s.kind = ").bind(Revocation::Organization.name());
        sql.push(" ORDER BY o.slug");
        let kinds = [CellKind::Text, CellKind::Text, CellKind::Int];
        let found = self.reader.read(sql.finish(), RowLayout { has_parent: false, kinds: &kinds }).await?;
        let listed = found.into_iter().filter_map(|row| {
            let text = |place: usize| row.cells[place].text().unwrap_or_default().to_owned();
            let suspended_at = row.cells[2].int().and_then(DateTime::from_timestamp_millis);
            Some(ListedOrganization { id: row.tenant.map(OrganizationId)?, slug: text(0), name: text(1), suspended_at })
        });
        Ok(listed.collect())
    }

    /// Returns the contents of the database, which may lack the schema: `demo` does not change a database with other
    /// data.
    pub async fn contents(&self) -> Result<Contents> {
        let tables = if self.is_postgres() {
            "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = current_schema()"
        } else {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        };
        let tables = self.names(tables).await?;
        if tables.is_empty() {
            return Ok(Contents::Nothing);
        }
        if !["seaql_migrations", "organization"].iter().all(|ours| tables.iter().any(|table| table == ours)) {
            return Ok(Contents::OtherTables);
        }
        self.names("SELECT slug FROM organization ORDER BY slug").await.map(Contents::Organizations)
    }

    pub(in crate::store) async fn names(&self, sql: &'static str) -> Result<Vec<String>> {
        let rows = self.reader.query_all_raw(Sql::text_only(self.backend(), sql)).await?;
        Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
    }

    /// Appends a statement that deletes a limited number of rows of one organization that are older than `before`.
    fn expired(sql: &mut Sql, table: &'static str, key: &[&'static str; 2], organization: OrganizationId, before: i64) {
        let own = |sql: &mut Sql, alias| {
            sql.column(alias, "organization_id").push(" = ").bind_tenant(organization);
        };
        sql.push("DELETE FROM ").name(&[table]).push(" AS t WHERE ");
        own(sql, Alias::ROW);
        sql.push(" AND (").name(&[key[0]]).push(", ").name(&[key[1]]).push(") IN (SELECT ");
        sql.column(Alias::LINK, key[0]).push(", ").column(Alias::LINK, key[1]).push(" FROM ").name(&[table]);
        sql.push(" AS l WHERE ");
        own(sql, Alias::LINK);
        sql.push(" AND ").column(Alias::LINK, "created_at").push(" < ").bind(before);
        sql.push(" LIMIT ").bind(KEYS_AT_A_TIME).push(")");
    }

    /// Adds missing rows to the directories of slugs and API clients, for rows created by a server of an earlier
    /// version during an update.
    pub async fn complete_directories(&self) -> Result<()> {
        let (mut slugs, mut clients) = (self.sql(), self.sql());
        slugs.push(
            "INSERT INTO organization_slug (slug, organization_id) SELECT o.slug, o.id FROM organization o WHERE ",
        );
        slugs.push("NOT EXISTS (SELECT 1 FROM organization_slug d WHERE d.slug = o.slug) ON CONFLICT DO NOTHING");
        clients.push("INSERT INTO api_client_owner (api_client_id, organization_id) SELECT s.api_client_id, ");
        clients.push("s.organization_id FROM api_client_secret s WHERE NOT EXISTS (SELECT 1 FROM api_client_owner d ");
        clients.push("WHERE d.api_client_id = s.api_client_id) ON CONFLICT DO NOTHING");
        let tx = self.writer.begin(false, Payer::default()).await?;
        tx.execute(slugs.finish()).await?;
        tx.execute(clients.finish()).await?;
        Ok(tx.commit().await?)
    }
}
