//! The database layer: the only module that holds database connections.

pub mod audit;
mod driver;
pub mod erasure;
mod failure;
pub mod merging;
pub mod operation;
pub mod paging;
pub mod rollup;
mod scope;
pub mod search;
pub mod statement;
pub mod transaction;
mod tx;
pub mod usage;
pub mod writing;

use std::{
    ops::Deref,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use chrono::{DateTime, Utc};
pub use driver::Connection;
use entity::id::{self, OrganizationId};
pub use erasure::erase::STEP;
pub use erasure::requests::Extent;
pub use erasure::subject_rows::{Place, SubjectRows};
pub use failure::{DbFailure, FailureKind};
pub use operation::connect::Options;
pub use operation::database_url::{Address, Mode, SqliteFile};
pub use scope::{ExternalId, Scope, Tx};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, prelude::Uuid};
pub use transaction::transact::{Effect, Key, Strategy, Transacted};
pub use writing::output::ReportRow;

use self::{
    driver::{Pools, RowLayout, TenantRow},
    operation::{connect::Opened, document_runner::DocumentRunner, jobs::Kind, postgres_checks::Server},
    statement::cell::{Cell, CellKind},
    usage::tenant_limiter::TenantLimiter,
};
use crate::{
    Error, Result,
    auth::{Actor, signed_url::UrlSigner},
    outbound::Outbound,
};

/// An open database. Its data is accessible only through scopes.
///
/// ```compile_fail
/// fn reach(store: &rapport::store::Store) {
///     let _ = &store.reader; // private: there is no way to a connection but through a scope
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Store(Arc<Parts>);

/// The parts of a store. Each request holds the store, so a copy of the store is one counter and not one for each part.
#[derive(Clone, Debug)]
pub struct Parts {
    reader: Pools,
    /// `SQLite`: the single write connection. PostgreSQL: the connection pool that all threads share.
    writer: Pools,
    /// A separate connection for queries that must work while the pools are exhausted.
    control: DatabaseConnection,
    /// Limits the concurrent transactions of each organization.
    transaction_permits: Arc<TenantLimiter>,
    /// Thread pool for computations of requests.
    compute: usage::compute::ComputePool,
    /// Number of connections in the pool of each worker thread; PostgreSQL only.
    own: u32,
    statements: Arc<AtomicU64>,
    tenant_violations: Arc<AtomicU64>,
    options: Arc<Options>,
    address: Arc<Address>,
    /// Settings of the PostgreSQL server; the default for `SQLite`.
    server: Arc<Server>,
    /// File to which every erasure is also written.
    ledger: Option<Arc<PathBuf>>,
    /// Whether erased data may still be in a database file.
    is_unclean: Arc<AtomicBool>,
    /// Id of this server among those on the database, new for each process.
    server_id: Uuid,
    /// Jobs that this server started.
    begun: Arc<operation::jobs::Begun>,
    /// Kinds of jobs besides those of the store itself.
    job_kinds: Arc<[&'static Kind]>,
    /// The organization whose jobs this server claimed last.
    job_turn: Arc<Mutex<Uuid>>,
    /// How often this server has closed an organization.
    closings: Arc<AtomicU64>,
    /// Cache of the rollup state of each organization.
    weeks: Arc<rollup::RollupStateCache>,
    /// Cache of rows that rarely change.
    row_cache: Arc<transaction::row_cache::RowCache>,
    /// Signs URLs; `None` if this server has no signing key.
    addresses: Option<Arc<UrlSigner>>,
    /// Sends requests to addresses that callers give; `None` in a process that sends none.
    outbound: Option<Arc<Outbound>>,
    /// Runs documents of the API; `None` in a process that runs none.
    document_runner: Option<DocumentRunner>,
    #[cfg(debug_assertions)]
    switch: Arc<statement::tenant_check::Switch>,
}

impl Deref for Store {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Store {
    /// Opens the database; creates the file if the database URL says `mode=rwc`.
    pub async fn open(options: &Options) -> Result<Self> {
        let statements = Arc::new(AtomicU64::new(0));
        let Opened { readers, writer, control, address, server } =
            operation::connect::open(options, &statements).await?;
        Ok(Self(Arc::new(Parts {
            writer,
            control,
            address: Arc::new(address),
            server: Arc::new(server),
            transaction_permits: Arc::new(TenantLimiter::new(options.max_connections as usize / 2)),
            compute: usage::compute::ComputePool::half(operation::connect::turn(readers.get_database_backend())),
            reader: readers,
            own: 0,
            statements,
            tenant_violations: Arc::default(),
            options: Arc::new(options.clone()),
            ledger: None,
            is_unclean: Arc::default(),
            server_id: id::new(),
            begun: Arc::default(),
            job_kinds: Arc::default(),
            job_turn: Arc::default(),
            closings: Arc::default(),
            weeks: Arc::default(),
            row_cache: Arc::default(),
            addresses: None,
            outbound: None,
            document_runner: None,
            #[cfg(debug_assertions)]
            switch: Arc::default(),
        })))
    }

