//! A pool of PostgreSQL connections that reuses a clean connection without asking the server.

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
    Arguments, AssertSqlSafe, Connection as _, Executor, PgConnection, PgPool, Postgres, Row,
    error::BoxDynError,
    pool::PoolConnection,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use tokio::{
    runtime::Handle,
    sync::{AcquireError, OwnedSemaphorePermit, Semaphore},
};

use super::{RowLayout, TenantRow};
use crate::{
    runtime,
    store::{
        failure::DbFailure,
        statement::cell::{Cell, CellKind},
    },
};

/// A connection that was idle for longer is pinged before use.
const PING_AFTER: Duration = Duration::from_secs(5);
/// An idle connection is closed after this time, unless it is the one used last.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);
/// Timeout of that ping.
const PING_TIMEOUT: Duration = Duration::from_millis(200);
/// A connection older than this goes back to sqlx's pool, which checks or replaces it.
const MAX_LIFETIME: Duration = Duration::from_mins(10);

/// Connections of one sqlx pool. sqlx makes two round trips whenever a connection is returned: a ROLLBACK and a ping. A
/// connection whose last statement succeeded outside any transaction needs neither: it stays here, and is pinged only
/// after a long idle time. Every other connection is returned to sqlx's pool.
///
/// The runtime that opens a connection drives its socket. If that is the runtime of the thread that awaits the result,
/// each result saves a thread switch; but other threads cannot rely on it, because that thread may hang or end.
pub struct PostgresPool {
    pool: PgPool,
    runtime: Handle,
    /// The shared pool, if this pool belongs to one thread: used when all connections of the thread are taken.
    shared: Option<Arc<Self>>,
    /// One permit per connection: a holder finds an idle connection here, or sqlx's pool can open one.
    places: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
    acquire_timeout: Duration,
    statements: Arc<AtomicU64>,
}

struct Idle {
    connection: PoolConnection<Postgres>,
    taken: Instant,
    since: Instant,
}

/// A connection in use.
pub struct PooledConnection {
    /// `None` only during drop.
    connection: Option<PoolConnection<Postgres>>,
    /// Whether the connection has no open state: only true between statements outside a transaction.
    is_clean: bool,
    taken: Instant,
    pool: Arc<PostgresPool>,
    /// Held until the connection is back in sqlx's pool.
    place: Option<OwnedSemaphorePermit>,
}

/// An idle connection that is being pinged. It is closed unless the ping succeeds.
struct Asked(Option<PoolConnection<Postgres>>);

impl Drop for Asked {
    fn drop(&mut self) {
        drop(self.0.take().map(PoolConnection::detach));
    }
}

impl PostgresPool {
    /// Wraps an sqlx pool of at most `most` connections, all of whose users go through this value. Connections belong
    /// to the current runtime.
    pub fn new(pool: PgPool, most: u32, acquire_timeout: Duration, statements: &Arc<AtomicU64>) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(most as usize));
        let statements = Arc::clone(statements);
        let (runtime, idle) = (Handle::current(), Mutex::default());
        Arc::new(Self { pool, runtime, shared: None, places, idle, acquire_timeout, statements })
    }

    /// Creates a pool of another size on this runtime, to replace this one; the caller closes this one.
    pub fn resized(&self, most: u32) -> Arc<Self> {
        Self::new(self.pool_of(most), most, self.acquire_timeout, &self.statements)
    }

    /// Creates a pool for the current thread's runtime, which falls back to this one.
    pub fn for_worker(self: &Arc<Self>, most: u32) -> Arc<Self> {
        let (places, idle) = (Arc::new(Semaphore::new(most as usize)), Mutex::default());
        let (runtime, shared, statements) = (Handle::current(), Some(Arc::clone(self)), Arc::clone(&self.statements));
        // A part of the timeout: the shared pool may have to be asked as well.
        let acquire_timeout = self.acquire_timeout / 4;
        Arc::new(Self { pool: self.pool_of(most), runtime, shared, places, idle, acquire_timeout, statements })
    }

    fn pool_of(&self, most: u32) -> PgPool {
        self.pool.options().clone().max_connections(most).connect_lazy_with((*self.pool.connect_options()).clone())
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a connection, or an error after `acquire_timeout`.
    pub async fn acquire(self: &Arc<Self>) -> Result<PooledConnection, DbErr> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok();
        let place = match place.map(|place| (place, self.fresh())) {
            Some((place, Some(idle))) => return Ok(self.lend(idle.connection, idle.taken, place)),
            Some((place, None)) => Some(place),
            None => None,
        };
        // Rarely taken, and a large future.
        Box::pin(async {
            let Some(shared) = &self.shared else { return runtime::enter(&self.runtime, self.soon(place)).await };
            let place = if let Some(place) = place {
                place
            } else {
                tokio::select! {
                    biased;
                    connection = shared.acquire() => return connection,
                    place = Arc::clone(&self.places).acquire_owned() => place.map_err(closed)?,
                }
            };
            match runtime::enter(&self.runtime, self.soon(Some(place))).await {
                Err(_) => shared.acquire().await,
                own => own,
            }
        })
        .await
    }

    async fn soon(self: &Arc<Self>, place: Option<OwnedSemaphorePermit>) -> Result<PooledConnection, DbErr> {
        let late = |_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout);
        tokio::time::timeout(self.acquire_timeout, self.next(place)).await.map_err(late)?
    }

    async fn next(self: &Arc<Self>, place: Option<OwnedSemaphorePermit>) -> Result<PooledConnection, DbErr> {
        let place = match place {
            Some(place) => place,
            None => Arc::clone(&self.places).acquire_owned().await.map_err(closed)?,
        };
        if let Some(idle) = self.fresh() {
            return Ok(self.lend(idle.connection, idle.taken, place));
        }
        // Not by sqlx's pool: its ROLLBACK outside a transaction logs a warning on the server.
        while let Some(Idle { connection, taken, .. }) = self.last() {
            let mut asked = Asked(Some(connection));
            let Some(connection) = &mut asked.0 else { continue };
            if let Ok(Ok(())) = tokio::time::timeout(PING_TIMEOUT, connection.ping()).await
                && let Some(connection) = asked.0.take()
            {
                return Ok(self.lend(connection, taken, place));
            }
        }
        let connection = self.pool.acquire().await.map_err(|error| match error {
            sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
            sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
            error => DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))),
        })?;
        Ok(self.lend(connection, Instant::now(), place))
    }

    /// Takes the most recently used connection, unless it has been idle for long; then all others have been, too.
    fn fresh(&self) -> Option<Idle> {
        let mut idle = self.idle();
        if idle.last()?.since.elapsed() < PING_AFTER { idle.pop() } else { None }
    }

    fn lend(
        self: &Arc<Self>,
        connection: PoolConnection<Postgres>,
        taken: Instant,
        place: OwnedSemaphorePermit,
    ) -> PooledConnection {
        PooledConnection {
            connection: Some(connection),
            is_clean: true,
            taken,
            pool: Arc::clone(self),
            place: Some(place),
        }
    }

    /// Takes the most recently used connection, and closes those past the idle timeout.
    fn last(&self) -> Option<Idle> {
        let (last, unused): (_, Vec<_>) = {
            let mut idle = self.idle();
            let last = idle.pop();
            let pool = idle.partition_point(|idle| idle.since.elapsed() > IDLE_TIMEOUT);
            (last, idle.drain(..pool).collect())
        };
        for idle in unused {
            drop(idle.connection.detach());
        }
        last
    }

    /// Returns every idle connection to sqlx's pool.
    fn give_back(&self) {
        let idle = std::mem::take(&mut *self.idle());
        let _entered = self.runtime.enter();
        drop(idle);
    }

    /// Closes all connections once their statements have ended.
    pub async fn close(&self) {
        // The pool counts as closed from here on, so no connection is kept.
        let closing = self.pool.close();
        self.give_back();
        closing.await;
    }
}

