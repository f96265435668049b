//! A running subscription: waits for changes, and runs a step of its operation as its caller, who is authenticated again
//! each time.

use std::time::Duration;

use actix_web::web;
use async_graphql::Response;
use tokio::{
    select,
    time::{Instant, sleep},
};

use super::{Slot, watcher::Watch};
use crate::{
    Error, Result,
    auth::Actor,
    graphql::{
        documents::document::PreparedOperation,
        execution::subscription::Subscribed,
        failure::{self, error_of, server_error},
    },
    http::{
        error_response::ErrorResponse,
        health::Health,
        request::body_memory::Room,
        response::{has_no_data, json, refused},
        started::TOO_MUCH,
        transfer::{Failure, Transfer},
    },
    runtime,
    store::Scope,
};

/// Interval of authenticating the caller of a stream that has nothing to send. Revoked tokens are known after 5 s, so that a
/// stream ends within 10 s.
pub(super) const CHECK: Duration = Duration::from_secs(3);
/// Interval of showing the client and proxies that a stream with nothing to send is alive.
const BEAT: Duration = Duration::from_secs(12);

/// A request for a subscription.
pub(in crate::http) struct Request {
    pub transfer: Transfer,
    pub health: web::Data<Health>,
    pub actor: Actor,
    /// The id of the HTTP request.
    pub id: String,
    /// The memory of the variables.
    pub room: Room,
    /// Whether the first step may wait for points and for room on the server, as later ones do.
    pub is_patient: bool,
}

/// A running subscription.
pub(in crate::http) struct Subscription {
    transfer: Transfer,
    health: web::Data<Health>,
    /// The id of the HTTP request.
    request: String,
    subscribed: Subscribed,
    watch: Watch,
    /// What was found by the first step.
    first: Option<Sent>,
    beat: Instant,
    _held: (Slot, Room),
}

/// What a stream sends.
pub(in crate::http) enum Sent {
    /// A response as JSON.
    Event(Vec<u8>),
    /// A response as JSON after which the stream is complete.
    Last(Vec<u8>),
    /// A sign of life.
    Beat,
}

/// Why a stream breaks off; the client may resume it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum End {
    /// The server shuts down.
    Draining,
    /// The token was revoked or has expired.
    Unauthenticated,
    /// The server or the database has no room, or the caller no points.
    Overloaded,
}

impl Request {
    /// Begins a subscription and runs its first step. `Err` if it may not begin, or with the response if the operation is
    /// invalid.
    pub async fn subscribe(self, prepared: PreparedOperation) -> Result<Result<Subscription, Response>, ErrorResponse> {
        let Self { transfer, health, actor, id, room, is_patient } = self;
        let state = &transfer.state;
        let subscribed = match prepared.subscribe(&state.app.schema).await {
            Ok(subscribed) => subscribed,
            Err(mut response) => {
                failure::publish(&mut response, &id);
                return Ok(Err(response));
            }
        };
        let slot = state.streams.stream(&actor);
        let slot = slot.ok_or_else(|| ErrorResponse::rate_limited_because("too many streams; end one of them", 1))?;
        let mut watch = state.streams.watcher.watch(actor.organization);
        watch.seen();
        let first = async |scope: &Scope| step(&subscribed, scope).await;
        let begun = if is_patient { transfer.another(first).await } else { transfer.first(&actor, first).await };
        let (request, beat, held) = (id, Instant::now(), (slot, room));
        let mut subscription =
            Subscription { transfer, health, request, subscribed, watch, first: None, beat, _held: held };
        let first = match begun {
            Ok(response) => response,
            Err(Failure::Failed(error)) => Some(refused(server_error(error))),
            Err(Failure::Points(seconds)) => return Err(ErrorResponse::rate_limited(seconds)),
            Err(Failure::Overloaded) => return Err(ErrorResponse::overloaded(TOO_MUCH)),
            Err(Failure::Ended(refusal)) => return Err(*refusal),
        };
        subscription.first = Some(first.map_or(Sent::Beat, |response| subscription.sent(response)));
        Ok(Ok(subscription))
    }
}

/// Runs a step. `Err` if it may be tried again: its position has not moved.
async fn step(subscribed: &Subscribed, scope: &Scope) -> Result<Option<Response>> {
    let response = subscribed.step(scope).await;
    let error =
        response.as_ref().filter(|response| has_no_data(&response.data)).and_then(|response| response.errors.first());
    match error.map(error_of) {
        Some(error @ (Error::Unavailable | Error::Collision)) => Err(error),
        _ => Ok(response),
    }
}

impl Subscription {
    /// Waits for what is sent next. `Err` if the stream breaks off.
    pub async fn next(&mut self) -> Result<Sent, End> {
        if let Some(first) = self.first.take() {
            return Ok(first);
        }
        let home = self.transfer.state.home.clone();
        let health = self.health.clone();
        // The database connections and timers of a step belong to a runtime that outlives that of this thread.
        runtime::enter(&home, async {
            select! {
                biased;
                () = health.drained() => Err(End::Draining),
                sent = self.found() => sent,
            }
        })
        .await
    }

    async fn found(&mut self) -> Result<Sent, End> {
        loop {
            // Also while there are changes of which none is told.
            if self.beat.elapsed() >= BEAT {
                self.beat = Instant::now();
                return Ok(Sent::Beat);
            }
            if !self.subscribed.has_more() && !self.wait().await? {
                continue;
            }
            self.watch.seen();
            let subscribed = &self.subscribed;
            match self.transfer.another(async |scope| step(subscribed, scope).await).await {
                Ok(Some(response)) => {
                    self.beat = Instant::now();
                    return Ok(self.sent(response));
                }
                Ok(None) => {}
                Err(Failure::Ended(_)) => return Err(End::Unauthenticated),
                Err(
                    Failure::Points(_) | Failure::Overloaded | Failure::Failed(Error::Unavailable | Error::Collision),
                ) => {
                    return Err(End::Overloaded);
                }
                Err(Failure::Failed(error)) => return Ok(self.sent(refused(server_error(error)))),
            }
        }
    }

    /// Waits for a change; returns false if there was none for a while and the caller is still known.
    async fn wait(&mut self) -> Result<bool, End> {
        select! {
            () = self.watch.changed() => return Ok(true),
            () = sleep(CHECK) => {}
        }
        match self.transfer.actor().await {
            Err(Failure::Ended(_)) => Err(End::Unauthenticated),
            // What cannot be determined now is determined before anything is sent.
            _ => Ok(false),
        }
    }

    /// Returns a response as it is sent. A response without data is the last one.
    fn sent(&self, mut response: Response) -> Sent {
        failure::publish(&mut response, &self.request);
        let (text, is_complete) = json(&response, self.transfer.state.limits.response_bytes(false));
        if is_complete && !has_no_data(&response.data) { Sent::Event(text) } else { Sent::Last(text) }
    }
}
