//! Background tasks of a server.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

use crate::{
    Error, Result, clock,
    store::{Store, operation::jobs::StepResult},
};

/// Interval between deletions of expired idempotency keys, and of rows that have expired by retention rules.
const EXPIRY_INTERVAL: Duration = Duration::from_mins(10);
/// How far back the periodic completion of the erasure ledger goes; at startup, the whole ledger is completed.
const LEDGER_WINDOW: TimeDelta = TimeDelta::days(1);
/// Interval of sealing audit events; each event is sealed within 10 seconds.
const SEAL_INTERVAL: Duration = Duration::from_secs(2);

/// Interval of rebuilding missing weekly counts and analyzing tables without statistics.
const COUNT_INTERVAL: Duration = Duration::from_secs(5);

/// Interval of looking for jobs whose server has died.
const JOB_INTERVAL: Duration = Duration::from_secs(5);
/// Time without progress after which another server takes over a job.
const STALLED_AFTER: TimeDelta = TimeDelta::seconds(15);
/// Logs failures of a repeated task: the first one only, until the task succeeds again.
#[derive(Debug, Default)]
struct LogOnce {
    is_logged: bool,
}

impl LogOnce {
    /// Records the result and returns the value of a successful one.
    fn note<T>(&mut self, done: Result<T>, what: &str) -> Option<T> {
        let error = match done {
            Ok(done) => {
                self.is_logged = false;
                return Some(done);
            }
            Err(error) => error,
        };
        if !self.is_logged {
            self.is_logged = true;
            tracing::warn!(%error, "{what}; further failures are not logged");
        }
        None
    }
}

/// The running background tasks.
#[derive(Debug)]
pub struct Housekeeping {
    stop: watch::Sender<bool>,
    sealing: JoinHandle<()>,
}

/// Starts the background tasks: deletes expired idempotency keys, applies retention rules, removes erased bytes from the
/// files, continues jobs, seals events, counts weeks, indexes attributes written by an older server, and analyzes new
/// tables. Every replica may run them.
pub fn start(store: Store) -> Housekeeping {
    tokio::spawn(expire_keys(store.clone()));
    tokio::spawn(complete_derived_data(store.clone()));
    tokio::spawn(run_jobs(store.clone()));
    tokio::spawn(apply_retention(store.clone()));
    let (stop, stopped) = watch::channel(false);
    Housekeeping { stop, sealing: tokio::spawn(seal_events(store, stopped)) }
}

impl Housekeeping {
    /// Seals the last events and ends.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.sealing.await {
            tracing::warn!(%error, "sealing audit events stopped early");
        }
    }
}

/// Seals the next events of each organization that has unsealed ones, independently of the others. Returns whether more
/// may remain; [`Error::Unavailable`] after all others if some organization's events could not be sealed.
pub async fn seal(store: &Store, now: DateTime<Utc>) -> Result<bool> {
    let (mut has_more, mut is_unavailable) = (false, false);
    for organization in store.unsealed().await? {
        match store.seal(organization, now).await {
            Ok(more) => has_more |= more,
            Err(Error::Unavailable) => is_unavailable = true,
            Err(error) => tracing::warn!(%error, organization = %organization.0, "cannot seal audit events"),
        }
    }
    if is_unavailable { Err(Error::Unavailable) } else { Ok(has_more) }
}

/// Counts the next weeks of each organization that has uncounted rows. Returns whether more may remain.
pub async fn count_weeks(store: &Store) -> Result<bool> {
    let (mut has_more, mut is_unavailable) = (false, false);
    for organization in store.uncounted().await? {
        match store.count_weeks(organization).await {
            Ok(more) => has_more |= more,
            Err(Error::Unavailable) => is_unavailable = true,
            Err(error) => tracing::warn!(%error, organization = %organization.0, "cannot rebuild weekly counts"),
        }
    }
    if is_unavailable { Err(Error::Unavailable) } else { Ok(has_more) }
}

