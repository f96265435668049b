//! Sends messages: looks every second which endpoints have something to do. Each is sent at most 16 messages at a time, and
//! one that fails a single one, so that an endpoint that does not answer delays no other.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};
use sea_orm::prelude::Uuid;
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use super::{
    attempt::{Attempt, take_due},
    follow::follow,
};
use crate::{
    Result,
    auth::Actor,
    store::{Scope, Store, operation::BusyEndpoint},
};

/// How often the database is asked for work.
const INTERVAL: Duration = Duration::from_secs(1);
/// Maximum number of messages on the way to an endpoint.
pub(super) const IN_FLIGHT: usize = 16;
/// Maximum number of messages on the way to an endpoint whose last attempt failed.
const IN_FLIGHT_FAILING: usize = 1;
/// Maximum number of messages that this server sends at a time.
const MAX_SENDING: usize = 512;
/// Subject that the audit log names when an endpoint is disabled.
const SUBJECT: &str = "webhooks";
/// Number of endpoints that this server looks after at a time.
const AT_ONCE: usize = 8;

/// Sends the messages of a database.
pub struct Dispatcher<Clock> {
    store: Store,
    now: Clock,
    sends: JoinSet<()>,
    /// Number of passes, by which endpoints take turns.
    turn: usize,
    /// Number of messages on the way by endpoint.
    sending: Arc<Mutex<HashMap<Uuid, usize>>>,
}

impl<Clock: Fn() -> DateTime<Utc> + Clone + Send + Sync + 'static> Dispatcher<Clock> {
    /// Creates a dispatcher. `now` tells the time of each step.
    pub fn new(store: Store, now: Clock) -> Self {
        Self { store, now, sends: JoinSet::new(), turn: 0, sending: Arc::default() }
    }

    /// Makes the deliveries of the next changes and begins to send what is due. Returns whether anything was begun.
    pub async fn pass(&mut self) -> Result<bool> {
        while self.sends.try_join_next().is_some() {}
        let mut busy = self.store.busy_endpoints((self.now)()).await?;
        let free = MAX_SENDING.saturating_sub(self.sends.len());
        // Not the same ones each time, if there is no room for all.
        self.turn = self.turn.wrapping_add(1);
        let first = self.turn % busy.len().max(1);
        busy.rotate_left(first);
        busy.truncate(free);
        // Each has its share, so that those that do not answer leave room for the others.
        let share = (free / busy.len().max(1)).clamp(1, IN_FLIGHT);
        let this = &*self;
        let work = busy.into_iter().map(|endpoint| async move {
            let work = this.work(endpoint, share).await;
            work.unwrap_or_else(|error| {
                tracing::warn!(%error, source = std::error::Error::source(&error),
                    organization = %endpoint.organization.0, endpoint = %endpoint.id, "cannot look after a webhook endpoint");
                (false, Vec::new())
            })
        });
        let begun: Vec<(bool, Vec<(Scope, Attempt)>)> = stream::iter(work).buffer_unordered(AT_ONCE).collect().await;
        let has_begun = begun.iter().any(|(has_followed, attempts)| *has_followed || !attempts.is_empty());
        for (scope, attempt) in begun.into_iter().flat_map(|(_, attempts)| attempts) {
            self.send(scope, attempt);
        }
        Ok(has_begun)
    }

    /// Waits until every message on the way has been answered.
    pub async fn finish(&mut self) {
        while self.sends.join_next().await.is_some() {}
    }

    /// Follows the changes for an endpoint, and takes what is due for it. Returns whether there were changes.
    async fn work(&self, endpoint: BusyEndpoint, share: usize) -> Result<(bool, Vec<(Scope, Attempt)>)> {
        let actor = Actor { subject: SUBJECT.to_owned(), ..Actor::operator(endpoint.organization) };
        let scope = self.store.scope(actor, (self.now)());
        let has_followed = endpoint.is_behind && follow(&scope, endpoint.id).await?;
        let most = if endpoint.is_failing { IN_FLIGHT_FAILING } else { IN_FLIGHT };
        let sending = self.sending.lock().unwrap_or_else(PoisonError::into_inner).get(&endpoint.id).copied();
        let left = most.saturating_sub(sending.unwrap_or(0)).min(share);
        if left == 0 {
            return Ok((has_followed, Vec::new()));
        }
        let attempts = take_due(&scope, endpoint.id, left, most).await?;
        Ok((has_followed, attempts.into_iter().map(|attempt| (scope.clone(), attempt)).collect()))
    }

    /// Sends a message in a task of its own.
    fn send(&mut self, scope: Scope, attempt: Attempt) {
        let place = Sending::begin(&self.sending, attempt.endpoint());
        let (store, now) = (self.store.clone(), self.now.clone());
        self.sends.spawn(async move {
            let _place = place;
            let done = async {
                let body = attempt.body(&scope).await?;
                let answer = attempt.send(scope.outbound()?, body, now()).await;
                let scope = store.scope(scope.actor().clone(), now());
                attempt.record(&scope, answer).await
            };
            if let Err(error) = done.await {
                // The lease ends, and the message is sent again.
                tracing::warn!(%error, source = std::error::Error::source(&error), "cannot record the delivery of a message");
            }
        });
    }
}

/// A message on the way, which counts until this is dropped.
struct Sending {
    all: Arc<Mutex<HashMap<Uuid, usize>>>,
    endpoint: Uuid,
}

impl Sending {
    fn begin(all: &Arc<Mutex<HashMap<Uuid, usize>>>, endpoint: Uuid) -> Self {
        *all.lock().unwrap_or_else(PoisonError::into_inner).entry(endpoint).or_default() += 1;
        Self { all: Arc::clone(all), endpoint }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.endpoint) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.endpoint);
            }
        }
    }
}

/// Sends messages until the process ends. What is on the way then is sent again after its lease.
pub async fn run(store: Store, now: fn() -> DateTime<Utc>) {
    let (mut dispatcher, mut ticks, mut is_logged) = (Dispatcher::new(store, now), interval(INTERVAL), false);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        loop {
            match dispatcher.pass().await {
                Ok(true) => is_logged = false,
                Ok(false) => break,
                Err(error) => {
                    if !std::mem::replace(&mut is_logged, true) {
                        tracing::warn!(%error, "cannot look for webhooks; further failures are not logged");
                    }
                    break;
                }
            }
        }
    }
}
