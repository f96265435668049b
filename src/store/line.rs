//! Connections that are used again at once, without asking the database, when nothing can be left on them.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, RuntimeErr, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, sea_query::Values,
};
use sea_query_sqlx::SqlxValues;
use sqlx::{AssertSqlSafe, Database, Executor, Postgres, Sqlite, pool::PoolConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a connection may lie unused before it is asked whether it still lives.
const FRESH: Duration = Duration::from_secs(5);
/// How long a connection is kept before the pool looks at it: its age, and whether it still lives.
const KEPT: Duration = Duration::from_secs(60);

/// Where statements run.
#[derive(Clone, Debug)]
pub enum Lines {
    /// The one connection that writes on `SQLite`.
    Writer(DatabaseConnection),
    /// The readers of `SQLite`.
    Readers(Arc<Kept<Sqlite>>),
    /// The connections of PostgreSQL.
    Postgres(Arc<Kept<Postgres>>),
}

/// A transaction. Dropping it rolls back.
#[derive(Debug)]
pub enum Transaction {
    /// On `SQLite`.
    Sqlite(DatabaseTransaction),
    /// On PostgreSQL.
    Postgres(tokio::sync::Mutex<Line<Postgres>>),
}

/// The connections of one pool. The pool asks a connection twice whenever it is given back: to roll back what might be
/// open, and whether it lives. One whose last statement has ended well, outside any transaction, needs neither: it
/// stays here. Every other goes to the pool, and so does one that lay unused for long.
pub struct Kept<DB: Database> {
    pool: sqlx::Pool<DB>,
    /// As many as the pool has connections: who holds one finds a connection here, or the pool has one to give.
    places: Arc<Semaphore>,
    idle: Mutex<Vec<Idle<DB>>>,
    patience: Duration,
    statements: Arc<AtomicU64>,
}

struct Idle<DB: Database> {
    connection: PoolConnection<DB>,
    taken: Instant,
    since: Instant,
}

/// A connection in use.
pub struct Line<DB: Database> {
    /// Always there, but while it is dropped.
    connection: Option<PoolConnection<DB>>,
    /// Whether nothing can be left on it: only ever true between statements outside a transaction.
    is_clean: bool,
    taken: Instant,
    kept: Arc<Kept<DB>>,
    _place: OwnedSemaphorePermit,
}

/// What the two databases' drivers do alike, but for their types.
pub trait Driver: Database {
    /// Its name for `SeaORM`.
    const BACKEND: DbBackend;

    /// Every row of a statement, read to its end.
    fn rows(
        connection: &mut Self::Connection,
        statement: Statement,
    ) -> impl Future<Output = Result<Vec<QueryResult>, sqlx::Error>> + Send;

    /// Runs a statement to its end.
    fn run(
        connection: &mut Self::Connection,
        statement: Statement,
    ) -> impl Future<Output = Result<ExecResult, sqlx::Error>> + Send;

    /// Runs a statement without values and without preparing it.
    fn run_unprepared(
        connection: &mut Self::Connection,
        sql: String,
    ) -> impl Future<Output = Result<ExecResult, sqlx::Error>> + Send;
}

macro_rules! driver {
    ($driver:ty, $backend:expr) => {
        impl Driver for $driver {
            const BACKEND: DbBackend = $backend;

            async fn rows(
                connection: &mut Self::Connection,
                statement: Statement,
            ) -> Result<Vec<QueryResult>, sqlx::Error> {
                let values = SqlxValues(statement.values.unwrap_or(Values(Vec::new())));
                let rows = sqlx::query_with(AssertSqlSafe(statement.sql), values).fetch_all(connection).await?;
                Ok(rows.into_iter().map(QueryResult::from).collect())
            }

            async fn run(connection: &mut Self::Connection, statement: Statement) -> Result<ExecResult, sqlx::Error> {
                let values = SqlxValues(statement.values.unwrap_or(Values(Vec::new())));
                Ok(sqlx::query_with(AssertSqlSafe(statement.sql), values).execute(connection).await?.into())
            }

            async fn run_unprepared(connection: &mut Self::Connection, sql: String) -> Result<ExecResult, sqlx::Error> {
                Ok(connection.execute(AssertSqlSafe(sql)).await?.into())
            }
        }
    };
}

driver!(Postgres, DbBackend::Postgres);
driver!(Sqlite, DbBackend::Sqlite);

fn query_error(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

fn exec_error(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error)))
}

