//! Background tasks of a server.
//!
//! What belongs to an organization is a [job](crate::store::operation::jobs), which the servers on a database share.
//! What is left to the clock of each server belongs to the server or to the whole database: removing erased bytes from
//! files, analyzing tables, completing directories and the erasure ledger, indexing attributes written by an older
//! server. So is sealing audit events, which is due every 2 seconds: as jobs it would cost each organization writes even
//! when it has nothing to seal.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

use crate::{Error, Result, clock, store::Store};

/// Interval of removing erased bytes and of completing directories and the erasure ledger.
const COMPLETION_INTERVAL: Duration = Duration::from_mins(10);
/// How far back the periodic completion of the erasure ledger goes; at startup, the whole ledger is completed.
const LEDGER_WINDOW: TimeDelta = TimeDelta::days(1);
/// Interval of sealing audit events; each event is sealed within 10 seconds.
const SEAL_INTERVAL: Duration = Duration::from_secs(2);
/// Interval of indexing attributes written by an older server and of analyzing tables without statistics.
const ANALYSIS_INTERVAL: Duration = Duration::from_secs(5);
/// Interval of looking for jobs that are due or missing.
const JOB_INTERVAL: Duration = Duration::from_secs(5);
/// Interval of counting jobs for the metrics.
const MEASURE_INTERVAL: Duration = Duration::from_secs(30);

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

/// Starts the background tasks: plans and runs jobs, seals events, removes erased bytes from the files, indexes attributes
/// written by an older server, and analyzes new tables. Every replica may run them.
pub fn start(store: Store) -> Housekeeping {
    tokio::spawn(complete(store.clone()));
    tokio::spawn(analyze(store.clone()));
    tokio::spawn(run_jobs(store.clone()));
    tokio::spawn(measure_jobs(store.clone()));
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

async fn run_jobs(store: Store) {
    let (mut ticks, mut planning, mut running) = (interval(JOB_INTERVAL), LogOnce::default(), LogOnce::default());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => drop(planning.note(store.plan_jobs(clock::now()).await, "cannot plan jobs")),
            () = store.job_begins() => {}
        }
        running.note(store.run_jobs(clock::now).await, "cannot look for jobs");
    }
}

async fn measure_jobs(store: Store) {
    let (mut ticks, mut complaint) = (interval(MEASURE_INTERVAL), LogOnce::default());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        complaint.note(store.measure_jobs().await, "cannot count jobs");
    }
}

async fn analyze(store: Store) {
    let mut ticks = interval(ANALYSIS_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = store.read_attributes().await {
            tracing::warn!(%error, "cannot index attributes written by an older server");
        }
        if let Err(error) = store.analyze_new_tables().await {
            tracing::warn!(%error, "cannot analyze new tables");
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

async fn complete(store: Store) {
    let (mut is_first, mut ticks) = (true, interval(COMPLETION_INTERVAL));
    loop {
        ticks.tick().await;
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
