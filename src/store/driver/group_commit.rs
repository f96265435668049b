//! The single writer connection of a `SQLite` file, with group commit.
//!
//! Each transaction is a savepoint of one outer transaction. A writer that finishes releases the connection to the
//! writers that already wait; then the outer transaction is committed once for all of them, and only then is each told
//! that it succeeded. Concurrent writers thus share the cost of one fsync. The outer transaction is committed before a
//! writer that is expected to hold the connection for long, so that the finished ones do not wait for it.
//!
//! [`FairQueue`] decides which organization writes next: the one that has used the writer least.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode};
use sea_orm::{ConnAcquireErr, DbErr, Statement};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::oneshot,
};

use super::{Payer, PerParent, RowLayout, TenantRow, checkpoint::Checkpoints, sqlite};
use crate::store::{
    failure::DbFailure,
    operation::diagnosis,
    usage::fair_queue::{FairQueue, Owner, QueueGuard, Shared},
};

/// A statement with more values than this runs in a blocking section.
const MANY: usize = 500;
/// How long the oldest finished savepoint waits for further writers before the outer transaction is committed.
const GATHERING: Duration = Duration::from_millis(10);
/// How long to wait for a lock that another process holds.
const LOCK: Duration = Duration::from_secs(2);

/// The writer of a `SQLite` file.
pub struct Writer {
    file: PathBuf,
    /// Maximum wait for the connection.
    acquire_timeout: Duration,
    group: Arc<FairQueue<CommitGroup>>,
    home: Handle,
    checkpoints: Checkpoints,
    statements: Arc<AtomicU64>,
}

/// The connection, opened on first use, and the finished savepoints that wait for the outer COMMIT.
struct CommitGroup {
    connection: Option<Connection>,
    is_closed: bool,
    waiting: Vec<oneshot::Sender<bool>>,
    /// When the oldest of them began to wait.
    since: Instant,
    /// The runtime on whose blocking threads outer transactions are committed.
    home: Handle,
    /// Whether a commit is already scheduled.
    is_settling: bool,
    checkpoints: Checkpoints,
}

/// One transaction: a savepoint on the writer connection. Dropping it rolls it back.
pub struct Savepoint {
    state: Mutex<State>,
    writer: Arc<Writer>,
    /// Who is charged for holding the writer, and the start of the hold.
    payer: Payer,
    since: Instant,
}

struct State {
    /// `None` only while the savepoint ends.
    group: Option<QueueGuard<CommitGroup>>,
    has_begun: bool,
    /// Whether `SQLite` rolled back the outer transaction itself; no further statement may run in it.
    is_lost: bool,
}

impl Writer {
    /// Creates the writer of an existing file; the connection opens on first use.
    pub fn new(file: PathBuf, acquire_timeout: Duration, statements: &Arc<AtomicU64>) -> Arc<Self> {
        let (home, statements) = (Handle::current(), Arc::clone(statements));
        let checkpoints = Checkpoints::new(file.clone(), home.clone());
        let group = FairQueue::new(vec![CommitGroup::new(home.clone(), checkpoints.clone())]);
        Arc::new(Self { file, acquire_timeout, group, home, checkpoints, statements })
    }

    async fn lock(&self, owner: Owner) -> Result<QueueGuard<CommitGroup>, DbFailure> {
        let turn = tokio::time::timeout(self.acquire_timeout, self.group.take(owner)).await;
        turn.map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout).into())
    }

    /// Starts a transaction as soon as the queue grants the connection.
    pub async fn begin(self: &Arc<Self>, payer: Payer) -> Result<Savepoint, DbFailure> {
        let state = State { group: Some(self.lock(payer.organization).await?), has_begun: false, is_lost: false };
        let mut savepoint =
            Savepoint { state: Mutex::new(state), writer: Arc::clone(self), payer, since: Instant::now() };
        match savepoint.try_begin(Duration::ZERO) {
            Err(DbFailure::Sqlite(error)) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {}
            done => return done.map(|()| savepoint),
        }
        let waiting = self.home.spawn_blocking(move || savepoint.try_begin(LOCK).map(|()| savepoint));
        waiting.await.map_err(|_| DbErr::Custom("a writer has panicked".to_owned()))?
    }

    /// Runs a statement outside any transaction while no other writer is active. Returns the first integer of the
    /// result.
    pub async fn execute_exclusive(&self, sql: &'static str) -> Result<Option<i64>, DbFailure> {
        let paused = self.checkpoints.paused().await;
        let (mut group, file) = (self.lock(None).await?, self.file.clone());
        let task = self.home.spawn_blocking(move || {
            let _paused = paused;
            group.commit();
            let connection = group.open(&file)?;
            connection.busy_timeout(LOCK)?;
            let mut statement = connection.prepare(sql)?;
            let mut rows = statement.query(())?;
            let mut first = None;
            while let Some(row) = rows.next()? {
                first = first.or(row.get(0).ok());
            }
            Ok(first)
        });
        task.await.map_err(|_| DbErr::Custom("a writer has panicked".to_owned()))?
    }

    /// Commits what is written and closes the connection.
    pub async fn close(&self) {
        let _paused = self.checkpoints.paused().await;
        let mut group = self.group.take(None).await;
        group.commit();
        group.connection = None;
        group.is_closed = true;
    }
}

