//! Kinds of jobs: what a step of each does, and which of them nobody has to begin.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use entity::{id::OrganizationId, organization};
use futures_util::future::BoxFuture;

use super::Job;
use crate::{
    Error, Result,
    schedule::Schedule,
    store::{Connection, Scope, Store, erasure, merging, operation::unscoped, rollup, search},
};

/// A kind of job. A chapter declares those of its own and exports them as parts of the API.
#[derive(Debug)]
pub struct Kind {
    /// Name in the database, in the API and in metrics, in capitals. It never changes.
    pub name: &'static str,
    /// Performs the next step of a job: see [`StepFn`].
    pub step: StepFn,
    /// Which organizations have a job of this kind without anybody beginning it.
    pub standing: Option<Standing>,
}

/// Performs the next step of a job. What it changes is changed in one transaction, with one of
/// [`Tx::move_job`](crate::store::Tx::move_job), [`Tx::put_off_job`](crate::store::Tx::put_off_job) and
/// [`Tx::end_job`](crate::store::Tx::end_job), and is rolled back if that returns false. A step that fails is repeated
/// later.
pub type StepFn = for<'a> fn(&'a Scope, &'a Job) -> BoxFuture<'a, Result<StepResult>>;

/// A kind of which each of some organizations has one job, about the organization itself.
#[derive(Debug)]
pub struct Standing {
    /// Returns these organizations; asked every few seconds.
    pub organizations: for<'a> fn(&'a Store) -> BoxFuture<'a, Result<Vec<OrganizationId>>>,
    /// When a job that has ended runs again. Without it, it runs again when the organization is one of these again.
    pub recurs: Option<Recurrence>,
}

/// When a job runs again.
#[derive(Debug)]
pub struct Recurrence {
    /// The cron expression.
    pub cron: &'static str,
    /// By which clock it is read.
    pub zone: ScheduleZone,
}

/// The clock of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScheduleZone {
    /// UTC.
    Utc,
    /// The time zone of the organization.
    Organization,
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepResult {
    /// More steps are left.
    On,
    /// The next step must wait for others.
    Waits,
    /// The step has set the time of the next one.
    PutOff,
    /// The job is completed or no longer exists.
    Done,
    /// Another server has claimed the job, so the step was rolled back.
    Lost,
}

/// The kinds of the store itself. Commands of the operator finish their jobs, except for those of standing kinds.
pub const OWN: [&Kind; 6] = [
    &erasure::erase::JOB,
    &erasure::deletion::JOB,
    &search::fill::JOB,
    &merging::merge::JOB,
    &rollup::build::JOB,
    &unscoped::FORGET_KEYS,
];

impl Recurrence {
    /// Returns the first occurrence after an instant, by the clock of a time zone.
    pub fn next(&self, after: DateTime<Utc>, zone: Tz) -> Result<DateTime<Utc>> {
        let next = Schedule::parse(self.cron).and_then(|schedule| schedule.next(after, zone));
        next.ok_or_else(|| Error::internal(format!("the schedule {} has no next time", self.cron)))
    }
}

impl<C: Connection> Scope<C> {
    /// Returns the organization's time zone, by which its schedules are read.
    pub async fn time_zone(&self) -> Result<Tz> {
        let zone = self.select_all((organization::TIME_ZONE,), 1).await?.pop();
        zone.and_then(|(name,)| name.parse().ok()).ok_or_else(|| Error::internal("the organization has no time zone"))
    }

    pub(super) async fn next_run(&self, recurrence: &Recurrence) -> Result<DateTime<Utc>> {
        let zone = match recurrence.zone {
            ScheduleZone::Utc => Tz::UTC,
            ScheduleZone::Organization => self.time_zone().await?,
        };
        recurrence.next(self.now(), zone)
    }
}
