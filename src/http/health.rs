//! Whether this process lives, and whether it should be sent requests.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::{failure::Refusal, media::Media};
use crate::store::Store;

/// How long the database may take to answer before this process counts as not ready.
const PATIENCE: Duration = Duration::from_secs(1);

/// What health is told by.
#[derive(Clone)]
pub struct Health {
    store: Store,
    draining: Arc<AtomicBool>,
}

impl Health {
    pub fn new(store: Store) -> Self {
        Self { store, draining: Arc::default() }
    }

    /// From now on this process is not ready: it finishes what it has begun.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }
}

/// The process answers.
pub async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// The process can do its work.
pub async fn ready(health: web::Data<Health>) -> HttpResponse {
    if health.draining.load(Ordering::Relaxed) {
        return Refusal::unavailable("shutting down").respond(Media::Json);
    }
    match tokio::time::timeout(PATIENCE, health.store.ping()).await {
        Ok(Ok(())) => HttpResponse::Ok().json(json!({ "status": "ok" })),
        Ok(Err(_)) | Err(_) => Refusal::unavailable("the database does not answer").respond(Media::Json),
    }
}