impl<DB: Driver> Kept<DB> {
    /// Keeps the connections of a pool that has `most` at most, and whose every user comes here.
    pub fn new(pool: sqlx::Pool<DB>, most: u32, patience: Duration, statements: &Arc<AtomicU64>) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(most as usize));
        Arc::new(Self { pool, places, idle: Mutex::default(), patience, statements: Arc::clone(statements) })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle<DB>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection, waited for as long as the patience lasts.
    async fn line(self: &Arc<Self>) -> Result<Line<DB>, DbErr> {
        let late = |_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout);
        tokio::time::timeout(self.patience, self.next()).await.map_err(late)?
    }

    async fn next(self: &Arc<Self>) -> Result<Line<DB>, DbErr> {
        let closed = |_| DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed);
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(closed)?;
        // The one used last lies on top: if it is stale, all are.
        let stale = match self.idle().pop() {
            Some(Idle { connection, taken, since }) if since.elapsed() < FRESH => {
                let kept = Arc::clone(self);
                return Ok(Line { connection: Some(connection), is_clean: true, taken, kept, _place: place });
            }
            stale => stale,
        };
        drop(stale);
        self.give_back();
        let connection = self.pool.acquire().await.map_err(|error| match error {
            sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
            sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
            error => DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))),
        })?;
        let (kept, taken) = (Arc::clone(self), Instant::now());
        Ok(Line { connection: Some(connection), is_clean: true, taken, kept, _place: place })
    }

    /// Gives every idle connection to the pool, which asks each whether it lives.
    fn give_back(&self) {
        let idle = std::mem::take(&mut *self.idle());
        drop(idle);
    }

    async fn close(&self) {
        // Closed from here on, so that nothing is kept any more.
        let closing = self.pool.close();
        self.give_back();
        closing.await;
    }
}

/// An idle connection that is dropped starts a task that gives it to the pool, for which a runtime is needed.
impl<DB: Database> Drop for Kept<DB> {
    fn drop(&mut self) {
        if tokio::runtime::Handle::try_current().is_err() {
            let idle = self.idle.get_mut().unwrap_or_else(PoisonError::into_inner);
            idle.drain(..).for_each(|idle| drop(idle.connection.detach()));
        }
    }
}

impl<DB: Database> fmt::Debug for Kept<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

impl<DB: Database> fmt::Debug for Line<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("is_clean", &self.is_clean).finish_non_exhaustive()
    }
}

impl<DB: Database> Drop for Line<DB> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let mut idle = self.kept.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_clean {
            // What broke this one may have broken those beside it.
            let beside = std::mem::take(&mut *idle);
            drop((idle, beside, connection));
        } else if !self.kept.pool.is_closed() && self.taken.elapsed() < KEPT {
            idle.push(Idle { connection, taken: self.taken, since: Instant::now() });
        }
    }
}

