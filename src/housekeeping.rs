//! What a server does on its own while it serves.

use std::time::Duration;

use crate::{clock, store::Store};

/// How often idempotency keys are looked through.
const INTERVAL: Duration = Duration::from_secs(600);

/// Forgets expired idempotency keys from now on, until the runtime ends. Every replica may do it.
pub fn start(store: Store) {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(INTERVAL);
        loop {
            ticks.tick().await;
            match store.forget_idempotency_keys(clock::now()).await {
                Ok(0) => {}
                Ok(forgotten) => tracing::info!(forgotten, "forgot expired idempotency keys"),
                Err(error) => tracing::warn!(%error, "expired idempotency keys could not be forgotten"),
            }
        }
    });
}
