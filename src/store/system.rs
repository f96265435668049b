//! The few statements that run without a caller's scope, each with its reason.

use chrono::{DateTime, Duration, Utc};
use entity::{
    id::{self, OrganizationId},
    organization::Weekday,
};
use sea_orm::ConnectionTrait;

use super::{
    FailureKind, Store,
    cell::fold,
    line::Payer,
    narrow::Site,
    rollup,
    sql::{Alias, Sql},
};
use crate::Result;

/// Idempotency keys that one transaction forgets. The result of each may be long.
const FORGOTTEN: usize = 200;

/// What a new organization needs.
#[derive(Clone, Debug)]
pub struct NewOrganization<'a> {
    /// Name in commands, unique on the server.
    pub slug: &'a str,
    /// Name to show.
    pub name: &'a str,
    /// IANA time zone.
    pub time_zone: &'a str,
}

/// What a database holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents {
    /// No table.
    Nothing,
    /// Our tables, and these organizations by slug, sorted.
    Organizations(Vec<String>),
    /// Tables of something else.
    OtherTables,
}

impl Store {
    /// Makes an organization with its fallback department; `None` if the slug is taken. No scope can: nobody
    /// belongs to the organization yet.
    pub async fn create_organization(
        &self,
        new: &NewOrganization<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<OrganizationId>> {
        use entity::noun::Named;
        let (organization, department, now) = (OrganizationId(id::new()), id::new(), now.timestamp_millis());
        let tx = self.writer.begin(false, Payer::default()).await?;
        let mut sql = Sql::new(self.backend());
        sql.push("INSERT INTO organization (id, version, created_at, updated_at, slug, name, time_zone, week_start, ");
        sql.push("locale) VALUES (").owner(organization).push(", 1, ").bind(now).push(", ").bind(now).push(", ");
        sql.bind(new.slug).push(", ").bind(new.name).push(", ").bind(new.time_zone).push(", ");
        sql.bind(Weekday::Monday.name()).push(", 'en')");
        match tx.execute(sql.finish()).await {
            Err(error) if error.kind() == FailureKind::Unique => {
                tx.rollback().await?;
                return Ok(None);
            }
            done => done?,
        };
        let mut sql = Sql::new(self.backend());
        sql.push("INSERT INTO department (organization_id, id, version, created_at, updated_at, name, name_folded) ");
        sql.push("VALUES (").owner(organization).push(", ").bind(department).push(", 1, ").bind(now).push(", ");
        sql.bind(now).push(", ").bind("Unassigned").push(", ").bind(fold("Unassigned")).push(")");
        tx.execute(sql.finish()).await?;
        let mut sql = self.sql();
        sql.push("UPDATE organization AS t SET fallback_department_id = ").bind(department).push(" WHERE ");
        sql.narrow(Site::FirstDepartment, Alias::ROW, "id", organization);
        tx.execute(sql.finish()).await?;
        let mut sql = Sql::new(self.backend());
        // Nothing is there, and all of it counted.
        sql.push("INSERT INTO organization_sequence (organization_id, last, rolled_to, rolled_until, rolled_zone, ");
        sql.push("rolled_week_start) VALUES (").owner(organization).push(", 0, 0, ").bind(rollup::FOREVER).push(", ");
        sql.bind(new.time_zone).push(", ").bind(Weekday::Monday.name()).push(")");
        tx.execute(sql.finish()).await?;
        let mut sql = Sql::new(self.backend());
        sql.push("INSERT INTO audit_head (organization_id, last_sequence, hash) VALUES (").owner(organization);
        sql.push(", 0, '')");
        tx.execute(sql.finish()).await?;
        tx.commit().await?;
        Ok(Some(organization))
    }

    /// The organization of that slug: commands name tenants before any token exists.
    pub async fn organization_by_slug(&self, slug: &str) -> Result<Option<OrganizationId>> {
        let mut sql = Sql::new(self.backend());
        sql.push("SELECT id FROM organization WHERE slug = ").bind(slug);
        Ok(self.owners(sql).await?.pop())
    }

    /// What the database holds, also before it has our schema: `demo` leaves one with other data as it is.
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

    pub(super) async fn names(&self, sql: &'static str) -> Result<Vec<String>> {
        let rows = self.reader.query_all_raw(Sql::text_only(self.backend(), sql)).await?;
        Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
    }

    /// Forgets idempotency keys older than a day, of every organization: housekeeping on nobody's behalf. In steps, each a
    /// transaction: writers of `SQLite` wait for one at most.
    pub async fn forget_idempotency_keys(&self, now: DateTime<Utc>) -> Result<u64> {
        let mut forgotten = 0;
        loop {
            let mut sql = Sql::new(self.backend());
            let key = "(organization_id, subject, idempotency_key)";
            sql.push("DELETE FROM idempotency WHERE ").push(key).push(" IN (SELECT organization_id, subject, ");
            sql.push("idempotency_key FROM idempotency WHERE created_at < ");
            sql.bind((now - Duration::hours(24)).timestamp_millis()).push(" LIMIT ").number(FORGOTTEN).push(")");
            let tx = self.writer.begin(false, Payer::default()).await?;
            let step = tx.execute(sql.finish()).await?;
            tx.commit().await?;
            forgotten += step;
            if step < FORGOTTEN as u64 {
                return Ok(forgotten);
            }
        }
    }
}