/// Applies the retention rules of each organization once. Returns whether more rows may have expired.
pub async fn expire_rows(store: &Store, now: DateTime<Utc>) -> Result<bool> {
    let (mut has_more, mut is_unavailable) = (false, false);
    for organization in store.with_retention().await? {
        match store.apply_retention(organization, now).await {
            Ok(more) => has_more |= more,
            Err(Error::Unavailable) => is_unavailable = true,
            Err(error) => tracing::warn!(%error, organization = %organization.0, "cannot remove expired rows"),
        }
    }
    if is_unavailable { Err(Error::Unavailable) } else { Ok(has_more) }
}

/// Runs the steps of this server's jobs and of stalled jobs in turn, until each is done or must wait.
pub async fn step_jobs(store: &Store) -> Result<()> {
    let mut jobs = store.jobs(clock::now() - STALLED_AFTER).await?;
    while !jobs.is_empty() {
        let mut going = Vec::new();
        for (organization, job) in jobs {
            match store.step(organization, job, clock::now()).await {
                Ok(StepResult::On) => going.push((organization, job)),
                Ok(StepResult::Waits | StepResult::Done) => {}
                // The job continues once it counts as stalled.
                Err(error) => tracing::warn!(%error, organization = %organization.0, %job, "job step failed"),
            }
        }
        jobs = going;
    }
    Ok(())
}

async fn run_jobs(store: Store) {
    let mut ticks = interval(JOB_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = store.job_begins() => {}
        }
        if let Err(error) = step_jobs(&store).await {
            tracing::warn!(%error, "cannot look for unfinished jobs");
        }
    }
}

async fn apply_retention(store: Store) {
    let (mut ticks, mut complaint) = (interval(EXPIRY_INTERVAL), LogOnce::default());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        while complaint.note(expire_rows(&store, clock::now()).await, "cannot remove expired rows").unwrap_or(false) {
            tokio::task::yield_now().await;
        }
    }
}

async fn complete_derived_data(store: Store) {
    let (mut ticks, mut complaint) = (interval(COUNT_INTERVAL), LogOnce::default());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = store.read_attributes().await {
            tracing::warn!(%error, "cannot index attributes written by an older server");
        }
        if let Err(error) = store.analyze_new_tables().await {
            tracing::warn!(%error, "cannot analyze new tables");
        }
        while complaint.note(count_weeks(&store).await, "cannot rebuild weekly counts").unwrap_or(false) {
            tokio::task::yield_now().await;
        }
    }
}

async fn seal_events(store: Store, mut stopped: watch::Receiver<bool>) {
    let (mut ticks, mut complaint) = (interval(SEAL_INTERVAL), LogOnce::default());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopped.wait_for(|is_stopped| *is_stopped) => {}
        }
        // Read before sealing, so that everything written until the stop is sealed.
        let is_last = *stopped.borrow();
        while complaint.note(seal(&store, clock::now()).await, "cannot seal audit events").unwrap_or(false) {
            if *stopped.borrow() {
                break;
            }
        }
        if is_last {
            return;
        }
    }
}

async fn expire_keys(store: Store) {
    let (mut is_first, mut ticks) = (true, interval(EXPIRY_INTERVAL));
    loop {
        ticks.tick().await;
        match store.forget_idempotency_keys(clock::now()).await {
            Ok(0) => {}
            Ok(forgotten) => tracing::info!(forgotten, "deleted expired idempotency keys"),
            Err(error) => tracing::warn!(%error, "cannot delete expired idempotency keys"),
        }
        // On the first pass, this also removes what was erased before the server was last killed.
        if (is_first || store.is_unclean()) && !matches!(store.clean().await, Ok(true)) {
            tracing::info!("erased data is still in the write-ahead log");
        }
        is_first = false;
        if let Err(error) = store.complete_directories().await {
            tracing::warn!(%error, "cannot record objects created by older servers");
        }
        if let Err(error) = store.complete_ledger(Some(clock::now() - LEDGER_WINDOW)).await {
            tracing::error!(%error, "cannot complete the erasure ledger");
        }
    }
}
