//! What a server does on its own while it serves.

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

/// How often idempotency keys are looked through.
const EXPIRY_INTERVAL: Duration = Duration::from_mins(10);
/// How far back the ledger of erasures is completed meanwhile: all of it is when the server starts.
const LEDGER_WINDOW: TimeDelta = TimeDelta::days(1);
/// How often events are sealed: each is within 10 seconds.
const SEAL_INTERVAL: Duration = Duration::from_secs(2);

/// How often rows are looked for that no writer has counted, and tables without statistics.
const COUNT_INTERVAL: Duration = Duration::from_secs(5);

/// How often jobs are looked for whose server has died.
const JOB_INTERVAL: Duration = Duration::from_secs(5);
/// How long a job stands still before another server goes on with it.
const STALLED_AFTER: TimeDelta = TimeDelta::seconds(15);
/// What work that is tried again and again tells the log: that it fails, once, until it has succeeded.
#[derive(Debug, Default)]
struct LogOnce {
    is_told: bool,
}

impl LogOnce {
    /// Notes how it went. A database that is away is told of where it is asked.
    fn note<T>(&mut self, done: Result<T>, what: &str) -> Option<T> {
        let error = match done {
            Ok(done) => {
                self.is_told = false;
                return Some(done);
            }
            Err(error) => error,
        };
        if !self.is_told {
            self.is_told = true;
            tracing::warn!(%error, "{what}; further failures are not logged");
        }
        None
    }
}

/// Work under way.
#[derive(Debug)]
pub struct Housekeeping {
    stop: watch::Sender<bool>,
    sealing: JoinHandle<()>,
}

/// Forgets expired idempotency keys, gets erased bytes out of the files, goes on with jobs, seals events, counts weeks,
/// reads attributes that an older server wrote and analyzes new tables from now on. Every replica may do it.
pub fn start(store: Store) -> Housekeeping {
    tokio::spawn(expire_keys(store.clone()));
    tokio::spawn(complete_derived_data(store.clone()));
    tokio::spawn(run_jobs(store.clone()));
    let (stop, stopped) = watch::channel(false);
    Housekeeping { stop, sealing: tokio::spawn(seal_events(store, stopped)) }
}

impl Housekeeping {
    /// Seals what was written last, and ends.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.sealing.await {
            tracing::warn!(%error, "sealing audit events stopped early");
        }
    }
}

/// Seals the next events of every organization that has any; each organization by itself. Answers whether there may
/// be more; [`Error::Unavailable`] if some organization's could not be, after all others.
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

/// Counts the next weeks of every organization that has rows which are not counted yet. Answers whether there may be more.
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

/// Takes the next steps of jobs, in turns, until those that began here or stood still are done or must wait.
pub async fn step_jobs(store: &Store) -> Result<()> {
    let mut jobs = store.jobs(clock::now() - STALLED_AFTER).await?;
    while !jobs.is_empty() {
        let mut going = Vec::new();
        for (organization, job) in jobs {
            match store.step(organization, job, clock::now()).await {
                Ok(StepResult::On) => going.push((organization, job)),
                Ok(StepResult::Waits | StepResult::Done) => {}
                // Gone on with when it has stood still.
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
        // Asked before, so that what was written until the stop is sealed.
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
        // The first time, whatever was erased before the server was last killed.
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
