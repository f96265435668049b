//! Jobs: work that is too large for one transaction, or that is due later. A job is a row with its progress, and each
//! step is a short transaction that advances it.
//!
//! A server claims a job for [`LEASE`]; each step extends the lease, and each claim increments the fence. The
//! transaction of a step first advances the job under the fence of its claim, so that the step of a server that was
//! too slow, and whose job another one has claimed, is rolled back. `docs/architecture/jobs.md` tells the rest.

mod claim;
pub mod kind;
pub mod list;
mod plan;
mod run;

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::OrganizationId;
use sea_orm::{Value, prelude::Uuid};
use tokio::sync::Notify;

pub use self::{
    claim::Claim,
    kind::{Kind, StepResult},
    run::{MAX_ATTEMPTS, backoff},
};
use crate::{
    Error, Result,
    store::{
        Connection, Scope, Store, Tx,
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind},
        },
    },
};

/// How long a server may take for a step until another one may claim the job.
pub const LEASE: TimeDelta = TimeDelta::seconds(15);

/// A job, as read by the server that has claimed it.
#[derive(Clone, Debug)]
pub struct Job {
    /// Id of the job.
    pub id: Uuid,
    /// The kind of the job.
    pub kind: &'static Kind,
    /// The row that the job is about; there is at most one job per kind and row.
    pub row: Uuid,
    /// Progress, in the format of the job's kind.
    pub progress: String,
    /// Number of completed steps.
    pub steps: i64,
    /// The number of this claim among all of the job.
    pub fence: i64,
}

/// A job to begin.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Id of the job.
    pub id: Uuid,
    /// The kind of the job.
    pub kind: &'static Kind,
    /// The row that the job is about.
    pub row: Uuid,
    /// Its initial progress.
    pub progress: String,
    /// When the first step is due. Without it, this server continues the job as soon as the transaction has committed.
    pub run_at: Option<DateTime<Utc>>,
}

/// Jobs that this server started, to be continued at once.
#[derive(Debug, Default)]
pub(in crate::store) struct Begun {
    jobs: Mutex<Vec<(OrganizationId, Uuid)>>,
    wake: Notify,
}

impl Begun {
    pub(in crate::store) fn add(&self, organization: OrganizationId, job: Uuid) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).push((organization, job));
        self.wake.notify_one();
    }

    /// Removes and returns up to `most` jobs, the oldest first.
    fn take(&self, most: usize) -> Vec<(OrganizationId, Uuid)> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let some = jobs.len().min(most);
        jobs.drain(..some).collect()
    }
}

impl Store {
    /// Waits until a job starts on this server.
    pub async fn job_begins(&self) {
        self.begun.wake.notified().await;
    }
}

impl<C: Connection> Scope<C> {
    /// Returns a job that this server has claimed; `None` if it is completed or another server has claimed it since.
    async fn job(&self, claim: &Claim) -> Result<Option<Job>> {
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.row_id, t.progress, t.steps FROM job AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization());
        self.held(&mut sql, claim.id, claim.fence);
        let kinds = [CellKind::Id, CellKind::Text, CellKind::Int];
        let Some(row) = self.read_rows(sql.finish(), &kinds).await?.pop() else { return Ok(None) };
        let [Cell::Id(row), Cell::Text(progress), Cell::Int(steps)] = row.as_slice() else {
            return Err(Error::internal("a job cannot be read"));
        };
        let (id, kind, fence) = (claim.id, claim.kind, claim.fence);
        Ok(Some(Job { id, kind, row: *row, progress: progress.clone(), steps: *steps, fence }))
    }

    /// Appends the condition that a row is a job under a claim of this server.
    fn held(&self, sql: &mut Sql, id: Uuid, fence: i64) {
        sql.push(" AND t.id = ").bind(id).push(" AND t.fence = ").bind(fence);
        sql.push(" AND t.owner_id = ").bind(self.store.server_id);
    }
}

impl Tx {
    /// Begins a job about a row.
    pub async fn begin_job(&self, job: &NewJob) -> Result<()> {
        let mut sql = self.sql();
        self.insert_job(&mut sql, job);
        self.execute(sql.finish()).await?;
        self.will_continue(job);
        Ok(())
    }

    /// Begins a job unless there is one of this kind about the row. Returns whether it has begun.
    pub async fn begin_job_once(&self, job: &NewJob) -> Result<bool> {
        let mut sql = self.sql();
        self.insert_job(&mut sql, job);
        sql.push(" ON CONFLICT (organization_id, kind, row_id) DO NOTHING RETURNING organization_id");
        let is_new = !self.rows(sql.finish(), &[]).await?.is_empty();
        if is_new {
            self.will_continue(job);
        }
        Ok(is_new)
    }