/// Detaches idle connections: dropping one would spawn a task on a runtime that may have ended.
impl Drop for PostgresPool {
    fn drop(&mut self) {
        let idle = self.idle.get_mut().unwrap_or_else(PoisonError::into_inner);
        idle.drain(..).for_each(|idle| drop(idle.connection.detach()));
    }
}

impl fmt::Debug for PostgresPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresPool").finish_non_exhaustive()
    }
}

impl fmt::Debug for PooledConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PooledConnection").field("is_clean", &self.is_clean).finish_non_exhaustive()
    }
}

impl Drop for PooledConnection {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let _entered = self.pool.runtime.enter();
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_clean {
            if !self.pool.pool.is_closed() && self.taken.elapsed() < MAX_LIFETIME {
                idle.push(Idle { connection, taken: self.taken, since: Instant::now() });
            } else {
                drop((idle, connection));
            }
            return;
        }
        // The cause, such as a restarted server, may have broken the idle ones, too.
        let beside = std::mem::take(&mut *idle);
        drop((idle, beside));
        let (back, place) = (connection.return_to_pool(), self.place.take());
        self.pool.runtime.spawn(async move {
            back.await;
            drop(place);
        });
    }
}

impl PooledConnection {
    /// Runs one statement. A cancelled or failed statement leaves the connection marked as not clean.
    async fn run<T>(
        &mut self,
        is_outside: bool,
        run: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        self.is_clean = false;
        let started = Instant::now();
        let connection = self.connection.as_mut().expect("it is there until it is dropped");
        let done = run(connection).await;
        self.pool.statements.fetch_add(1, Ordering::Relaxed);
        metrics::histogram!("rapport_sql_seconds").record(started.elapsed().as_secs_f64());
        self.is_clean = is_outside && done.is_ok();
        done
    }

    /// Runs a statement and reads its rows by `layout`.
    pub async fn query(
        &mut self,
        is_outside: bool,
        statement: Statement,
        layout: RowLayout<'_>,
    ) -> Result<Vec<TenantRow>, DbFailure> {
        let rows = async |connection: &mut PgConnection| prepared(statement)?.fetch_all(connection).await;
        let rows = self.run(is_outside, rows).await.map_err(|error| DbFailure::from(query_error(error)))?;
        let found = rows.iter().map(|row| layout.read(|place, kind| kind.read_postgres(row, place)));
        found.collect::<Result<_, _>>().map_err(|error| DbFailure::from(query_error(error)))
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

    /// Runs arbitrary SQL; the connection is not clean afterwards.
    pub async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult, DbErr> {
        let sql = AssertSqlSafe(sql.to_owned());
        let run = async |connection: &mut PgConnection| connection.execute(sql).await;
        self.run(false, run).await.map(ExecResult::from).map_err(exec_error)
    }

    /// Begins or ends a transaction. Inside one, and after a cancelled call, the connection is not clean.
    pub async fn turn(&mut self, sql: &'static str, is_end: bool) -> Result<(), DbErr> {
        self.is_clean = false;
        let connection = self.connection.as_mut().expect("it is there until it is dropped");
        (&mut **connection).execute(sql).await.map_err(query_error)?;
        self.is_clean = is_end;
        Ok(())
    }
}

fn closed(_: AcquireError) -> DbErr {
    DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)
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
        // The type that SeaORM uses for LIMIT.
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
    /// Reads a column of a row. Unchecked: the statement was composed with these kinds.
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
