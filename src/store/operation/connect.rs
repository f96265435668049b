//! Opens connections with the settings that keep writes safe, and runs migrations.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use migration::{Migrator, MigratorTrait};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, TransactionTrait,
};
use sqlx::{
    ConnectOptions as _, Executor,
    postgres::PgConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode, SqliteSynchronous},
};

use super::{
    diagnosis::Cause,
    postgres_checks::{NO_TIMES, SESSION, Server, TIMES},
    sqlite_file,
};
use crate::{
    Error, Result,
    store::{
        Address, Mode, SqliteFile,
        driver::{Pools, PostgresPool, Readers, Writer},
        statement::builder::Sql,
    },
};

/// Connection settings.
#[derive(Clone)]
pub struct Options {
    /// The database URL, see [`Address::parse`].
    pub url: String,
    /// Maximum number of connections (PostgreSQL) or readers (`SQLite`).
    pub max_connections: u32,
    /// Timeout for acquiring a connection, whether all are in use or the server is slow to open one.
    pub acquire_timeout: Duration,
}

impl Options {
    /// Acquire timeout of a server: it leaves time for a response within a second.
    pub const SERVER_TIMEOUT: Duration = Duration::from_millis(800);
    /// Acquire timeout of a command, which delays no other caller.
    pub const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);
}

/// Omits the URL, which may contain a password.
impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("max_connections", &self.max_connections).finish_non_exhaustive()
    }
}

/// Number of the advisory lock that migrations take on PostgreSQL.
const MIGRATION_LOCK: i64 = 0x0072_6170_706f_7274;

/// Value of `mmap_size`, in bytes: the maximum that `SQLite` accepts. Only pages that are read count as resident
/// memory.
pub(in crate::store) const MAPPED: i64 = 0x7fff_0000;

/// Timeout for a lock.
const LOCK: Duration = Duration::from_secs(2);
/// Timeout for the write lock on `SQLite`, where all writers take turns.
const TURN: Duration = Duration::from_secs(3);

/// Timeout for connecting the control connection: longer than the timeout of a caller, because no caller waits for all
/// of it. A PostgreSQL server that has just restarted is slow to accept the first connections.
const CONTROL_TIMEOUT: Duration = Duration::from_secs(3);

/// The opened connections.
pub(in crate::store) struct Opened {
    pub readers: Pools,
    pub writer: Pools,
    pub control: DatabaseConnection,
    pub address: Address,
    /// Settings of the PostgreSQL server; the default for `SQLite`.
    pub server: Server,
}

/// Opens the readers, the writer and the control connection.
pub(in crate::store) async fn open(options: &Options, statements: &Arc<AtomicU64>) -> Result<Opened> {
    let address = Address::parse(&options.url).map_err(|reason| Cause(format!("--database-url: {reason}")))?;
    let most = options.max_connections;
    let one_later = |mut options: ConnectOptions| {
        options.min_connections(0).connect_lazy(true);
        options
    };
    let file = match &address {
        Address::Sqlite(file) => file.clone(),
        Address::Postgres(server) => {
            let session = session(server, &TIMES);
            let server = Server::ask(&session, &address).await?;
            let pool = connect(postgres(&session, options.acquire_timeout, most), statements).await?;
            let pool = pool.get_postgres_connection_pool().clone();
            let pool = Pools::Postgres(PostgresPool::new(pool, most, options.acquire_timeout, statements));
            let mut one = postgres(&session, options.acquire_timeout, 1);
            // No transaction is begun on this connection, and each ROLLBACK would write a warning to PostgreSQL's log.
            one.acquire_timeout(CONTROL_TIMEOUT)
                .map_sqlx_postgres_pool_opts(|pool| pool.after_release(|_, _| Box::pin(async { Ok(true) })));
            let control = connect(one_later(one), statements).await?;
            return Ok(Opened { readers: pool.clone(), writer: pool, control, address, server });
        }
    };
    {
        // Another process may be creating the same file, or switching it to a write-ahead log.
        let _alone = sqlite_file::lock(&file.path).await?;
        sqlite_file::make(&file)?;
        // Sets the journal mode of the file.
        let first =
            connect(sqlite(&file, 1, TURN), statements).await.map_err(|error| sqlite_file::explain(&file, error))?;
        first.close().await?;
    }
    let path = file.path.clone();
    let readers = Readers::new(path.clone(), most, options.acquire_timeout, statements);
    let others = connect(one_later(sqlite(&file, most, options.acquire_timeout)), statements).await?;
    let control = connect(one_later(sqlite(&file, 1, options.acquire_timeout)), statements).await?;
    let readers = Pools::Readers(readers, others);
    let writer = match file.mode {
        Mode::Read => readers.clone(),
        Mode::Write | Mode::Make => Pools::Writer(Writer::new(path, TURN, statements)),
    };
    Ok(Opened { readers, writer, control, address, server: Server::default() })
}

