//! PostgreSQL's connections, used again at once, without asking the database, when nothing can be left on them.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sea_orm::{ConnAcquireErr, DbErr, ExecResult, QueryResult, RuntimeErr, Statement, Value, sea_query::ArrayType};
use sqlx::{
    Arguments, AssertSqlSafe, Executor, PgConnection, PgPool, Postgres, Row,
    error::BoxDynError,
    pool::PoolConnection,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Answered, Found};
use crate::store::{
    cell::{Cell, CellKind},
    failure::Failed,
};

/// How long a connection may lie unused before it is asked whether it still lives.
const FRESH: Duration = Duration::from_secs(5);
/// How long a connection is kept before the pool looks at it: its age, and whether it still lives.
const KEPT: Duration = Duration::from_mins(1);

/// The connections of one pool. The pool asks a connection twice whenever it is given back: to roll back what might be
/// open, and whether it lives. One whose last statement has ended well, outside any transaction, needs neither: it
/// stays here. Every other goes to the pool, and so does one that lay unused for long.
pub struct Kept {
    pool: PgPool,
    /// As many as the pool has connections: who holds one finds a connection here, or the pool has one to give.
    places: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
    patience: Duration,
    statements: Arc<AtomicU64>,
}

struct Idle {
    connection: PoolConnection<Postgres>,
    taken: Instant,
    since: Instant,
}

/// A connection in use.
pub struct Line {
    /// Always there, but while it is dropped.
    connection: Option<PoolConnection<Postgres>>,
    /// Whether nothing can be left on it: only ever true between statements outside a transaction.
    is_clean: bool,
    taken: Instant,
    kept: Arc<Kept>,
    _place: OwnedSemaphorePermit,
}

impl Kept {
    /// Keeps the connections of a pool that has `most` at most, and whose every user comes here.
    pub fn new(pool: PgPool, most: u32, patience: Duration, statements: &Arc<AtomicU64>) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(most as usize));
        Arc::new(Self { pool, places, idle: Mutex::default(), patience, statements: Arc::clone(statements) })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection, waited for as long as the patience lasts.
    pub async fn line(self: &Arc<Self>) -> Result<Line, DbErr> {
        // Without a timer where nobody has to wait.
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned()
            && let Some(idle) = self.fresh()
        {
            return Ok(self.lend(idle.connection, idle.taken, place));
        }
        let late = |_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout);
        tokio::time::timeout(self.patience, self.next()).await.map_err(late)?
    }

    async fn next(self: &Arc<Self>) -> Result<Line, DbErr> {
        let closed = |_| DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed);
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(closed)?;
        if let Some(idle) = self.fresh() {
            return Ok(self.lend(idle.connection, idle.taken, place));
        }
        self.give_back();
        let connection = self.pool.acquire().await.map_err(|error| match error {
            sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
            sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
            error => DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))),
        })?;
        Ok(self.lend(connection, Instant::now(), place))
    }

    /// The connection used last, unless it lay unused for long: if it did, so did all below it.
    fn fresh(&self) -> Option<Idle> {
        let mut idle = self.idle();
        if idle.last()?.since.elapsed() < FRESH { idle.pop() } else { None }
    }

    fn lend(
        self: &Arc<Self>,
        connection: PoolConnection<Postgres>,
        taken: Instant,
        place: OwnedSemaphorePermit,
    ) -> Line {
        Line { connection: Some(connection), is_clean: true, taken, kept: Arc::clone(self), _place: place }
    }

    /// Gives every idle connection to the pool, which asks each whether it lives.
    fn give_back(&self) {
        let idle = std::mem::take(&mut *self.idle());
        drop(idle);
    }

    /// Closes every connection, after their statements have ended.
    pub async fn close(&self) {
        // Closed from here on, so that nothing is kept any more.
        let closing = self.pool.close();
        self.give_back();
        closing.await;
    }
}

/// An idle connection that is dropped starts a task that gives it to the pool, for which a runtime is needed.
impl Drop for Kept {
    fn drop(&mut self) {
        if tokio::runtime::Handle::try_current().is_err() {
            let idle = self.idle.get_mut().unwrap_or_else(PoisonError::into_inner);
            idle.drain(..).for_each(|idle| drop(idle.connection.detach()));
        }
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("is_clean", &self.is_clean).finish_non_exhaustive()
    }
}

