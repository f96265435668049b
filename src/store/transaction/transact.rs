//! The one entry for a mutation's transaction: attempts, the idempotency key, dry runs, and what is tried optimistically.

use futures_util::future::BoxFuture;
use sea_orm::prelude::Uuid;

use super::idempotency::{Claim, IdempotencyRecord};
use crate::{
    Error, Result,
    store::{Scope, Tx},
};

/// How often a transaction is run that collides with others.
const MAX_TRIES: usize = 5;

/// An idempotency key and the fingerprint of the input it was given with.
#[derive(Clone, Debug)]
pub struct Key {
    /// The key.
    pub text: String,
    /// Equal for equal inputs.
    pub fingerprint: String,
}

/// How a transaction is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// As if nothing stood in the way: the key is recorded together with the effect, and PostgreSQL is sent as few
    /// statements as possible. If that fails, the transaction is run again pessimistically.
    Optimistic,
    /// The key is claimed first, then each statement runs by itself. For what is too dear to do in vain.
    Pessimistic,
}

/// What was done in a transaction.
#[derive(Debug)]
pub enum Effect<T> {
    /// To be committed, unless it is a dry run.
    Commit {
        /// The result.
        done: T,
        /// What a replay of the key is answered with.
        replay: String,
        /// Rows that `replay` names and an erasure may have to find it by, each once.
        rows: Vec<Uuid>,
    },
    /// A failure, to be rolled back. It is not recorded: the caller may mend the input and use the key again.
    RollBack(T),
}

/// What came of a transaction.
#[derive(Debug)]
pub enum Transacted<T> {
    /// It ran.
    Done(T),
    /// The key was used before: what was recorded then.
    Replay(String),
    /// The key was used before, with another input.
    Mismatch,
}

impl Scope {
    /// Runs `effect` in a transaction, again if it collides with others, and to its end whatever becomes of the caller: a
    /// lost connection cannot cut it short. On PostgreSQL an optimistic transaction begins when it must, its reads run
    /// outside of it until then, and writes whose result nobody waits for are queued and sent as one statement.
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
                    // What fails now may have been done already, under this key.
                    Err(_) if strategy == Strategy::Optimistic && key.is_some() => {}
                    // Or a reference that was not checked is none.
                    Err(Error::Internal(_)) if strategy == Strategy::Optimistic => {}
                    done => return done,
                }
                strategy = Strategy::Pessimistic;
            }
        });
        match task.await {
            Ok(done) => done,
            // As if it had happened here: nothing was committed, and the edge answers for it.
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
                // What fails optimistically may have been done already under this key, or because of a reference that was
                // not checked, or of a cached row that has changed.
                let is_certain =
                    !tx.is_deferred() || (key.is_none() && !tx.defers_reference_checks() && !tx.used_cached_rows());
                tx.roll_back().await?;
                if is_certain { Ok(Transacted::Done(done)) } else { Err(Error::Collision) }
            }
        }
    }
}