impl Shared for CommitGroup {
    fn settle(mut turn: QueueGuard<Self>) {
        // If the runtime has shut down, the task is dropped, and the queue guard with it.
        if turn.waiting.is_empty() || std::mem::replace(&mut turn.is_settling, true) {
            return turn.release();
        }
        turn.home.clone().spawn_blocking(move || turn.commit());
    }
}

impl CommitGroup {
    fn new(home: Handle, checkpoints: Checkpoints) -> Self {
        Self {
            connection: None,
            is_closed: false,
            waiting: Vec::new(),
            since: Instant::now(),
            home,
            is_settling: false,
            checkpoints,
        }
    }

    fn open(&mut self, file: &Path) -> Result<&Connection, DbFailure> {
        if self.is_closed {
            return Err(lost());
        }
        if self.connection.is_none() {
            self.connection = Some(sqlite::writer(file)?);
        }
        Ok(self.connection.as_ref().expect("it was put there"))
    }

    /// Commits the outer transaction and notifies the savepoints that wait for it.
    fn commit(&mut self) {
        self.is_settling = false;
        let Some(connection) = self.connection.as_ref().filter(|connection| !connection.is_autocommit()) else {
            // SQLite has rolled back: their writes are lost.
            return self.notify(false);
        };
        let done = connection.execute_batch("COMMIT");
        if let Err(error) = &done {
            // Each caller gets the error; a lasting cause, such as a full disk, is logged once.
            if let Some(cause) = diagnosis::of_sqlite_error(error) {
                diagnosis::report(cause, false);
            } else {
                tracing::error!(error = DbFailure::describe(error), "cannot commit");
            }
            if !connection.is_autocommit() && connection.execute_batch("ROLLBACK").is_err() {
                self.connection = None;
            }
        }
        self.notify(done.is_ok());
        if let Some(connection) = &self.connection {
            self.checkpoints.after_commit(connection);
        }
    }

    fn notify(&mut self, is_done: bool) {
        // A dropped receiver was never acknowledged.
        for waiting in self.waiting.drain(..) {
            _ = waiting.send(is_done);
        }
    }
}

impl Savepoint {
    fn try_begin(&mut self, lock: Duration) -> Result<(), DbFailure> {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let group = state.group.as_mut().expect("it is there until it ends");
        let connection = group.open(&self.writer.file)?;
        if connection.is_autocommit() {
            connection.busy_timeout(lock)?;
            connection.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
        }
        connection.prepare_cached("SAVEPOINT one")?.execute(())?;
        state.has_begun = true;
        // The wait for a lock of another process is not charged.
        self.since = Instant::now();
        Ok(())
    }

    /// Runs a closure on the connection within the savepoint.
    fn run<T>(&self, run: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, DbFailure> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        let (Some(group), false) = (state.group.as_mut(), state.is_lost) else { return Err(lost()) };
        let connection = group.connection.as_ref().ok_or_else(lost)?;
        let done = run(connection);
        // A full disk makes SQLite roll back the whole transaction; later statements would run in autocommit mode.
        if done.is_err() && connection.is_autocommit() {
            state.is_lost = true;
            group.notify(false);
        }
        Ok(done?)
    }