impl Drop for Line {
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

impl Line {
    /// Runs one statement to its end. Whoever stops waiting before leaves a connection that is not clean, and so does a
    /// statement that fails.
    async fn run<T>(
        &mut self,
        is_outside: bool,
        run: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
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

    /// Rows as they were asked for.
    pub async fn found(
        &mut self,
        is_outside: bool,
        statement: Statement,
        answered: Answered<'_>,
    ) -> Result<Vec<Found>, Failed> {
        let rows = async |connection: &mut PgConnection| prepared(statement)?.fetch_all(connection).await;
        let rows = self.run(is_outside, rows).await.map_err(|error| Failed::from(query_error(error)))?;
        let found = rows.iter().map(|row| answered.read(|place, kind| kind.read_postgres(row, place)));
        found.collect::<Result<_, _>>().map_err(|error| Failed::from(query_error(error)))
    }

    pub async fn rows(&mut self, is_outside: bool, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let rows = async |connection: &mut PgConnection| prepared(statement)?.fetch_all(connection).await;
        let rows = self.run(is_outside, rows).await.map_err(query_error)?;
        Ok(rows.into_iter().map(QueryResult::from).collect())
    }

    pub async fn execute(&mut self, is_outside: bool, statement: Statement) -> Result<ExecResult, DbErr> {
        let run = async |connection: &mut PgConnection| prepared(statement)?.execute(connection).await;
        self.run(is_outside, run).await.map(ExecResult::from).map_err(exec_error)
    }

    /// Whatever it is: the connection is not clean after it.
    pub async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult, DbErr> {
        let sql = AssertSqlSafe(sql.to_owned());
        let run = async |connection: &mut PgConnection| connection.execute(sql).await;
        self.run(false, run).await.map(ExecResult::from).map_err(exec_error)
    }

    /// Begins or ends a transaction. Between the two, and if either is not waited for, it is not clean.
    pub async fn turn(&mut self, sql: &'static str, is_end: bool) -> Result<(), DbErr> {
        self.is_clean = false;
        let connection = self.connection.as_mut().expect("it is there until it is dropped");
        (&mut **connection).execute(sql).await.map_err(query_error)?;
        self.is_clean = is_end;
        Ok(())
    }
}

fn prepared(statement: Statement) -> Result<Query<'static, Postgres, PgArguments>, sqlx::Error> {
    let mut arguments = PgArguments::default();
    for value in statement.values.iter().flat_map(|values| &values.0) {
        bind(&mut arguments, value).map_err(sqlx::Error::Encode)?;
    }
    Ok(sqlx::query_with(AssertSqlSafe(statement.sql), arguments))
}

/// Binds a value. Arrays may hold nulls.
fn bind(arguments: &mut PgArguments, value: &Value) -> Result<(), BoxDynError> {
    macro_rules! array {
        ($values:expr, $variant:ident, $take:expr) => {{
            let cell = |value: &Value| match value {
                Value::$variant(given) => Ok(given.as_ref().map($take)),
                other => Err(format!("an array holds {other:?}")),
            };
            arguments.add($values.iter().map(cell).collect::<Result<Vec<_>, _>>()?)
        }};
    }
    match value {
        Value::Bool(given) => arguments.add(*given),
        Value::Int(given) => arguments.add(*given),
        Value::BigInt(given) => arguments.add(*given),
        // What SeaORM limits a query with.
        Value::BigUnsigned(given) => arguments.add(given.map(i64::try_from).transpose()?),
        Value::Double(given) => arguments.add(*given),
        Value::String(given) => arguments.add(given.as_deref()),
        Value::Bytes(given) => arguments.add(given.as_deref()),
        Value::Uuid(given) => arguments.add(*given),
        Value::Array(ArrayType::Uuid, Some(values)) => array!(values, Uuid, |id| *id),
        Value::Array(ArrayType::String, Some(values)) => array!(values, String, Clone::clone),
        Value::Array(ArrayType::BigInt, Some(values)) => array!(values, BigInt, |number| *number),
        Value::Array(ArrayType::Double, Some(values)) => array!(values, Double, |number| *number),
        Value::Array(ArrayType::Bool, Some(values)) => array!(values, Bool, |value| *value),
        other => Err(format!("PostgreSQL is given no {:?}", std::mem::discriminant(other)).into()),
    }
}

fn query_error(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

fn exec_error(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error)))
}

impl CellKind {
    /// Reads a column of a row. The statement is ours: its columns are of the kinds it was written for.
    fn read_postgres(self, row: &PgRow, place: usize) -> Result<Cell, sqlx::Error> {
        Ok(match self {
            Self::Id => row.try_get_unchecked::<Option<_>, _>(place)?.map_or(Cell::Null, Cell::Id),
            Self::Text => row.try_get_unchecked::<Option<_>, _>(place)?.map_or(Cell::Null, Cell::Text),
            Self::Int => row.try_get_unchecked::<Option<_>, _>(place)?.map_or(Cell::Null, Cell::Int),
            Self::Float => row.try_get_unchecked::<Option<_>, _>(place)?.map_or(Cell::Null, Cell::Float),
            Self::Bool => row.try_get_unchecked::<Option<_>, _>(place)?.map_or(Cell::Null, Cell::Bool),
        })
    }
}
