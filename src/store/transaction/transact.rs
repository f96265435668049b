//! The single entry point for the transactions of mutations: retries, idempotency keys, dry runs and optimistic
//! execution.

use futures_util::future::BoxFuture;
use sea_orm::prelude::Uuid;

use super::idempotency::{Claim, IdempotencyRecord};
use crate::{
    Error, Result,
    store::{Scope, Tx},
};

/// Maximum number of attempts for a transaction that collides with others.
const MAX_TRIES: usize = 5;

/// An idempotency key and the fingerprint of the input that it was sent with.
#[derive(Clone, Debug)]
pub struct Key {
    /// The key.
    pub text: String,
    /// Equal for equal inputs.
    pub fingerprint: String,
}

/// How a transaction is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Assumes that there is no conflict: the key is recorded together with the effect, and PostgreSQL is sent as few
    /// statements as possible. If the attempt fails, the transaction is run again pessimistically.
    Optimistic,
    /// Claims the key first, then sends each statement separately. For work that is too expensive to repeat.
    Pessimistic,
}

/// Result of the body of a transaction.
#[derive(Debug)]
pub enum Effect<T> {
    /// Commit, unless it is a dry run.
    Commit {
        /// The result.
        done: T,
        /// The response to a later call with the same key.
        replay: String,
        /// Rows that `replay` contains and by which an erasure may have to find the record, each once.
        rows: Vec<Uuid>,
    },
    /// Roll back after a failure. Nothing is recorded: the caller may correct the input and use the key again.
    RollBack(T),
}

/// Outcome of a transaction.
#[derive(Debug)]
pub enum Transacted<T> {
    /// The transaction ran.
    Done(T),
    /// The key was used before; the result recorded then.
    Replay(String),
    /// The key was used before with a different input.
    Mismatch,
}

impl Scope {
    /// Runs `effect` in a transaction and retries it if it collides with others. The transaction runs to its end even
    /// if the caller is dropped, such as after a lost connection. On PostgreSQL, an optimistic transaction begins only
    /// when necessary: its reads run outside a transaction until then, and writes whose results are not needed are
    /// queued and sent as one statement.
    pub async fn transact<T: Send + 'static>(
        &self,
        key: Option<Key>,
        strategy: Strategy,
        effect: impl for<'t> Fn(&'t Tx) -> BoxFuture<'t, Result<Effect<T>>> + Send + Sync + 'static,
    ) -> Result<Transacted<T>> {
        let scope = self.clone().detached();
        let task = tokio::spawn(async move {
            let (mut strategy, mut tries) = (strategy, 1);
            loop {
                match scope.attempt(key.as_ref(), strategy, &effect).await {
                    Err(Error::Collision) if tries < MAX_TRIES => tries += 1,
                    // The failure may come from an earlier call with the same key that already succeeded.
                    Err(_) if strategy == Strategy::Optimistic && key.is_some() => {}
                    // The failure may come from an unchecked reference to a row that does not exist.
                    Err(Error::Internal(_)) if strategy == Strategy::Optimistic => {}
                    done => return done,
                }
                strategy = Strategy::Pessimistic;
            }
        });
        match task.await {
            Ok(done) => done,
            // Continue the panic here: nothing was committed, and the HTTP layer handles the panic.
            Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
            Err(_) => Err(Error::Unavailable),
        }
    }

    async fn attempt<T>(
        &self,
        key: Option<&Key>,
        strategy: Strategy,
        effect: &(impl for<'t> Fn(&'t Tx) -> BoxFuture<'t, Result<Effect<T>>> + Sync),
    ) -> Result<Transacted<T>> {
        let tx = self.begun(strategy == Strategy::Optimistic).await?;
        let claimed = key.filter(|_| !tx.is_deferred());
        if let Some(key) = claimed {
            match tx.claim(key).await? {
                Claim::New => {}
                Claim::Replay(result) => {
                    tx.roll_back().await?;
                    return Ok(Transacted::Replay(result));
                }
                Claim::Mismatch => {
                    tx.roll_back().await?;
                    return Ok(Transacted::Mismatch);
                }
            }
        }
        match effect(&tx).await? {
            Effect::Commit { done, replay, rows } if !tx.is_dry_run() => {
                match (claimed, key) {
                    (Some(key), _) => {
                        tx.remember(key, &replay, &rows).await?;
                        tx.commit().await?;
                    }
                    (None, Some(key)) => {
                        let record = IdempotencyRecord { key, result: Some(&replay), rows: &rows };
                        tx.commit_with_key(Some(&record)).await?;
                    }
                    (None, None) => tx.commit().await?,
                }
                Ok(Transacted::Done(done))
            }
            Effect::Commit { done, .. } | Effect::RollBack(done) => {
                tx.flush().await?;
                // An optimistic attempt can also fail because the key was already used, an unchecked reference does not
                // exist, or a cached row has changed.
                let is_certain =
                    !tx.is_deferred() || (key.is_none() && !tx.defers_reference_checks() && !tx.used_cached_rows());
                tx.roll_back().await?;
                if is_certain { Ok(Transacted::Done(done)) } else { Err(Error::Collision) }
            }
        }
    }
}
