//! Whose tokens are refused, and what API clients may spend, as the database last said: asked on a connection of its own, by
//! one task at a time.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::OrganizationId;
use tokio::{sync::Mutex, time::timeout};

use super::limits::rate_limit::Own;
use crate::{
    Error, Result,
    auth::revoked::RevokedTokens,
    clock,
    store::{Store, operation::auth_queries::ClientQuota},
};

/// How often each server asks.
const POLL: Duration = Duration::from_secs(5);
/// How old the last answer may be. Nobody is let in on an older one.
const OLDEST: TimeDelta = TimeDelta::seconds(10);
/// How long a caller waits for an answer.
const TIMEOUT: Duration = Duration::from_millis(800);
/// For so long after a failure callers are told at once instead of one after the other.
const PAUSE: Duration = Duration::from_millis(500);

/// What is known of it.
#[derive(Clone)]
pub(super) struct RevocationCache(Arc<Inner>);

struct Inner {
    store: Store,
    known: RwLock<Option<(DateTime<Utc>, Arc<RevokedTokens>)>>,
    /// What those clients may spend that have a limit of their own.
    quotas: RwLock<HashMap<OrganizationId, HashMap<String, Own>>>,
    failed: RwLock<Option<Instant>>,
    turn: Arc<Mutex<()>>,
}

impl RevocationCache {
    /// Nothing is asked yet.
    pub fn new(store: Store) -> Self {
        let (known, quotas, failed) = (RwLock::default(), RwLock::default(), RwLock::default());
        Self(Arc::new(Inner { store, known, quotas, failed, turn: Arc::default() }))
    }

    /// Whose tokens are refused, by an answer that is young enough; `Unavailable` if there is none soon.
    pub async fn revocations(&self, now: DateTime<Utc>) -> Result<Arc<RevokedTokens>> {
        if let Some(known) = self.0.known(now) {
            return Ok(known);
        }
        if self.0.has_just_failed() {
            return Err(Error::Unavailable);
        }
        if timeout(TIMEOUT, self.ask(now)).await.is_err() {
            self.0.fails();
        }
        self.0.known(now).ok_or(Error::Unavailable)
    }

    /// What a client may spend, as the database last said.
    pub fn own_quota(&self, organization: OrganizationId, client: &str) -> Own {
        let quotas = self.0.quotas.read().unwrap_or_else(PoisonError::into_inner);
        quotas.get(&organization).and_then(|clients| clients.get(client)).copied().unwrap_or_default()
    }

    /// Asks unless somebody just has, in a task of its own: after an outage a connection may take longer to be made than a
    /// caller may wait, and if each began it anew, none would ever be made.
    async fn ask(&self, now: DateTime<Utc>) {
        let turn = Arc::clone(&self.0.turn).lock_owned().await;
        // Who waited for the first of them has its answer.
        if self.0.known(now).is_some() || self.0.has_just_failed() {
            return;
        }
        let inner = Arc::clone(&self.0);
        let asked = tokio::spawn(async move {
            let asked = inner.poll(now).await;
            drop(turn);
            asked
        });
        if let Ok(Err(error)) = asked.await {
            away(&error);
        }
    }

    /// Asks, whatever is known.
    pub async fn poll(&self, now: DateTime<Utc>) -> Result<()> {
        let _turn = self.0.turn.lock().await;
        self.0.poll(now).await
    }

    /// Asks again and again, more often while there is no answer. Ends with the runtime it runs on.
    pub async fn keep_polling(self) {
        loop {
            let asked = self.poll(clock::now()).await;
            tokio::time::sleep(if asked.is_ok() { POLL } else { PAUSE }).await;
            if let Err(error) = asked {
                tracing::warn!(%error, "cannot refresh the list of revoked tokens");
            }
        }
    }
}

impl Inner {
    async fn poll(&self, now: DateTime<Utc>) -> Result<()> {
        let asked = async { Ok((self.store.revocations(now).await?, self.store.client_quotas().await?)) };
        match asked.await {
            Ok((withdrawn, quotas)) => {
                let mut known = HashMap::<OrganizationId, HashMap<String, Own>>::new();
                for ClientQuota { organization, client, points, per_second } in quotas {
                    known.entry(organization).or_default().insert(client, Own { points, per_second });
                }
                *self.quotas.write().unwrap_or_else(PoisonError::into_inner) = known;
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::new(withdrawn)));
                *self.failed.write().unwrap_or_else(PoisonError::into_inner) = None;
                Ok(())
            }
            Err(error) => {
                self.fails();
                Err(error)
            }
        }
    }

    fn fails(&self) {
        *self.failed.write().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn has_just_failed(&self) -> bool {
        let failed = self.failed.read().unwrap_or_else(PoisonError::into_inner);
        failed.is_some_and(|failed| failed.elapsed() < PAUSE)
    }

    fn known(&self, now: DateTime<Utc>) -> Option<Arc<RevokedTokens>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let young = known.as_ref().filter(|(read, _)| (now - *read).abs() < OLDEST);
        young.map(|(_, withdrawn)| Arc::clone(withdrawn))
    }
}

/// While the database is away nobody can be told from anybody; its own words are for the log.
pub(super) fn away(error: &Error) -> Error {
    tracing::warn!(%error, "cannot verify a token");
    Error::Unavailable
}