    fn count<T>(&self, run: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, DbFailure> {
        let started = Instant::now();
        let done = self.run(run);
        self.writer.statements.fetch_add(1, Ordering::Relaxed);
        metrics::histogram!("rapport_sql_seconds").record(started.elapsed().as_secs_f64());
        done
    }

    pub async fn query(&self, statement: &Statement, layout: RowLayout<'_>) -> Result<Vec<TenantRow>, DbFailure> {
        let started = Instant::now();
        let many = statement.values.as_ref().is_some_and(|values| values.0.len() > MANY);
        let run = || self.count(|connection| sqlite::read(connection, statement, layout));
        let found = if many { in_blocking_section(run) } else { run() };
        // The writer is held, so yield only where the statement has blocked this thread.
        if !(many && has_other_threads()) {
            super::yield_if_slow(started).await;
        }
        found
    }

    pub fn query_per_parent(
        &self,
        mut statement: Statement,
        per_parent: PerParent<'_>,
        layout: RowLayout<'_>,
    ) -> Result<Vec<TenantRow>, DbFailure> {
        self.count(|connection| sqlite::read_per_parent(connection, &mut statement, per_parent, layout, None))
    }

    /// Runs a statement that may take long. Returns the number of changed rows.
    pub fn execute(&self, statement: &Statement) -> Result<u64, DbFailure> {
        in_blocking_section(|| self.count(|connection| sqlite::execute(connection, statement)))
    }

    /// Commits; returns once the writes are on disk.
    pub async fn commit(self) -> Result<(), DbFailure> {
        self.run(|connection| connection.prepare_cached("RELEASE one")?.execute(()))?;
        self.wait_for_commit().await
    }

    /// Rolls back; returns once earlier savepoints of the group, whose writes it may have read, are on disk.
    pub async fn rollback(self) -> Result<(), DbFailure> {
        self.run(undo)?;
        self.wait_for_commit().await
    }

    /// Releases the connection to the next writer and waits for the outer COMMIT.
    async fn wait_for_commit(self) -> Result<(), DbFailure> {
        let committed = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.has_begun = false;
            let Some(mut group) = state.group.take() else { return Err(lost()) };
            note_hold(&self.payer, self.since);
            if group.waiting.is_empty() {
                group.since = Instant::now();
            }
            let (sender, receiver) = oneshot::channel();
            group.waiting.push(sender);
            group.account_for();
            let is_time = group.turns().next().is_none_or(|next| group.since.elapsed() + next > GATHERING);
            if is_time {
                CommitGroup::settle(group);
            }
            receiver
        };
        if committed.await == Ok(true) { Ok(()) } else { Err(lost()) }
    }
}

/// Records how long a transaction held the writer.
fn note_hold(payer: &Payer, since: Instant) {
    payer.meter.wrote_since(since);
    metrics::histogram!("rapport_writer_hold_seconds").record(since.elapsed());
}

/// Runs a closure in a blocking section, so that other threads of the runtime take over this thread's tasks.
fn in_blocking_section<T>(run: impl FnOnce() -> T) -> T {
    if has_other_threads() { tokio::task::block_in_place(run) } else { run() }
}

fn has_other_threads() -> bool {
    Handle::current().runtime_flavor() != RuntimeFlavor::CurrentThread
}

fn undo(connection: &Connection) -> rusqlite::Result<usize> {
    connection.prepare_cached("ROLLBACK TO one")?.execute(())?;
    connection.prepare_cached("RELEASE one")?.execute(())
}

/// The error for a transaction whose writes were lost; it is safe to retry.
fn lost() -> DbFailure {
    DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed).into()
}

impl Drop for Savepoint {
    fn drop(&mut self) {
        let State { group, has_begun, is_lost } = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some(mut group) = group.take() else { return };
        if *has_begun {
            note_hold(&self.payer, self.since);
        }
        if *is_lost {
            return;
        }
        let Some(connection) = &group.connection else { return };
        let is_undone = !*has_begun || undo(connection).is_ok();
        if !is_undone || (group.waiting.is_empty() && !connection.is_autocommit()) {
            if !connection.is_autocommit() && connection.execute_batch("ROLLBACK").is_err() {
                group.connection = None;
            }
            group.notify(false);
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl fmt::Debug for Savepoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Savepoint").finish_non_exhaustive()
    }
}
