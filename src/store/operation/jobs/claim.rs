//! Claims: which server performs a job, and until when.

use std::sync::PoisonError;

use chrono::{DateTime, Utc};
use entity::id::OrganizationId;
use metrics::counter;
use sea_orm::prelude::Uuid;

use super::{
    Kind, LEASE,
    list::{CLAIMS, JobFailure},
};
use crate::{
    Result,
    auth::Actor,
    store::{
        Store, Tx,
        driver::{Connection, RowLayout, TenantRow},
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind},
        },
    },
};

/// A job that this server has claimed.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The organization.
    pub organization: OrganizationId,
    /// Id of the job.
    pub id: Uuid,
    /// The kind of the job.
    pub kind: &'static Kind,
    /// The number of this claim among all of the job.
    pub fence: i64,
    /// How often the next step has failed.
    pub attempts: i64,
}

impl Store {
    /// Returns the kinds of jobs that this server performs.
    pub fn job_kinds(&self) -> impl Iterator<Item = &'static Kind> {
        super::kind::OWN.into_iter().chain(self.job_kinds.iter().copied())
    }

    fn job_kind(&self, name: &str) -> Option<&'static Kind> {
        self.job_kinds().find(|kind| kind.name == name)
    }

    /// Returns the jobs that no server holds at an instant, of the kinds that an operator's command waits for. Not
    /// scoped, because commands have no caller.
    pub async fn jobs(&self, at: DateTime<Utc>) -> Result<Vec<(OrganizationId, Uuid)>> {
        let mut sql = self.sql();
        sql.push("SELECT organization_id, id FROM job WHERE (leased_until IS NULL OR leased_until <= ");
        sql.bind(at.timestamp_millis()).push(") AND kind IN (");
        sql.list(super::kind::OWN.iter().filter(|kind| kind.standing.is_none()), |sql, kind| {
            sql.bind(kind.name);
        });
        sql.push(") ORDER BY stepped_at, id");
        let rows = self.reader.read(sql.finish(), RowLayout { has_parent: false, kinds: &[CellKind::Id] }).await?;
        let read = |row: TenantRow| Some((OrganizationId(row.tenant?), row.cells[0].id()?));
        Ok(rows.into_iter().filter_map(read).collect())
    }

    /// Claims up to `most` jobs that are due: first those that this server has begun, then some of each organization in
    /// turn, so that one with many jobs does not keep others waiting.
    pub async fn claim_jobs(&self, most: usize, now: DateTime<Utc>) -> Result<Vec<Claim>> {
        let mut claims = Vec::new();
        for (organization, id) in self.begun.take(most) {
            claims.extend(self.hold(organization, id, now).await?);
        }
        let left = most - claims.len();
        if left == 0 {
            return Ok(claims);
        }
        let organizations = self.organizations_in_turn(left, now).await?;
        let each = (left / organizations.len().max(1)).max(1);
        for organization in organizations {
            claims.extend(self.claim(organization, each, now).await?);
        }
        Ok(claims)
    }

    /// Returns up to `most` organizations that have due jobs, beginning after the last one that had its turn.
    async fn organizations_in_turn(&self, most: usize, now: DateTime<Utc>) -> Result<Vec<OrganizationId>> {
        let last = *self.job_turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = self.with_due_jobs(last, most, now).await?;
        if found.len() < most && last != Uuid::nil() {
            let others = self.with_due_jobs(Uuid::nil(), most - found.len(), now).await?;
            found.extend(others.into_iter().filter(|organization| organization.0 <= last));
        }
        if let Some(last) = found.last() {
            *self.job_turn.lock().unwrap_or_else(PoisonError::into_inner) = last.0;
        }
        Ok(found)
    }

    /// Returns the first organizations after one that have due jobs. Not scoped, because no caller waits for jobs. Looks
    /// into the index of each organization, and not at all jobs, of which one may have many.
    async fn with_due_jobs(&self, after: Uuid, most: usize, now: DateTime<Utc>) -> Result<Vec<OrganizationId>> {
        let mut sql = self.sql();
        sql.push("SELECT o.id FROM organization AS o WHERE o.id > ").bind(after);
        sql.push(" AND EXISTS (SELECT 1 FROM job AS s WHERE s.organization_id = o.id AND ");
        self.are_due(&mut sql, Alias::nested('s', 0), now);
        sql.push(") ORDER BY o.id LIMIT ").number(most);
        self.owners(sql).await
    }

    /// Appends the condition that a job is due, is held by no server, and is of a kind that this server knows: during an
    /// update, a newer server may have begun others.
    fn are_due(&self, sql: &mut Sql, alias: Alias, now: DateTime<Utc>) {
        let now = now.timestamp_millis();
        sql.column(alias, "failed_at").push(" IS NULL AND ").column(alias, "run_at").push(" <= ").bind(now);
        sql.push(" AND (").column(alias, "leased_until").push(" IS NULL OR ").column(alias, "leased_until");
        sql.push(" <= ").bind(now).push(") AND ").column(alias, "kind").push(" IN (");
        sql.list(self.job_kinds(), |sql, kind| {
            sql.bind(kind.name);
        });
        sql.push(")");
    }

    /// Claims up to `most` due jobs of an organization, the longest due first.
    pub async fn claim(&self, organization: OrganizationId, most: usize, now: DateTime<Utc>) -> Result<Vec<Claim>> {
        self.claiming(organization, now, |sql| {
            let is_postgres = sql.is_postgres();
            sql.push(if is_postgres { " AND t.id = ANY(ARRAY(" } else { " AND t.id IN (" });
            sql.push("SELECT l.id FROM job AS l WHERE ");
            sql.filter_tenant_again(
                "the statement changes only the organization's own rows",
                Alias::LINK,
                "organization_id",
                organization,
            );
            self.are_due(sql.push(" AND "), Alias::LINK, now);
            sql.push(" ORDER BY l.run_at, l.id LIMIT ").number(most);
            // Without it, a server would wait for the claim of another one, and then find nothing.
            sql.push(if is_postgres { " FOR UPDATE SKIP LOCKED)) AND " } else { ") AND " });
            self.are_due(sql, Alias::ROW, now);
        })
        .await
    }

    /// Claims a job, whoever holds it, and whether it is due.
    pub(super) async fn seize(
        &self,
        organization: OrganizationId,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Option<Claim>> {
        let claims = self.claiming(organization, now, |sql| {
            sql.push(" AND t.id = ").bind(id);
        });
        Ok(claims.await?.pop())
    }

    async fn claiming(
        &self,
        organization: OrganizationId,
        now: DateTime<Utc>,
        which: impl FnOnce(&mut Sql),
    ) -> Result<Vec<Claim>> {
        let tx = self.scope(Actor::operator(organization), now).begin().await?;
        let mut sql = tx.sql();
        // A job that somebody holds still was left by a server that ended during a step.
        sql.push("UPDATE job AS t SET fence = fence + 1, failed_at = NULL, ");
        sql.push("attempts = attempts + CASE WHEN owner_id IS NULL THEN 0 ELSE 1 END, owner_id = ");
        sql.bind(self.server_id).push(", leased_until = ").bind((now + LEASE).timestamp_millis()).push(" WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", organization);
        which(&mut sql);
        sql.push(" RETURNING organization_id, id, kind, fence, attempts");
        let kinds = [CellKind::Id, CellKind::Text, CellKind::Int, CellKind::Int];
        let rows = tx.rows(sql.finish(), &kinds).await?;
        tx.commit().await?;
        let read = |row: Vec<Cell>| self.read_claim(organization, &row);
        let claims: Vec<Claim> = rows.into_iter().filter_map(read).collect();
        for claim in &claims {
            counter!(CLAIMS, "kind" => claim.kind.name).increment(1);
        }
        Ok(claims)
    }

    /// Returns the claim of a job that this server has begun; `None` if another one has claimed it since.
    async fn hold(&self, organization: OrganizationId, id: Uuid, now: DateTime<Utc>) -> Result<Option<Claim>> {
        let scope = self.scope(Actor::operator(organization), now);
        let mut sql = scope.sql();
        sql.push("SELECT t.organization_id, t.id, t.kind, t.fence, t.attempts FROM job AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", organization);
        sql.push(" AND t.id = ").bind(id).push(" AND t.owner_id = ").bind(self.server_id);
        let kinds = [CellKind::Id, CellKind::Text, CellKind::Int, CellKind::Int];
        let rows = scope.read_rows(sql.finish(), &kinds).await?;
        Ok(rows.first().and_then(|row| self.read_claim(organization, row)))
    }

    fn read_claim(&self, organization: OrganizationId, row: &[Cell]) -> Option<Claim> {
        let [Cell::Id(id), Cell::Text(kind), Cell::Int(fence), Cell::Int(attempts)] = row else { return None };
        let kind = self.job_kind(kind)?;
        Some(Claim { organization, id: *id, kind, fence: *fence, attempts: *attempts })
    }

    /// Gives a job back, due at `run_at`, or as failed for good. Does nothing if another server has claimed it.
    pub(super) async fn give_back(&self, claim: &Claim, back: &GivenBack, now: DateTime<Utc>) -> Result<()> {
        let tx = self.scope(Actor::operator(claim.organization), now).begin().await?;
        tx.give_back(claim, back).await?;
        tx.commit().await
    }
}

