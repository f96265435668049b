//! What a server does on its own while it serves.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

use crate::{Result, clock, store::Store};

/// How often idempotency keys are looked through.
const FORGETTING: Duration = Duration::from_mins(10);
/// How often events are sealed: each is within 10 seconds.
const SEALING: Duration = Duration::from_secs(2);

/// How often rows are looked for that no writer has counted.
const COUNTING: Duration = Duration::from_secs(5);

/// Work under way.
#[derive(Debug)]
pub struct Housekeeping {
    stop: watch::Sender<bool>,
    sealing: JoinHandle<()>,
}

/// Forgets expired idempotency keys, gets erased bytes out of the files, seals events, counts weeks and
/// reads attributes that an older server wrote from now on. Every replica may do it.
pub fn start(store: Store) -> Housekeeping {
    tokio::spawn(keep_forgetting(store.clone()));
    tokio::spawn(keep_counting(store.clone()));
    let (stop, stopped) = watch::channel(false);
    Housekeeping { stop, sealing: tokio::spawn(keep_sealing(store, stopped)) }
}

impl Housekeeping {
    /// Seals what was written last, and ends.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.sealing.await {
            tracing::warn!(%error, "sealing events ended early");
        }
    }
}

/// Seals the next events of every organization that has any; each organization by itself. Answers whether there may
/// be more.
pub async fn seal(store: &Store, now: DateTime<Utc>) -> Result<bool> {
    let mut has_more = false;
    for organization in store.unsealed().await? {
        match store.seal(organization, now).await {
            Ok(more) => has_more |= more,
            Err(error) => tracing::warn!(%error, organization = %organization.0, "events could not be sealed"),
        }
    }
    Ok(has_more)
}

/// Counts the next weeks of every organization that has rows which are not counted yet. Answers whether there may be more.
pub async fn count_weeks(store: &Store) -> Result<bool> {
    let mut has_more = false;
    for organization in store.uncounted().await? {
        match store.count_weeks(organization).await {
            Ok(more) => has_more |= more,
            Err(error) => tracing::warn!(%error, organization = %organization.0, "weeks could not be counted"),
        }
    }
    Ok(has_more)
}

async fn keep_counting(store: Store) {
    let mut ticks = interval(COUNTING);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = store.read_attributes().await {
            tracing::warn!(%error, "attributes that an older server wrote could not be read");
        }
        loop {
            match count_weeks(&store).await {
                Ok(true) => tokio::task::yield_now().await,
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%error, "organizations with weeks to count could not be found");
                    break;
                }
            }
        }
    }
}

async fn keep_sealing(store: Store, mut stopped: watch::Receiver<bool>) {
    let mut ticks = interval(SEALING);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopped.wait_for(|is_stopped| *is_stopped) => {}
        }
        // Asked before, so that what was written until the stop is sealed.
        let is_last = *stopped.borrow();
        loop {
            match seal(&store, clock::now()).await {
                Ok(true) if !*stopped.borrow() => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(%error, "organizations with events to seal could not be found");
                    break;
                }
            }
        }
        if is_last {
            return;
        }
    }
}

async fn keep_forgetting(store: Store) {
    let (mut is_first, mut ticks) = (true, interval(FORGETTING));
    loop {
        ticks.tick().await;
        match store.forget_idempotency_keys(clock::now()).await {
            Ok(0) => {}
            Ok(forgotten) => tracing::info!(forgotten, "forgot expired idempotency keys"),
            Err(error) => tracing::warn!(%error, "expired idempotency keys could not be forgotten"),
        }
        // The first time, whatever was erased before the server was last killed.
        if (is_first || store.is_unclean()) && !matches!(store.clean().await, Ok(true)) {
            tracing::info!("what was erased is still in the write-ahead log");
        }
        is_first = false;
        if let Err(error) = store.complete_ledger().await {
            tracing::error!(%error, "the erasure ledger could not be completed");
        }
    }
}