impl<DB: Driver> Line<DB> {
    /// Runs one statement to its end. Whoever stops waiting before leaves a connection that is not clean, and so does a
    /// statement that fails.
    async fn run<T>(
        &mut self,
        is_outside: bool,
        run: impl AsyncFnOnce(&mut DB::Connection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        self.is_clean = false;
        let started = Instant::now();
        let connection = self.connection.as_mut().expect("it is there until it is dropped");
        let done = run(connection).await;
        self.kept.statements.fetch_add(1, Ordering::Relaxed);
        metrics::histogram!("rapport_sql_seconds").record(started.elapsed().as_secs_f64());
        self.is_clean = is_outside && done.is_ok();
        done
    }

    async fn rows(&mut self, is_outside: bool, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let rows = async |connection: &mut DB::Connection| DB::rows(connection, statement).await;
        self.run(is_outside, rows).await.map_err(query_error)
    }

    async fn execute(&mut self, is_outside: bool, statement: Statement) -> Result<ExecResult, DbErr> {
        let run = async |connection: &mut DB::Connection| DB::run(connection, statement).await;
        self.run(is_outside, run).await.map_err(exec_error)
    }

    /// Whatever it is: the connection is not clean after it.
    async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult, DbErr> {
        let sql = sql.to_owned();
        let run = async |connection: &mut DB::Connection| DB::run_unprepared(connection, sql).await;
        self.run(false, run).await.map_err(exec_error)
    }
}

impl Line<Postgres> {
    /// Begins or ends a transaction. Between the two, and if either is not waited for, it is not clean.
    async fn turn(&mut self, sql: &'static str, is_end: bool) -> Result<(), DbErr> {
        self.is_clean = false;
        let connection = self.connection.as_mut().expect("it is there until it is dropped");
        (&mut **connection).execute(sql).await.map_err(query_error)?;
        self.is_clean = is_end;
        Ok(())
    }
}

impl Lines {
    /// Starts a transaction that writes. On `SQLite` it is immediate: it waits for the one writer.
    pub async fn begin(&self) -> Result<Transaction, DbErr> {
        match self {
            Self::Writer(writer) => {
                let mode = Some(SqliteTransactionMode::Immediate);
                let options = TransactionOptions { sqlite_transaction_mode: mode, ..Default::default() };
                writer.begin_with_options(options).await.map(Transaction::Sqlite)
            }
            Self::Readers(_) => Err(DbErr::Custom("readers do not write".to_owned())),
            Self::Postgres(kept) => {
                let mut line = kept.line().await?;
                line.turn("BEGIN", false).await?;
                Ok(Transaction::Postgres(tokio::sync::Mutex::new(line)))
            }
        }
    }

    /// Closes every connection, after their statements have ended.
    pub async fn close(&self) -> Result<(), DbErr> {
        match self {
            Self::Writer(writer) => writer.clone().close().await,
            Self::Readers(kept) => {
                kept.close().await;
                Ok(())
            }
            Self::Postgres(kept) => {
                kept.close().await;
                Ok(())
            }
        }
    }
}

impl Transaction {
    /// Makes what was written stand.
    pub async fn commit(self) -> Result<(), DbErr> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await,
            Self::Postgres(line) => line.into_inner().turn("COMMIT", true).await,
        }
    }

    /// Undoes everything.
    pub async fn rollback(self) -> Result<(), DbErr> {
        match self {
            Self::Sqlite(transaction) => transaction.rollback().await,
            Self::Postgres(line) => line.into_inner().turn("ROLLBACK", true).await,
        }
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Lines {
    fn get_database_backend(&self) -> DbBackend {
        if matches!(self, Self::Postgres(_)) { DbBackend::Postgres } else { DbBackend::Sqlite }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self {
            Self::Writer(writer) => writer.execute_raw(statement).await,
            Self::Readers(kept) => kept.line().await?.execute(true, statement).await,
            Self::Postgres(kept) => kept.line().await?.execute(true, statement).await,
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match self {
            Self::Writer(writer) => writer.execute_unprepared(sql).await,
            Self::Readers(kept) => kept.line().await?.execute_unprepared(sql).await,
            Self::Postgres(kept) => kept.line().await?.execute_unprepared(sql).await,
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.query_all_raw(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::Writer(writer) => writer.query_all_raw(statement).await,
            Self::Readers(kept) => kept.line().await?.rows(true, statement).await,
            Self::Postgres(kept) => kept.line().await?.rows(true, statement).await,
        }
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        if matches!(self, Self::Postgres(_)) { DbBackend::Postgres } else { DbBackend::Sqlite }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self {
            Self::Sqlite(transaction) => transaction.execute_raw(statement).await,
            Self::Postgres(line) => line.lock().await.execute(false, statement).await,
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match self {
            Self::Sqlite(transaction) => transaction.execute_unprepared(sql).await,
            Self::Postgres(line) => line.lock().await.execute_unprepared(sql).await,
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.query_all_raw(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::Sqlite(transaction) => transaction.query_all_raw(statement).await,
            Self::Postgres(line) => line.lock().await.rows(false, statement).await,
        }
    }
}
