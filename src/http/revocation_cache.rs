//! Caches the revoked tokens and the limits of API clients, as last read from the database. One task at a
//! time reads them, on the control connection.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::OrganizationId;
use tokio::{sync::Mutex, time::timeout};

use super::limits::rate_limit::OwnQuota;
use crate::{
    Error, Result,
    auth::revoked::RevokedTokens,
    clock,
    store::{Store, operation::auth_queries::ClientLimits},
};

/// Interval between polls of each server.
const POLL: Duration = Duration::from_secs(5);
/// Maximum age of the cached data. No token is accepted on older data.
const OLDEST: TimeDelta = TimeDelta::seconds(10);
/// Maximum time that a caller waits for the database.
const TIMEOUT: Duration = Duration::from_millis(800);
/// Time after a failure in which callers get an error at once instead of waiting one after another.
const PAUSE: Duration = Duration::from_millis(500);

/// The cache, shared between its clones.
#[derive(Clone)]
pub(super) struct RevocationCache(Arc<Inner>);

/// The revocations as last read.
struct Known {
    read_at: DateTime<Utc>,
    /// How many organizations this server had closed before.
    closings: u64,
    withdrawn: Arc<RevokedTokens>,
}

/// What an API client may do that is other than the default.
#[derive(Clone, Copy, Default)]
struct OwnLimits {
    quota: OwnQuota,
    is_trusted_documents_only: bool,
}

struct Inner {
    store: Store,
    known: RwLock<Option<Known>>,
    /// The limits of clients that have their own.
    limits: RwLock<HashMap<OrganizationId, HashMap<String, OwnLimits>>>,
    failed: RwLock<Option<Instant>>,
    turn: Arc<Mutex<()>>,
}

impl RevocationCache {
    /// Creates an empty cache.
    pub fn new(store: Store) -> Self {
        let (known, limits, failed) = (RwLock::default(), RwLock::default(), RwLock::default());
        Self(Arc::new(Inner { store, known, limits, failed, turn: Arc::default() }))
    }

    /// Returns the revoked tokens from recent enough data, read if necessary; `Unavailable` if the database does not
    /// answer in time.
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

    /// Returns a client's own quota, as last read from the database.
    pub fn own_quota(&self, organization: OrganizationId, client: &str) -> OwnQuota {
        self.own_limits(organization, client).quota
    }

    /// Returns whether a client may send trusted documents only, as last read from the database.
    pub fn is_trusted_documents_only(&self, organization: OrganizationId, client: &str) -> bool {
        self.own_limits(organization, client).is_trusted_documents_only
    }

    fn own_limits(&self, organization: OrganizationId, client: &str) -> OwnLimits {
        let limits = self.0.limits.read().unwrap_or_else(PoisonError::into_inner);
        limits.get(&organization).and_then(|clients| clients.get(client)).copied().unwrap_or_default()
    }

    /// Reads the data unless another task just has. Runs as a separate task: after an outage, a connection may take
    /// longer to establish than a caller may wait; if every caller started over, none would ever be established.
    async fn ask(&self, now: DateTime<Utc>) {
        let turn = Arc::clone(&self.0.turn).lock_owned().await;
        // The task that held the lock before may already have read the data.
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

    /// Reads the data, regardless of the age of the cached data.
    pub async fn poll(&self, now: DateTime<Utc>) -> Result<()> {
        let _turn = self.0.turn.lock().await;
        self.0.poll(now).await
    }

    /// Polls the database at an interval, a shorter one after a failure. Never returns; ends with the runtime.
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
        let closings = self.store.closings();
        let asked = async { Ok((self.store.revocations(now).await?, self.store.client_limits().await?)) };
        match asked.await {
            Ok((withdrawn, limits)) => {
                let mut known = HashMap::<OrganizationId, HashMap<String, OwnLimits>>::new();
                for ClientLimits { organization, client, points, per_second, is_trusted_documents_only } in limits {
                    let own = OwnLimits { quota: OwnQuota { points, per_second }, is_trusted_documents_only };
                    known.entry(organization).or_default().insert(client, own);
                }
                *self.limits.write().unwrap_or_else(PoisonError::into_inner) = known;
                *self.known.write().unwrap_or_else(PoisonError::into_inner) =
                    Some(Known { read_at: now, closings, withdrawn: Arc::new(withdrawn) });
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
        let is_current =
            |known: &&Known| (now - known.read_at).abs() < OLDEST && known.closings == self.store.closings();
        let current = known.as_ref().filter(is_current);
        current.map(|known| Arc::clone(&known.withdrawn))
    }
}

/// Logs the error and returns `Unavailable`: the details are not for the client.
pub(super) fn away(error: &Error) -> Error {
    tracing::warn!(%error, "cannot verify a token");
    Error::Unavailable
}
