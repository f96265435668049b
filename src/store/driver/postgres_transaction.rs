//! Transactions on PostgreSQL.

use std::{sync::Arc, time::Instant};

use sea_orm::{DbErr, Statement};
use tokio::sync::{Mutex, MutexGuard};

use super::{PooledConnection, PostgresPool, RowLayout, TenantRow, WriteBatch};
use crate::store::{failure::DbFailure, usage::meter::Meter};

/// A transaction on PostgreSQL. It begins with its first write or lock: under READ COMMITTED, earlier reads see the
/// same as they would inside it. Dropping it rolls it back.
#[derive(Debug)]
pub struct PostgresTransaction {
    pool: Arc<PostgresPool>,
    /// Whether writes whose result is not needed yet are batched.
    is_deferred: bool,
    state: Mutex<State>,
    /// Records the duration of statements that write or lock.
    meter: Arc<Meter>,
}

#[derive(Debug, Default)]
struct State {
    /// The connection, once the transaction has begun.
    line: Option<PooledConnection>,
    batch: Option<WriteBatch>,
    /// Whether it has written or batched a write.
    has_written: bool,
}

impl State {
    async fn begun(&mut self, pool: &Arc<PostgresPool>) -> Result<&mut PooledConnection, DbErr> {
        if self.line.is_none() {
            let mut line = pool.acquire().await?;
            line.turn("BEGIN", false).await?;
            self.line = Some(line);
        }
        Ok(self.line.as_mut().expect("it was put there"))
    }

    /// Sends the batched writes.
    async fn flush(&mut self, pool: &Arc<PostgresPool>) -> Result<(), DbFailure> {
        let Some(batch) = self.batch.take() else { return Ok(()) };
        let statement = batch.finish(|_| {});
        let nothing = RowLayout { has_parent: false, kinds: &[] };
        let done = self.begun(pool).await?.query(false, statement, nothing).await;
        done.map(drop).map_err(DbFailure::from_batch)
    }
}

impl PostgresTransaction {
    /// Creates a transaction that begins on demand and batches writes.
    pub fn deferred(pool: &Arc<PostgresPool>, meter: Arc<Meter>) -> Self {
        Self { pool: Arc::clone(pool), is_deferred: true, state: Mutex::default(), meter }
    }

    /// Begins a transaction that runs each write at once.
    pub async fn begin(pool: &Arc<PostgresPool>, meter: Arc<Meter>) -> Result<Self, DbErr> {
        let open = Self { pool: Arc::clone(pool), is_deferred: false, state: Mutex::default(), meter };
        open.state.lock().await.begun(pool).await?;
        Ok(open)
    }

    /// Records how long a future takes.
    async fn timed<T>(&self, run: impl Future<Output = T>) -> T {
        let started = Instant::now();
        let done = run.await;
        self.meter.wrote_since(started);
        done
    }

    /// Whether writes whose result is not needed yet are batched.
    pub const fn is_deferred(&self) -> bool {
        self.is_deferred
    }

    /// Begins if needed and sends batched writes, so that the next statement sees them.
    async fn ready(&self) -> Result<MutexGuard<'_, State>, DbFailure> {
        let mut state = self.state.lock().await;
        self.timed(state.flush(&self.pool)).await?;
        state.begun(&self.pool).await?;
        Ok(state)
    }

    pub async fn query(&self, statement: Statement, layout: RowLayout<'_>) -> Result<Vec<TenantRow>, DbFailure> {
        let mut state = self.ready().await?;
        state.has_written |= !statement.sql.starts_with("SELECT ");
        let line = state.begun(&self.pool).await?;
        self.timed(line.query(false, statement, layout)).await
    }

    /// Whether it has neither begun nor batched a write.
    pub async fn is_unstarted(&self) -> bool {
        let state = self.state.lock().await;
        state.line.is_none() && state.batch.is_none()
    }

    /// Whether it has written or batched a write: until then, it sees what others have committed and nothing else.
    pub async fn has_written(&self) -> bool {
        self.state.lock().await.has_written
    }

    /// Runs a read; does not begin the transaction.
    pub async fn read(&self, statement: Statement, layout: RowLayout<'_>) -> Result<Vec<TenantRow>, DbFailure> {
        debug_assert!(only_reads(&statement.sql), "outside a transaction: {}", statement.sql);
        let mut state = self.state.lock().await;
        self.timed(state.flush(&self.pool)).await?;
        match &mut state.line {
            Some(line) => line.query(false, statement, layout).await,
            None => self.pool.acquire().await?.query(true, statement, layout).await,
        }
    }

    pub async fn execute(&self, statement: Statement) -> Result<u64, DbFailure> {
        let mut state = self.ready().await?;
        state.has_written = true;
        let line = state.begun(&self.pool).await?;
        Ok(self.timed(line.execute(false, statement)).await?.rows_affected())
    }

    /// Adds to the batch. Returns how many values the batch binds.
    pub async fn enqueue(&self, empty: impl FnOnce() -> WriteBatch, add: impl FnOnce(&mut WriteBatch)) -> usize {
        let mut state = self.state.lock().await;
        state.has_written = true;
        let batch = state.batch.get_or_insert_with(empty);
        add(batch);
        batch.values()
    }

    /// Takes the batch, to commit with it.
    pub async fn take_queue(&self) -> Option<WriteBatch> {
        self.state.lock().await.batch.take()
    }

    /// Sends the batch.
    pub async fn flush(&self) -> Result<(), DbFailure> {
        let mut state = self.state.lock().await;
        self.timed(state.flush(&self.pool)).await
    }

    /// Commits with a statement that holds all batched writes; if the transaction has not begun, that statement is the
    /// whole transaction.
    pub async fn commit_with(self, last: Statement, layout: RowLayout<'_>) -> Result<Vec<TenantRow>, DbFailure> {
        let (State { line, .. }, started) = (self.state.into_inner(), Instant::now());
        let Some(mut line) = line else {
            let found = self.pool.acquire().await?.query(true, last, layout).await.map_err(DbFailure::from_batch);
            self.meter.wrote_since(started);
            return found;
        };
        let found = line.query(false, last, layout).await.map_err(DbFailure::from_batch)?;
        line.turn("COMMIT", true).await?;
        self.meter.wrote_since(started);
        Ok(found)
    }

    pub async fn commit(self) -> Result<(), DbFailure> {
        let (mut state, started) = (self.state.into_inner(), Instant::now());
        state.flush(&self.pool).await?;
        if let Some(line) = &mut state.line {
            line.turn("COMMIT", true).await?;
            self.meter.wrote_since(started);
        }
        Ok(())
    }

    pub async fn rollback(self) -> Result<(), DbFailure> {
        Ok(match &mut self.state.into_inner().line {
            Some(line) => line.turn("ROLLBACK", true).await,
            None => Ok(()),
        }?)
    }
}

/// Whether a statement neither writes nor locks.
fn only_reads(sql: &str) -> bool {
    sql.starts_with("SELECT ")
        && [" FOR UPDATE", " FOR NO KEY UPDATE", " FOR KEY SHARE", " FOR SHARE"].iter().all(|lock| !sql.contains(lock))
}
