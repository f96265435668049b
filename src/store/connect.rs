//! Opens connections with the settings that keep writes safe, and brings the schema up to date.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, TransactionTrait};
use sqlx::{
    Executor,
    sqlite::{SqliteJournalMode, SqliteLockingMode, SqliteSynchronous},
};

use super::{
    line::{Kept, Lines, Readers, Writer},
    sql::Sql,
};
use crate::{Error, Result};

/// How to reach the database.
#[derive(Clone)]
pub struct Options {
    /// `sqlite://FILE?mode=rwc` or `postgres://…`.
    pub url: String,
    /// Most connections to hold (PostgreSQL), most readers (`SQLite`).
    pub max_connections: u32,
    /// How long to wait for a connection while all are taken, or while the server is slow to give one.
    pub patience: Duration,
}

impl Options {
    /// The patience of a server: an answer within a second must still be possible.
    pub const BRIEF: Duration = Duration::from_millis(800);
    /// The patience of a command, which nobody else waits for.
    pub const LONG: Duration = Duration::from_secs(30);
}

/// The address may hold a password.
impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("max_connections", &self.max_connections).finish_non_exhaustive()
    }
}

/// Number of the advisory lock that migrations take on PostgreSQL.
const MIGRATION_LOCK: i64 = 0x0072_6170_706f_7274;

/// Most bytes of a `SQLite` file that are read as memory: as many as it takes. Only what is read counts as resident.
pub(super) const MAPPED: i64 = 0x7fff_0000;

/// How long to wait for a lock.
const LOCK: Duration = Duration::from_secs(2);
/// How long to wait for the right to write on `SQLite`, where all take turns.
const TURN: Duration = Duration::from_secs(3);

/// How long the lookout may take to be connected: longer than a caller waits, for nobody waits for it all that time. A
/// PostgreSQL that has just come back is slow to let the first ones in.
const LOOKOUT: Duration = Duration::from_secs(3);

/// Opens the readers, the writer and the lookout.
pub(super) async fn open(options: &Options, statements: &Arc<AtomicU64>) -> Result<(Lines, Lines, DatabaseConnection)> {
    let most = options.max_connections;
    let one_later = |mut options: ConnectOptions| {
        options.min_connections(0).connect_lazy(true);
        options
    };
    if options.url.starts_with("postgres") {
        let pool = connect(postgres(options, most), statements).await?;
        let pool = pool.get_postgres_connection_pool().clone();
        let pool = Lines::Postgres(Kept::new(pool, most, options.patience, statements));
        let mut one = postgres(options, 1);
        // Nobody begins a transaction there, and each ROLLBACK would leave a warning in PostgreSQL's log.
        one.acquire_timeout(LOOKOUT)
            .map_sqlx_postgres_pool_opts(|pool| pool.after_release(|_, _| Box::pin(async { Ok(true) })));
        let lookout = connect(one_later(one), statements).await?;
        return Ok((pool.clone(), pool, lookout));
    }
    // It makes the file, and its mode.
    let first = connect(sqlite(&options.url, 1, TURN), statements).await?;
    let file = first.get_sqlite_connection_pool().connect_options().get_filename().to_owned();
    first.close().await?;
    let (writer, readers) =
        (Writer::new(file.clone(), TURN, statements), Readers::new(file, most, options.patience, statements));
    let others = connect(one_later(sqlite(&options.url, most, options.patience)), statements).await?;
    let lookout = connect(one_later(sqlite(&options.url, 1, options.patience)), statements).await?;
    Ok((Lines::Readers(readers, others), Lines::Writer(writer), lookout))
}

