//! Whether this process lives, and whether it should be sent requests.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use actix_web::{HttpResponse, web};
use serde_json::json;
use tokio::time::MissedTickBehavior;

use super::{error_response::ErrorResponse, request::media::Media};
use crate::store::Store;

/// How often the database is asked.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long it may take to answer. While it is slow to let anybody in, giving up soon would mean never to get in.
const TIMEOUT: Duration = Duration::from_secs(3);
/// How long the database may be away before this process counts as not ready. A restart of it does not take every
/// replica out at once.
const AWAY: Duration = Duration::from_secs(5);

/// What health is told by.
#[derive(Clone)]
pub struct Health {
    store: Store,
    draining: Arc<AtomicBool>,
    answered: Arc<Mutex<Option<Instant>>>,
}

impl Health {
    pub fn new(store: Store) -> Self {
        Self { store, draining: Arc::default(), answered: Arc::default() }
    }

    /// From now on this process is not ready: it finishes what it has begun.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Asks the database again and again. Ends with the runtime it runs on.
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

    /// Since when the database has not answered; none if it was never asked.
    fn silence(&self) -> Option<Duration> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner).map(|answered| answered.elapsed())
    }
}

/// The process answers.
pub async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// The process can do its work. Too much of it does not make it unable: the database is asked beside the work, and
/// whoever asks here is told what is known.
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