    fn insert_job(&self, sql: &mut Sql, job: &NewJob) {
        let (now, is_ours) = (self.now(), job.run_at.is_none());
        sql.push("INSERT INTO job (organization_id, id, kind, row_id, progress, steps, stepped_at, run_at, fence, ");
        sql.push("owner_id, leased_until) VALUES (").bind_tenant(self.organization()).push(", ").bind(job.id);
        sql.push(", ").bind(job.kind.name).push(", ").bind(job.row).push(", ").bind(job.progress.as_str());
        sql.push(", 0, ").bind(now.timestamp_millis()).push(", ");
        sql.bind(job.run_at.unwrap_or(now).timestamp_millis()).push(", ").bind(i64::from(is_ours)).push(", ");
        sql.bind(Value::Uuid(is_ours.then_some(self.store.server_id))).push(", ");
        sql.bind(Value::BigInt(is_ours.then(|| (now + LEASE).timestamp_millis()))).push(")");
    }

    fn will_continue(&self, job: &NewJob) {
        if job.run_at.is_none() {
            self.conn.pending().begun.push(job.id);
        }
    }

    /// Advances a job. Returns false if this server no longer holds it: the transaction can then only be rolled back.
    pub async fn move_job(&self, job: &Job, progress: &str) -> Result<bool> {
        let until = (self.now() + LEASE).timestamp_millis();
        self.advance_job(job, progress, |sql| {
            sql.push(", leased_until = ").bind(until);
        })
        .await
    }

    /// Advances a job whose next step is due at `run_at`, and leaves it to any server. Returns false if this server no
    /// longer holds it: the transaction can then only be rolled back. The step returns [`StepResult::PutOff`].
    pub async fn put_off_job(&self, job: &Job, progress: &str, run_at: DateTime<Utc>) -> Result<bool> {
        self.advance_job(job, progress, |sql| {
            sql.push(", owner_id = NULL, leased_until = NULL, run_at = ").bind(run_at.timestamp_millis());
        })
        .await
    }

    /// Ends a job, or one run of a recurring job. Returns false if this server no longer holds it: the transaction can
    /// then only be rolled back.
    pub async fn end_job(&self, job: &Job) -> Result<bool> {
        if let Some(recurrence) = job.kind.standing.as_ref().and_then(|standing| standing.recurs.as_ref()) {
            let next = self.next_run(recurrence).await?;
            return self.put_off_job(job, "", next).await;
        }
        let mut sql = self.sql();
        sql.push("DELETE FROM job AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization());
        self.advance_only(&mut sql, job);
        self.is_held(sql).await
    }

    /// Commits a step with its job advanced to `progress`, or ended if that is `None`. Rolls it back if this server no
    /// longer holds the job.
    pub async fn commit_step(self, job: &Job, progress: Option<&str>) -> Result<StepResult> {
        let is_held = match progress {
            Some(progress) => self.move_job(job, progress).await?,
            None => self.end_job(job).await?,
        };
        if !is_held {
            self.roll_back().await?;
            return Ok(StepResult::Lost);
        }
        self.commit().await?;
        Ok(if progress.is_some() { StepResult::On } else { StepResult::Done })
    }

    async fn advance_job(&self, job: &Job, progress: &str, set: impl FnOnce(&mut Sql)) -> Result<bool> {
        let mut sql = self.sql();
        sql.push("UPDATE job AS t SET steps = steps + 1, attempts = 0, reason = NULL, progress = ").bind(progress);
        sql.push(", stepped_at = ").bind(self.now().timestamp_millis());
        set(&mut sql);
        sql.push(" WHERE ").filter_tenant(Alias::ROW, "organization_id", self.organization());
        self.advance_only(&mut sql, job);
        self.is_held(sql).await
    }

    /// Appends the condition that a row is the job as it was read. Servers of earlier versions take steps without a
    /// claim, and count them.
    fn advance_only(&self, sql: &mut Sql, job: &Job) {
        self.held(sql, job.id, job.fence);
        sql.push(" AND t.steps = ").bind(job.steps).push(" RETURNING organization_id");
    }

    async fn is_held(&self, sql: Sql) -> Result<bool> {
        let is_held = !self.rows(sql.finish(), &[]).await?.is_empty();
        if !is_held {
            // Even if a step overlooked the result, nothing of it could be committed.
            self.conn.fail();
        }
        Ok(is_held)
    }
}