    /// Returns the store for a server with `threads` worker threads. On PostgreSQL, half of the connections are divided
    /// into one pool per thread, see [`Store::for_worker`]; the rest form the shared pool, and the transactions of one
    /// organization cannot take all of that pool.
    #[must_use]
    pub async fn with_worker_pools(mut self, threads: usize) -> Self {
        let threads = u32::try_from(threads).unwrap_or(u32::MAX);
        let most = self.options.max_connections;
        let own = most / 2 / threads;
        if let (Pools::Postgres(pool), 1..) = (self.writer.clone(), own) {
            let shared = most - threads * own;
            let parts = Arc::make_mut(&mut self.0);
            parts.own = own;
            parts.writer = Pools::Postgres(pool.resized(shared));
            parts.reader = parts.writer.clone();
            parts.transaction_permits = Arc::new(TenantLimiter::new((most / 2).min(shared - 1) as usize));
            pool.close().await;
        }
        self
    }

    /// Returns the store for the current worker thread: its reads use a pool on this thread's runtime, so that a
    /// response does not pass through another thread. Work that may outlive the thread must use [`Scope::detached`].
    #[must_use]
    pub fn for_worker(&self) -> Self {
        let mut store = self.clone();
        if let (Pools::Postgres(pool), 1..) = (&self.writer, self.own) {
            Arc::make_mut(&mut store.0).reader = Pools::Postgres(pool.for_worker(self.own));
        }
        store
    }

    /// Returns the store without the pool of a worker thread.
    #[must_use]
    fn detached(mut self) -> Self {
        if let Pools::Postgres(_) = self.writer {
            let parts = Arc::make_mut(&mut self.0);
            parts.reader = parts.writer.clone();
        }
        self
    }

    /// Returns the store with an erasure ledger: every erasure is also written to this file, before it commits.
    #[must_use]
    pub fn with_erasure_ledger(mut self, file: Option<PathBuf>) -> Self {
        Arc::make_mut(&mut self.0).ledger = file.map(Arc::new);
        self
    }

