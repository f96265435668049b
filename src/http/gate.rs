//! Who gets in: tokens of the built-in issuer and of others, unless what they stand for was withdrawn.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Mutex;

use crate::{
    Error, Result,
    auth::{
        Actor, Proof,
        claims::{self, MOST_BYTES},
        external::External,
        proofs::{Proofs, fingerprint},
        tokens::Tokens,
        withdrawn::Withdrawn,
    },
    clock,
    store::Store,
};

/// How often each server asks whose tokens are refused.
const POLL: Duration = Duration::from_secs(5);
/// How old the last answer may be. Nobody is let in on an older one.
const OLDEST: TimeDelta = TimeDelta::seconds(10);

/// After a failure nobody asks again for so long: callers are told at once instead of one after the other.
const PAUSE: Duration = Duration::from_millis(500);

/// Who gets in.
pub struct Gate {
    /// Signs our own tokens, if there are any.
    pub(super) tokens: Option<Tokens>,
    externals: Vec<External>,
    pub(super) store: Store,
    proofs: Proofs,
    withdrawn: RwLock<Option<(DateTime<Utc>, Arc<Withdrawn>)>>,
    failed: RwLock<Option<Instant>>,
    turn: Mutex<()>,
    pub(super) client_life: TimeDelta,
}

impl Gate {
    /// A gate for the tokens of these issuers.
    pub fn new(store: Store, tokens: Option<Tokens>, externals: Vec<External>) -> Self {
        Self {
            tokens,
            externals,
            store,
            proofs: Proofs::default(),
            withdrawn: RwLock::default(),
            failed: RwLock::default(),
            turn: Mutex::default(),
            client_life: TimeDelta::hours(1),
        }
    }

    /// The same, with another life for the tokens of API clients.
    #[must_use]
    pub fn with_client_life(self, client_life: TimeDelta) -> Self {
        Self { client_life, ..self }
    }

    /// The public keys of our own tokens.
    pub fn jwks(&self) -> String {
        self.tokens.as_ref().map_or_else(|| "{\"keys\":[]}".to_owned(), |tokens| tokens.jwks().to_owned())
    }

    /// Who the bearer of `token` is. Everything that is wrong with it is the same [`Error::Unauthenticated`];
    /// [`Error::Unavailable`] says that it cannot be told now.
    pub async fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Actor> {
        if token.len() > MOST_BYTES {
            return Err(Error::Unauthenticated);
        }
        let fingerprint = fingerprint(token);
        let proof = if let Some(proof) = self.proofs.get(&fingerprint, now) {
            proof
        } else {
            let proof = Arc::new(self.prove(token, now).await?);
            self.proofs.put(fingerprint, &proof, now);
            proof
        };
        if self.withdrawn(now).await?.refuses(&proof) {
            return Err(Error::Unauthenticated);
        }
        Ok(proof.actor.clone())
    }

    async fn prove(&self, token: &str, now: DateTime<Utc>) -> Result<Proof> {
        let issuer = claims::issuer(token).ok_or(Error::Unauthenticated)?;
        if let Some(tokens) = self.tokens.as_ref().filter(|tokens| tokens.issuer() == issuer) {
            return tokens.verify(token, now);
        }
        let external = self.externals.iter().find(|external| external.issuer() == issuer);
        let claimed = external.ok_or(Error::Unauthenticated)?.verify(token, now).await?;
        let organization = self.store.organization_named(&claimed.organization).await.map_err(|error| away(&error))?;
        Ok(claimed.within(organization.ok_or(Error::Unauthenticated)?))
    }

    /// Asks whose tokens are refused.
    pub async fn poll(&self, now: DateTime<Utc>) -> Result<()> {
        let asked = self.store.withdrawn(now).await;
        *self.failed.write().unwrap_or_else(PoisonError::into_inner) = asked.as_ref().err().map(|_| Instant::now());
        *self.withdrawn.write().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::new(asked?)));
        Ok(())
    }

    /// Whose tokens are refused, by an answer that is young enough.
    async fn withdrawn(&self, now: DateTime<Utc>) -> Result<Arc<Withdrawn>> {
        if let Some(known) = self.known(now) {
            return Ok(known);
        }
        if self.has_just_failed() {
            return Err(Error::Unavailable);
        }
        let _turn = self.turn.lock().await;
        // Who waited for the first of them has its answer.
        if self.known(now).is_none() && !self.has_just_failed() {
            self.poll(now).await.map_err(|error| away(&error))?;
        }
        self.known(now).ok_or(Error::Unavailable)
    }

    fn has_just_failed(&self) -> bool {
        let failed = self.failed.read().unwrap_or_else(PoisonError::into_inner);
        failed.is_some_and(|failed| failed.elapsed() < PAUSE)
    }

    fn known(&self, now: DateTime<Utc>) -> Option<Arc<Withdrawn>> {
        let known = self.withdrawn.read().unwrap_or_else(PoisonError::into_inner);
        let young = known.as_ref().filter(|(read, _)| (now - *read).abs() < OLDEST);
        young.map(|(_, withdrawn)| Arc::clone(withdrawn))
    }

    /// Asks again and again. Ends with the runtime it runs on.
    pub(super) async fn keep_polling(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(POLL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.poll(clock::now()).await {
                tracing::warn!(%error, "whose tokens are refused could not be read");
            }
        }
    }
}

/// While the database is away nobody can be told from anybody; its own words are for the log.
fn away(error: &Error) -> Error {
    tracing::warn!(%error, "a token could not be judged");
    Error::Unavailable
}
