//! Transactions on PostgreSQL.

use std::{sync::Arc, time::Instant};

use sea_orm::{DbErr, Statement};
use tokio::sync::{Mutex, MutexGuard};

use super::{Answered, Batch, Found, Kept, Line};
use crate::store::{failure::Failed, meter::Meter};

/// A transaction of PostgreSQL. It begins when it first writes or locks something: what was read until then was read as
/// in a transaction, whose statements each see what is committed. Dropping it rolls back.
#[derive(Debug)]
pub struct Open {
    kept: Arc<Kept>,
    /// Whether writes that nobody waits for are gathered.
    gathers: bool,
    state: Mutex<State>,
    /// What counts how long statements take that write or lock.
    meter: Arc<Meter>,
}

#[derive(Debug, Default)]
struct State {
    /// The connection, once it has begun.
    line: Option<Line>,
    batch: Option<Batch>,
}

impl State {
    async fn begun(&mut self, kept: &Arc<Kept>) -> Result<&mut Line, DbErr> {
        if self.line.is_none() {
            let mut line = kept.line().await?;
            line.turn("BEGIN", false).await?;
            self.line = Some(line);
        }
        Ok(self.line.as_mut().expect("it was put there"))
    }

    /// Writes what was gathered.
    async fn settle(&mut self, kept: &Arc<Kept>) -> Result<(), Failed> {
        let Some(batch) = self.batch.take() else { return Ok(()) };
        let statement = batch.finish(|_| {});
        let nothing = Answered { has_parent: false, kinds: &[] };
        let done = self.begun(kept).await?.found(false, statement, nothing).await;
        done.map(drop).map_err(Failed::of_batch)
    }
}

impl Open {
    /// One that has not begun, and gathers what it may.
    pub fn later(kept: &Arc<Kept>, meter: Arc<Meter>) -> Self {
        Self { kept: Arc::clone(kept), gathers: true, state: Mutex::default(), meter }
    }

    /// One that has begun, and does everything as it is told.
    pub async fn now(kept: &Arc<Kept>, meter: Arc<Meter>) -> Result<Self, DbErr> {
        let open = Self { kept: Arc::clone(kept), gathers: false, state: Mutex::default(), meter };
        open.state.lock().await.begun(kept).await?;
        Ok(open)
    }

    /// Counts how long something takes.
    async fn timed<T>(&self, run: impl Future<Output = T>) -> T {
        let started = Instant::now();
        let done = run.await;
        self.meter.wrote_since(started);
        done
    }

    /// Whether writes that nobody waits for are gathered.
    pub const fn gathers(&self) -> bool {
        self.gathers
    }

    /// Holds the transaction for a statement that sees all before it.
    async fn ready(&self) -> Result<MutexGuard<'_, State>, Failed> {
        let mut state = self.state.lock().await;
        self.timed(state.settle(&self.kept)).await?;
        state.begun(&self.kept).await?;
        Ok(state)
    }

    pub async fn found(&self, statement: Statement, answered: Answered<'_>) -> Result<Vec<Found>, Failed> {
        let mut state = self.ready().await?;
        let line = state.begun(&self.kept).await?;
        self.timed(line.found(false, statement, answered)).await
    }

    /// Whether it has neither begun nor gathered anything.
    pub async fn reads_outside(&self) -> bool {
        let state = self.state.lock().await;
        state.line.is_none() && state.batch.is_none()
    }

    /// Reads. Does not begin for it.
    pub async fn read(&self, statement: Statement, answered: Answered<'_>) -> Result<Vec<Found>, Failed> {
        debug_assert!(only_reads(&statement.sql), "outside a transaction: {}", statement.sql);
        let mut state = self.state.lock().await;
        self.timed(state.settle(&self.kept)).await?;
        match &mut state.line {
            Some(line) => line.found(false, statement, answered).await,
            None => self.kept.line().await?.found(true, statement, answered).await,
        }
    }

    pub async fn execute(&self, statement: Statement) -> Result<u64, Failed> {
        let mut state = self.ready().await?;
        let line = state.begun(&self.kept).await?;
        Ok(self.timed(line.execute(false, statement)).await?.rows_affected())
    }

    /// Adds to what is gathered. Answers how many values that binds by now.
    pub async fn gather(&self, empty: impl FnOnce() -> Batch, add: impl FnOnce(&mut Batch)) -> usize {
        let mut state = self.state.lock().await;
        let batch = state.batch.get_or_insert_with(empty);
        add(batch);
        batch.values()
    }

    /// Takes what was gathered, to end with it.
    pub async fn gathered(&self) -> Option<Batch> {
        self.state.lock().await.batch.take()
    }

    /// Writes what was gathered so far.
    pub async fn settle(&self) -> Result<(), Failed> {
        let mut state = self.state.lock().await;
        self.timed(state.settle(&self.kept)).await
    }

    /// Ends with a statement that holds all there was to write: by itself, if nothing has begun.
    pub async fn end_with(self, last: Statement, answered: Answered<'_>) -> Result<Vec<Found>, Failed> {
        let (State { line, .. }, started) = (self.state.into_inner(), Instant::now());
        let Some(mut line) = line else {
            let found = self.kept.line().await?.found(true, last, answered).await.map_err(Failed::of_batch);
            self.meter.wrote_since(started);
            return found;
        };
        let found = line.found(false, last, answered).await.map_err(Failed::of_batch)?;
        line.turn("COMMIT", true).await?;
        self.meter.wrote_since(started);
        Ok(found)
    }

    pub async fn commit(self) -> Result<(), Failed> {
        let (mut state, started) = (self.state.into_inner(), Instant::now());
        state.settle(&self.kept).await?;
        if let Some(line) = &mut state.line {
            line.turn("COMMIT", true).await?;
            self.meter.wrote_since(started);
        }
        Ok(())
    }

    pub async fn rollback(self) -> Result<(), Failed> {
        Ok(match &mut self.state.into_inner().line {
            Some(line) => line.turn("ROLLBACK", true).await,
            None => Ok(()),
        }?)
    }
}

/// Whether a statement neither changes nor locks anything.
fn only_reads(sql: &str) -> bool {
    sql.starts_with("SELECT ")
        && [" FOR UPDATE", " FOR NO KEY UPDATE", " FOR KEY SHARE", " FOR SHARE"].iter().all(|lock| !sql.contains(lock))
}