/// How a job is given back.
#[derive(Debug)]
pub(super) struct GivenBack {
    /// When it is due again.
    pub run_at: DateTime<Utc>,
    /// If the last step failed: how often it has, and why.
    pub failure: Option<(i64, JobFailure)>,
    /// Whether it is not tried again.
    pub is_failed: bool,
}

impl Tx {
    async fn give_back(&self, claim: &Claim, back: &GivenBack) -> Result<()> {
        use entity::noun::StringEnum;
        let mut sql = self.sql();
        sql.push("UPDATE job AS t SET owner_id = NULL, leased_until = NULL, run_at = ");
        sql.bind(back.run_at.timestamp_millis());
        if let Some((attempts, reason)) = back.failure {
            sql.push(", attempts = ").bind(attempts).push(", reason = ").bind(reason.name());
        }
        if back.is_failed {
            sql.push(", failed_at = ").bind(self.now().timestamp_millis());
        }
        sql.push(" WHERE ").filter_tenant(Alias::ROW, "organization_id", self.organization());
        self.held(&mut sql, claim.id, claim.fence);
        sql.push(" RETURNING organization_id");
        self.rows(sql.finish(), &[]).await.map(drop)
    }

    /// Makes a job that has failed for good due again, at once. Returns false if there is none with this id.
    pub async fn retry_job(&self, id: Uuid) -> Result<bool> {
        let mut sql = self.sql();
        sql.push("UPDATE job AS t SET failed_at = NULL, reason = NULL, attempts = 0, run_at = ");
        sql.bind(self.now().timestamp_millis()).push(" WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization());
        sql.push(" AND t.id = ").bind(id).push(" AND t.failed_at IS NOT NULL RETURNING organization_id");
        Ok(!self.rows(sql.finish(), &[]).await?.is_empty())
    }
}
