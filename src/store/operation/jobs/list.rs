//! What admins and metrics see of jobs.

use chrono::{DateTime, Utc};
use entity::noun::StringEnum;
use metrics::gauge;
use sea_orm::{ConnectionTrait, prelude::Uuid};

use crate::{
    Error, Result,
    store::{
        Connection, Scope, Store,
        statement::{
            builder::Alias,
            cell::{Cell, CellKind},
        },
    },
};

/// Name of the gauge of jobs, by kind and state.
pub const JOBS: &str = "rapport_jobs";
/// Name of the counter of claims, by kind.
pub const CLAIMS: &str = "rapport_job_claims_total";
/// Name of the counter of completed steps, by kind.
pub const STEPS: &str = "rapport_job_steps_total";
/// Name of the counter of failed steps, by kind.
pub const FAILURES: &str = "rapport_job_failures_total";

entity::string_enum! {
    /// State of a job.
    JobState as "JobState" {
        /// The next step is due at `runAt`.
        Waiting = "WAITING",
        /// A server performs its steps.
        Running = "RUNNING",
        /// It has failed too often and is not tried again.
        Failed = "FAILED",
    }
}

entity::string_enum! {
    /// Why the last step of a job failed. The server's log has the details.
    JobFailure as "JobFailure" {
        /// The database was busy or could not be reached, or a concurrent change interfered.
        Unavailable = "UNAVAILABLE",
        /// The step took too long.
        Timeout = "TIMEOUT",
        /// The server ended during the step.
        Abandoned = "ABANDONED",
        /// Any other error.
        Internal = "INTERNAL",
    }
}

impl JobFailure {
    pub(super) const fn of(error: &Error) -> Self {
        match error {
            Error::Unavailable | Error::Collision => Self::Unavailable,
            Error::Timeout => Self::Timeout,
            _ => Self::Internal,
        }
    }
}

/// A job, as admins see it.
#[derive(Clone, Debug)]
pub struct ListedJob {
    /// Id of the job.
    pub id: Uuid,
    /// Name of its kind.
    pub kind: String,
    /// Its state.
    pub state: JobState,
    /// Number of completed steps.
    pub steps: i64,
    /// How often the next step has failed.
    pub attempts: i64,
    /// When the next step is due.
    pub run_at: DateTime<Utc>,
    /// When it failed for good.
    pub failed_at: Option<DateTime<Utc>>,
    /// Why the last step failed.
    pub reason: Option<JobFailure>,
}

/// Which jobs to list.
#[derive(Clone, Debug, Default)]
pub struct JobQuery {
    /// Only those in this state.
    pub state: Option<JobState>,
    /// Only those of the kind with this name.
    pub kind: Option<String>,
    /// Only those after this one.
    pub after: Option<Uuid>,
    /// Maximum number of jobs.
    pub most: usize,
}

/// The SQL expression of a job's state.
const STATE: &str = "CASE WHEN t.failed_at IS NOT NULL THEN 'FAILED' WHEN t.owner_id IS NOT NULL THEN 'RUNNING' ELSE \
                     'WAITING' END";

impl<C: Connection> Scope<C> {
    /// Returns jobs of the organization, oldest first.
    pub async fn listed_jobs(&self, query: &JobQuery) -> Result<Vec<ListedJob>> {
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.id, t.kind, ").push(STATE);
        sql.push(", t.steps, t.attempts, t.run_at, t.failed_at, t.reason FROM job AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization());
        sql.push(" AND t.id > ").bind(query.after.unwrap_or_default());
        if let Some(state) = query.state {
            sql.push(" AND ").push(STATE).push(" = ").bind(state.name());
        }
        if let Some(kind) = &query.kind {
            sql.push(" AND t.kind = ").bind(kind.as_str());
        }
        sql.push(" ORDER BY t.id LIMIT ").number(query.most);
        let (text, int) = (CellKind::Text, CellKind::Int);
        let rows = self.read_rows(sql.finish(), &[CellKind::Id, text, text, int, int, int, int, text]).await?;
        rows.iter().map(|row| listed(row).ok_or_else(|| Error::internal("a job cannot be read"))).collect()
    }
}

fn listed(row: &[Cell]) -> Option<ListedJob> {
    let [
        Cell::Id(id),
        Cell::Text(kind),
        Cell::Text(state),
        Cell::Int(steps),
        Cell::Int(attempts),
        run_at,
        failed_at,
        reason,
    ] = row
    else {
        return None;
    };
    Some(ListedJob {
        id: *id,
        kind: kind.clone(),
        state: JobState::parse(state)?,
        steps: *steps,
        attempts: *attempts,
        run_at: run_at.int().and_then(DateTime::from_timestamp_millis)?,
        failed_at: failed_at.int().and_then(DateTime::from_timestamp_millis),
        reason: reason.text().and_then(JobFailure::parse),
    })
}

impl Store {
    /// Sets the gauge of jobs. Each server counts the jobs of all organizations. Not scoped, because metrics have no
    /// caller.
    pub async fn measure_jobs(&self) -> Result<()> {
        let mut sql = self.sql();
        sql.push("SELECT t.kind, ").push(STATE).push(", COUNT(*) FROM job AS t GROUP BY 1, 2");
        let rows = self.reader.query_all_raw(sql.finish()).await?;
        let mut counts = Vec::new();
        for row in rows {
            let counted: (String, String, i64) =
                (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
            counts.push(counted);
        }
        for kind in self.job_kinds() {
            for state in [JobState::Waiting, JobState::Running, JobState::Failed] {
                let found = counts.iter().find(|(known, of, _)| known == kind.name && of == state.name());
                #[expect(clippy::cast_precision_loss, reason = "a gauge is a floating-point number")]
                gauge!(JOBS, "kind" => kind.name, "state" => state.name())
                    .set(found.map_or(0, |(.., count)| *count) as f64);
            }
        }
        Ok(())
    }
}