/// How long a transaction waits for its turn among those of its organization.
pub(super) const fn turn(backend: DbBackend) -> Duration {
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

fn postgres(options: &Options, connections: u32) -> ConnectOptions {
    let mut connect = ConnectOptions::new(&options.url);
    connect
        .max_connections(connections)
        .acquire_timeout(options.patience)
        .connect_timeout(Duration::from_secs(5))
        .test_before_acquire(false)
        .test_before_acquire_if_idle_for(Duration::from_secs(5))
        .set_application_name("rapport")
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_postgres_opts(|connect| {
            connect.statement_cache_capacity(512).options([
                ("statement_timeout", "5s"),
                ("lock_timeout", "2s"),
                ("idle_in_transaction_session_timeout", "10s"),
                // A ROLLBACK where nothing is open is worth a warning.
                ("client_min_messages", "error"),
            ])
        })
        // A future dropped while BEGIN is in flight gives the pool a connection with an open
        // transaction: the next borrower's acknowledged writes would vanish.
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

fn sqlite(url: &str, connections: u32, patience: Duration) -> ConnectOptions {
    let mut connect = ConnectOptions::new(url);
    connect
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(patience)
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_sqlite_opts(|connect| {
            let connect = connect
                .foreign_keys(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(LOCK)
                .statement_cache_capacity(256)
                .pragma("mmap_size", MAPPED.to_string())
                // What is deleted is overwritten: an erased person must not be left between the rows.
                .pragma("secure_delete", "ON");
            #[cfg(debug_assertions)]
            if let Some(most) = crate::faults::most_pages() {
                return connect.pragma("max_page_count", most.to_string());
            }
            connect
        });
    connect
}

/// Connections of PostgreSQL for long work: the time-outs that protect a server would cut it short.
pub(super) async fn patient(options: &Options, statements: &Arc<AtomicU64>) -> Result<DatabaseConnection> {
    let mut connect_options = ConnectOptions::new(&options.url);
    connect_options.max_connections(2).sqlx_logging(false).record_stmt_in_spans(false);
    connect(connect_options, statements).await
}

/// A connection to a `SQLite` file that lets nobody else in once it has read. Fails if somebody is.
pub(super) async fn exclusive(url: &str) -> Result<DatabaseConnection> {
    let mut connect_options = sqlite(url, 1, Options::BRIEF);
    connect_options.map_sqlx_sqlite_opts(|connect| {
        let connect = connect.locking_mode(SqliteLockingMode::Exclusive).journal_mode(SqliteJournalMode::Wal);
        connect.busy_timeout(Duration::from_millis(500)).create_if_missing(false)
    });
    connect(connect_options, &Arc::default()).await
}

/// Runs the migrations under a lock: the migrator itself takes none.
pub(super) async fn migrate(options: &Options, writer: &Lines, statements: &Arc<AtomicU64>) -> Result<()> {
    if let Lines::Writer(_) = writer {
        let connection = connect(sqlite(&options.url, 1, TURN), statements).await?;
        Migrator::up(&connection, None).await?;
        return Ok(connection.close().await?);
    }
    // One connection for the lock and one for the steps.
    let pool = patient(options, statements).await?;
    let guard = pool.begin().await?;
    let mut lock = Sql::new(DbBackend::Postgres);
    lock.push("SELECT pg_advisory_xact_lock(").bind(MIGRATION_LOCK).push(")");
    guard.execute_raw(lock.finish()).await?;
    let done = Migrator::up(&pool, None).await;
    guard.commit().await?;
    pool.close().await?;
    Ok(done?)
}

/// Refuses a database whose schema is older. A newer one is allowed: a rolling update migrates first.
pub(super) async fn check_schema(reader: &Lines) -> Result<()> {
    let wanted = Migrator::migrations().len();
    let statement = Sql::text_only(reader.get_database_backend(), "SELECT COUNT(*) FROM seaql_migrations");
    let found: i64 = match reader.query_one_raw(statement).await {
        Ok(Some(row)) => row.try_get_by_index(0)?,
        _ => 0,
    };
    if usize::try_from(found).unwrap_or(0) < wanted {
        return Err(Error::internal(format!(
            "the database has {found} of {wanted} schema steps; run `rapport migrate` first"
        )));
    }
    Ok(())
}