    /// Returns the store with kinds of jobs besides its own, which this server then performs, too.
    #[must_use]
    pub fn with_jobs(mut self, kinds: &[&'static Kind]) -> Self {
        Arc::make_mut(&mut self.0).job_kinds = kinds.into();
        self
    }

    /// Returns the store with a signer of URLs for its scopes.
    #[must_use]
    pub fn with_addresses(mut self, addresses: Option<Arc<UrlSigner>>) -> Self {
        Arc::make_mut(&mut self.0).addresses = addresses;
        self
    }

    /// Returns the store with a sender of requests to addresses that callers give.
    #[must_use]
    pub fn with_outbound(mut self, outbound: Outbound) -> Self {
        Arc::make_mut(&mut self.0).outbound = Some(Arc::new(outbound));
        self
    }

    /// Migrates the schema. If several processes do so at once, one of them migrates and the others wait.
    pub async fn migrate(&self) -> Result<()> {
        operation::connect::migrate(&self.address, &self.statements).await?;
        self.read_attributes().await
    }

    /// Err with an explanation unless the schema is the one this program needs.
    pub async fn check_schema(&self) -> Result<()> {
        operation::connect::check_schema(&self.reader).await
    }

    /// Returns whether opening the database also migrates the schema: true for a writable `SQLite` file.
    pub fn is_ours_to_change(&self) -> bool {
        matches!(self.writer, Pools::Writer(_))
    }

    /// Err unless the database, which has the schema of this program, accepts writes and has disk space for them.
    pub async fn must_write(&self) -> Result<()> {
        if self.is_postgres() {
            return self.server.must_write(&self.address);
        }
        let written = match &self.writer {
            // Changes no value, but must be written to disk.
            Pools::Writer(_) => {
                self.execute_exclusive("UPDATE seaql_migrations SET applied_at = applied_at").await.map(drop)
            }
            _ => Err(DbFailure::ReadOnly.into()),
        };
        written.map_err(|error| match self.address.file() {
            Some(file) => operation::sqlite_file::explain(file, error),
            None => error,
        })
    }

    /// Returns messages about optional settings that the PostgreSQL server or a connection pooler lacks.
    pub fn unmet_requirements(&self) -> Vec<String> {
        if self.is_postgres() { self.server.unmet_requirements() } else { Vec::new() }
    }

    /// Checks on the control connection that a query works and that the server accepts writes. Reads no rows of an
    /// organization.
    pub async fn ping(&self) -> Result<()> {
        let question = if self.is_postgres() {
            "SELECT current_setting('transaction_read_only') FROM seaql_migrations LIMIT 1"
        } else {
            "SELECT 'off' FROM seaql_migrations LIMIT 1"
        };
        let answer = self.control.query_one_raw(statement::builder::Sql::text_only(self.backend(), question)).await?;
        let only_reads: String = answer.map_or(Ok(String::new()), |row| row.try_get_by_index(0))?;
        if only_reads == "on" { Err(DbFailure::ReadOnly.into()) } else { Ok(()) }
    }

    /// Maximum number of connections for requests.
    pub fn connections(&self) -> u32 {
        self.options.max_connections
    }

    /// Returns a scope for `actor`, at the time `now`.
    pub fn scope(&self, actor: Actor, now: DateTime<Utc>) -> Scope {
        Scope::new(self.clone(), actor, now)
    }

    /// Returns whether the database is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.backend() == DbBackend::Postgres
    }

    /// Number of statements executed since the store was opened.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Number of rows of another organization that a query returned and the tenant check caught: each one is a bug.
    pub fn tenant_violations(&self) -> u64 {
        self.tenant_violations.load(Ordering::Relaxed)
    }

    /// How often this server has closed an organization: each time, revocations that were read before are outdated.
    pub fn closings(&self) -> u64 {
        self.closings.load(Ordering::Acquire)
    }

    /// The tenant check: a row of another organization is a bug; it is counted and not returned.
    fn verify_tenant(&self, found: Option<Uuid>, wanted: OrganizationId) -> Result<()> {
        if found == Some(wanted.0) {
            return Ok(());
        }
        self.tenant_violations.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("rapport_tripwire_total").increment(1);
        Err(Error::internal("a statement answered with a row of another organization"))
    }

    /// Runs a query whose first column is the organization, and returns the rows; Err if a row belongs to another
    /// organization.
    async fn query(
        &self,
        connection: &impl Connection,
        sql: statement::builder::Sql,
        kinds: &[CellKind],
        organization: OrganizationId,
    ) -> Result<Vec<Vec<Cell>>> {
        let found = connection.query(sql.finish(), RowLayout { has_parent: false, kinds }).await?;
        let own = |row: TenantRow| self.verify_tenant(row.tenant, organization).map(|()| row.cells);
        found.into_iter().map(own).collect()
    }

    /// Runs a query across all organizations, and returns the organization in the first column of each row.
    async fn owners(&self, sql: statement::builder::Sql) -> Result<Vec<OrganizationId>> {
        let found = self.reader.read(sql.finish(), RowLayout { has_parent: false, kinds: &[] }).await?;
        Ok(found.into_iter().filter_map(|row| row.tenant).map(OrganizationId).collect())
    }

    /// Starts a statement.
    fn sql(&self) -> statement::builder::Sql {
        let sql = statement::builder::Sql::new(self.backend());
        #[cfg(debug_assertions)]
        let sql = sql.watched(&self.switch);
        sql
    }

    /// Closes every connection after its statements have ended.
    pub async fn close(self) -> Result<()> {
        // The last connection to a `SQLite` file checkpoints the write-ahead log when it is closed, which a reader
        // cannot do.
        self.reader.close().await?;
        self.control.clone().close().await?;
        self.writer.close().await.map_err(Error::from)
    }

    /// Returns whether all writes share one connection: true for `SQLite`.
    pub fn has_one_writer(&self) -> bool {
        self.backend() == DbBackend::Sqlite
    }

    fn backend(&self) -> DbBackend {
        self.reader.get_database_backend()
    }
}