/// Timeout of a transaction that waits for a permit of its organization.
pub(in crate::store) const fn turn(backend: DbBackend) -> Duration {
    if matches!(backend, DbBackend::Postgres) { LOCK } else { TURN }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that connects")]
async fn connect(options: ConnectOptions, statements: &Arc<AtomicU64>) -> Result<DatabaseConnection> {
    let mut connection = Database::connect(options).await?;
    let statements = Arc::clone(statements);
    connection.set_metric_callback(move |info| {
        statements.fetch_add(1, Ordering::Relaxed);
        metrics::histogram!("rapport_sql_seconds").record(info.elapsed.as_secs_f64());
    });
    Ok(connection)
}

/// Returns the connection options with the required session settings and these timeouts.
fn session(server: &PgConnectOptions, times: &[(&str, &str); 3]) -> PgConnectOptions {
    server
        .clone()
        .statement_cache_capacity(512)
        .application_name("rapport")
        .options(SESSION)
        .options(times.iter().copied())
}

fn postgres(session: &PgConnectOptions, acquire_timeout: Duration, connections: u32) -> ConnectOptions {
    // The URL is a placeholder: the session options below replace it, because the driver would parse a URL differently.
    let (mut connect, session) = (ConnectOptions::new("postgres://localhost"), session.clone());
    connect
        .max_connections(connections)
        .acquire_timeout(acquire_timeout)
        .connect_timeout(Duration::from_secs(5))
        .test_before_acquire(false)
        .test_before_acquire_if_idle_for(Duration::from_secs(5))
        .record_stmt_in_spans(false)
        .map_sqlx_postgres_opts(move |_| session.clone().disable_statement_logging())
        // A future that is dropped while BEGIN is in flight returns a connection with an open transaction to the pool:
        // acknowledged writes of the next user would be lost.
        .map_sqlx_postgres_pool_opts(|pool| {
            pool.after_release(|connection, _| {
                Box::pin(async move {
                    connection.execute("ROLLBACK").await?;
                    Ok(true)
                })
            })
        });
    connect
}

fn sqlite(file: &SqliteFile, connections: u32, acquire_timeout: Duration) -> ConnectOptions {
    let (mut connect, file) = (ConnectOptions::new("sqlite://file"), file_options(file));
    connect
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(acquire_timeout)
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .test_before_acquire(false)
        .record_stmt_in_spans(false)
        .map_sqlx_sqlite_opts(move |_| file.clone());
    connect
}

fn file_options(file: &SqliteFile) -> SqliteConnectOptions {
    let connect = file
        .options()
        .create_if_missing(false)
        .disable_statement_logging()
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(LOCK)
        .statement_cache_capacity(256)
        .pragma("mmap_size", MAPPED.to_string())
        // Overwrites deleted data with zeros: data about an erased person must not remain between the rows.
        .pragma("secure_delete", "ON");
    #[cfg(debug_assertions)]
    if let Some(most) = crate::faults::most_pages() {
        return connect.pragma("max_page_count", most.to_string());
    }
    connect
}

/// Opens PostgreSQL connections for long-running work, without the timeouts of a server.
pub(in crate::store) async fn without_timeouts(
    address: &Address,
    statements: &Arc<AtomicU64>,
) -> Result<DatabaseConnection> {
    let Address::Postgres(server) = address else { return Err(Error::internal("this is a file")) };
    let mut options = postgres(&session(server, &NO_TIMES), Options::COMMAND_TIMEOUT, 2);
    // No future is dropped half-way here, and each ROLLBACK would write a warning to the log.
    options.map_sqlx_postgres_pool_opts(|pool| pool.after_release(|_, _| Box::pin(async { Ok(true) })));
    connect(options, statements).await
}

/// Opens a connection to a `SQLite` file that locks the file exclusively at its first read. Err if another connection
/// has a lock.
pub(in crate::store) async fn exclusive(file: &SqliteFile) -> Result<DatabaseConnection> {
    let mut connect_options = sqlite(file, 1, Options::SERVER_TIMEOUT);
    let execute_exclusive =
        file_options(file).locking_mode(SqliteLockingMode::Exclusive).busy_timeout(Duration::from_millis(500));
    connect_options.map_sqlx_sqlite_opts(move |_| execute_exclusive.clone());
    connect(connect_options, &Arc::default()).await
}

/// Runs the migrations under a lock, because the migrator itself takes none.
pub(in crate::store) async fn migrate(address: &Address, statements: &Arc<AtomicU64>) -> Result<()> {
    if let Address::Sqlite(file) = address {
        let _alone = sqlite_file::lock(&file.path).await?;
        let connection = connect(sqlite(file, 1, TURN), statements).await?;
        let done = Migrator::up(&connection, None).await;
        connection.close().await?;
        return done.map_err(|error| sqlite_file::explain(file, error.into()));
    }
    // One connection holds the lock, the other one runs the migrations.
    let pool = without_timeouts(address, statements).await?;
    let guard = begin_without_timeouts(&pool).await?;
    let mut lock = Sql::new(DbBackend::Postgres);
    lock.push("SELECT pg_advisory_xact_lock(").bind(MIGRATION_LOCK).push(")");
    guard.execute_raw(lock.finish()).await?;
    let done = migrate_each(&pool).await;
    guard.commit().await?;
    pool.close().await?;
    done
}

/// Runs the pending migrations, each in a transaction of its own.
async fn migrate_each(pool: &DatabaseConnection) -> Result<()> {
    loop {
        let transaction = begin_without_timeouts(pool).await?;
        let is_pending = !Migrator::get_pending_migrations(&transaction).await?.is_empty();
        if is_pending {
            Migrator::up(&transaction, Some(1)).await?;
        }
        transaction.commit().await?;
        if !is_pending {
            return Ok(());
        }
    }
}

/// Begins a transaction without timeouts, also behind poolers that drop the startup parameters of a session.
async fn begin_without_timeouts(pool: &DatabaseConnection) -> Result<DatabaseTransaction> {
    let transaction = pool.begin().await?;
    for (setting, _) in NO_TIMES {
        let mut sql = Sql::new(DbBackend::Postgres);
        sql.push("SELECT set_config(").bind(setting).push(", '0', true)");
        transaction.execute_raw(sql.finish()).await?;
    }
    Ok(transaction)
}

/// Err if the schema is older than this program. A newer schema is allowed: a rolling update migrates first.
pub(in crate::store) async fn check_schema(reader: &Pools) -> Result<()> {
    let backend = reader.get_database_backend();
    let there = match backend {
        DbBackend::Postgres => {
            "SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'seaql_migrations'"
        }
        _ => "SELECT COUNT(*) FROM sqlite_master WHERE name = 'seaql_migrations'",
    };
    let count = async |sql: &'static str| -> Result<usize> {
        let row = reader.query_one_raw(Sql::text_only(backend, sql)).await?;
        let found: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
        Ok(usize::try_from(found).unwrap_or(0))
    };
    let wanted = Migrator::migrations().len();
    let found = if count(there).await? == 0 { 0 } else { count("SELECT COUNT(*) FROM seaql_migrations").await? };
    if found < wanted {
        let said = format!("the database has {found} of {wanted} schema steps; run `rapport migrate` first");
        return Err(Cause(said).into());
    }
    Ok(())
}
