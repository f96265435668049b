//! Jobs: work that is too large for one transaction. A job is a row with its progress, and each step is a short
//! transaction that advances it.
//!
//! A job survives the server that started it: any server takes the next step of a job that has stalled. Two servers
//! that take the same step at once do no harm: the transaction of a step first advances the job from the step count
//! that was read, and only one of them succeeds.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use entity::{id::OrganizationId, noun::StringEnum};
use sea_orm::prelude::Uuid;
use tokio::sync::Notify;

use crate::{
    Error, Result,
    auth::Actor,
    store::{
        Connection, Scope, Store, Tx,
        driver::{RowLayout, TenantRow},
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind},
        },
    },
};

entity::string_enum! {
    /// The kind of a job.
    JobKind as "JobKind" {
        /// Empties the rows about a person.
        Erasure = "ERASURE",
        /// Removes the rows of the organization.
        Deletion = "DELETION",
        /// Indexes the rows that were there before the search was.
        SearchIndex = "SEARCH_INDEX",
        /// Moves the references to a row that was merged into another, or gives them back.
        Merge = "MERGE",
    }
}

/// A job, as read from the database.
#[derive(Clone, Debug)]
pub struct Job {
    /// Id of the job.
    pub id: Uuid,
    /// The kind of the job.
    pub kind: JobKind,
    /// The row that the job is about; there is at most one job per kind and row.
    pub row: Uuid,
    /// Progress, in the format of the job's kind.
    pub progress: String,
    /// Number of completed steps.
    pub steps: i64,
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepResult {
    /// More steps are left.
    On,
    /// The next step must wait for others.
    Waits,
    /// The job is completed or no longer exists.
    Done,
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
}

impl Store {
    /// Waits until a job starts on this server.
    pub async fn job_begins(&self) {
        self.begun.wake.notified().await;
    }

    /// Returns the jobs to continue: those started on this server, and those whose last step was before `stood_since`.
    pub async fn jobs(&self, stood_since: DateTime<Utc>) -> Result<Vec<(OrganizationId, Uuid)>> {
        let mut jobs = std::mem::take(&mut *self.begun.jobs.lock().unwrap_or_else(PoisonError::into_inner));
        let mut sql = Sql::new(self.backend());
        sql.push("SELECT organization_id, id FROM job WHERE stepped_at < ").bind(stood_since.timestamp_millis());
        sql.push(" ORDER BY stepped_at, id");
        let rows = self.reader.read(sql.finish(), RowLayout { has_parent: false, kinds: &[CellKind::Id] }).await?;
        let read = |row: TenantRow| Some((OrganizationId(row.tenant?), row.cells[0].id()?));
        jobs.extend(rows.into_iter().filter_map(read));
        jobs.sort_unstable_by_key(|(_, id)| *id);
        jobs.dedup();
        Ok(jobs)
    }

    /// Performs the next step of a job.
    pub async fn step(&self, organization: OrganizationId, id: Uuid, now: DateTime<Utc>) -> Result<StepResult> {
        let scope = self.scope(Actor::operator(organization), now);
        let Some(job) = scope.job(id).await? else { return Ok(StepResult::Done) };
        match job.kind {
            JobKind::Erasure => scope.step_erasure(&job).await,
            JobKind::Deletion => scope.step_deletion(&job).await,
            JobKind::SearchIndex => scope.step_search_index(&job).await,
            JobKind::Merge => scope.step_merge(&job).await,
        }
    }

    /// Performs all steps of all jobs.
    pub async fn finish_jobs(&self, now: DateTime<Utc>) -> Result<()> {
        for (organization, id) in self.jobs(DateTime::<Utc>::MAX_UTC).await? {
            loop {
                match self.step(organization, id, now).await? {
                    StepResult::On => {}
                    StepResult::Waits => return Err(Error::Unavailable),
                    StepResult::Done => break,
                }
            }
        }
        Ok(())
    }
}

impl<C: Connection> Scope<C> {
    async fn job(&self, id: Uuid) -> Result<Option<Job>> {
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.kind, t.row_id, t.progress, t.steps FROM job AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization()).push(" AND t.id = ").bind(id);
        let kinds = [CellKind::Text, CellKind::Id, CellKind::Text, CellKind::Int];
        let Some(row) = self.read_rows(sql.finish(), &kinds).await?.pop() else { return Ok(None) };
        let [Cell::Text(kind), Cell::Id(row), Cell::Text(progress), Cell::Int(steps)] = row.as_slice() else {
            return Err(Error::internal("a job cannot be read"));
        };
        let kind = JobKind::parse(kind).ok_or_else(|| Error::internal("a job is of no known kind"))?;
        Ok(Some(Job { id, kind, row: *row, progress: progress.clone(), steps: *steps }))
    }
}

impl Tx {
    /// Starts a job about a row, with its initial progress.
    pub(in crate::store) async fn begin_job(&self, job: &Job) -> Result<()> {
        let mut sql = self.sql();
        sql.push("INSERT INTO job (organization_id, id, kind, row_id, progress, steps, stepped_at) VALUES (");
        sql.bind_tenant(self.organization()).push(", ").bind(job.id).push(", ").bind(job.kind.name()).push(", ");
        sql.bind(job.row).push(", ").bind(job.progress.as_str()).push(", ").bind(job.steps).push(", ");
        sql.bind(self.now().timestamp_millis()).push(")");
        self.execute(sql.finish()).await.map(drop)
    }

    /// Advances a job. Returns false if another server has advanced it since it was read; the caller must then roll
    /// back.
    pub(in crate::store) async fn move_job(&self, job: &Job, progress: &str) -> Result<bool> {
        let mut sql = self.sql();
        sql.push("UPDATE job AS t SET steps = steps + 1, progress = ").bind(progress).push(", stepped_at = ");
        sql.bind(self.now().timestamp_millis()).push(" WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization());
        sql.push(" AND t.id = ").bind(job.id).push(" AND t.steps = ").bind(job.steps);
        sql.push(" RETURNING organization_id");
        Ok(!self.rows(sql.finish(), &[]).await?.is_empty())
    }

    /// Ends a job. Returns false if another server has advanced or ended it.
    pub(in crate::store) async fn end_job(&self, job: &Job) -> Result<bool> {
        let mut sql = self.sql();
        sql.push("DELETE FROM job AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization());
        sql.push(" AND t.id = ").bind(job.id).push(" AND t.steps = ").bind(job.steps);
        sql.push(" RETURNING organization_id");
        Ok(!self.rows(sql.finish(), &[]).await?.is_empty())
    }
}
