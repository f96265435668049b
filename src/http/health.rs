//! The liveness and readiness endpoints.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use actix_web::{HttpResponse, web};
use serde_json::json;
use tokio::{sync::watch, time::MissedTickBehavior};

use super::{error_response::ErrorResponse, request::media::Media};
use crate::store::Store;

/// Interval between pings of the database.
const INTERVAL: Duration = Duration::from_secs(1);
/// Timeout of a ping. While a database is slow to accept connections, a shorter timeout would never let one succeed.
const TIMEOUT: Duration = Duration::from_secs(3);
/// How long the database may be silent before this process reports that it is not ready. A restart of the database
/// does not take every replica out of rotation at once.
const AWAY: Duration = Duration::from_secs(5);

/// The state behind the health endpoints.
#[derive(Clone)]
pub struct Health {
    store: Store,
    draining: Arc<watch::Sender<bool>>,
    answered: Arc<Mutex<Option<Instant>>>,
}

impl Health {
    pub fn new(store: Store) -> Self {
        Self { store, draining: Arc::default(), answered: Arc::default() }
    }

    /// Makes this process report that it is not ready; requests in progress still finish.
    pub fn drain(&self) {
        self.draining.send_replace(true);
    }

    pub fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// Waits until this process drains.
    pub async fn drained(&self) {
        // The sender lives as long as `self`.
        let _ = self.draining.subscribe().wait_for(|is_draining| *is_draining).await;
    }

    /// Pings the database at a fixed interval. Never returns; ends with the runtime it runs on.
    pub async fn keep_asking(self) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.ask().await;
        }
    }

    async fn ask(&self) {
        if let Ok(Ok(())) = tokio::time::timeout(TIMEOUT, self.store.ping()).await {
            *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }

    /// Time since the database last answered a ping; `None` if it never has.
    fn silence(&self) -> Option<Duration> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner).map(|answered| answered.elapsed())
    }
}

/// Liveness: the process is able to answer.
pub async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// Readiness: the process can serve requests. Overload does not make it unready: the database is pinged in the
/// background, and this endpoint reports the last known result.
pub async fn ready(health: web::Data<Health>) -> HttpResponse {
    if health.is_draining() {
        return ErrorResponse::unavailable("shutting down").respond(Media::Json);
    }
    if health.silence().is_none() {
        health.ask().await;
    }
    match health.silence() {
        Some(silence) if silence < AWAY => HttpResponse::Ok().json(json!({ "status": "ok" })),
        _ => ErrorResponse::unavailable("the database does not respond").respond(Media::Json),
    }
}
