//! The only module that holds a database connection.

pub mod audit;
mod driver;
pub mod erasure;
mod failure;
pub mod operation;
pub mod paging;
pub mod rollup;
mod scope;
pub mod statement;
pub mod transaction;
mod tx;
pub mod usage;
pub mod writing;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use chrono::{DateTime, Utc};
pub use driver::Connection;
use entity::id::OrganizationId;
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
    operation::{connect::Opened, postgres_checks::Server},
    statement::cell::{Cell, CellKind},
    usage::tenant_limiter::TenantLimiter,
};
use crate::{
    Error, Result,
    auth::{Actor, signed_url::UrlSigner},
};

/// An open database. Gives out scopes and nothing else.
///
/// ```compile_fail
/// fn reach(store: &rapport::store::Store) {
///     let _ = &store.reader; // private: there is no way to a connection but through a scope
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Store {
    reader: Pools,
    /// `SQLite`: the one connection that writes. PostgreSQL: the connections that all share.
    writer: Pools,
    /// One connection beside the others, for what must be known also while those are taken.
    control: DatabaseConnection,
    /// Transactions of each organization.
    transaction_permits: Arc<TenantLimiter>,
    /// Where computations for callers run.
    compute: usage::compute::ComputePool,
    /// Connections that each thread of the server has for itself.
    own: u32,
    statements: Arc<AtomicU64>,
    tenant_violations: Arc<AtomicU64>,
    options: Arc<Options>,
    address: Arc<Address>,
    /// What the server is like, if the database is one.
    server: Arc<Server>,
    /// File that every erasure is written to as well.
    ledger: Option<Arc<PathBuf>>,
    /// Whether something erased may still stand in a file.
    is_unclean: Arc<AtomicBool>,
    /// Jobs that began here.
    begun: Arc<operation::jobs::Begun>,
    /// Which weeks were last seen to be counted for an organization.
    weeks: Arc<rollup::RollupStateCache>,
    /// Rows that seldom change.
    row_cache: Arc<transaction::row_cache::RowCache>,
    /// Signs addresses, if this server has a key.
    addresses: Option<Arc<UrlSigner>>,
    #[cfg(debug_assertions)]
    switch: Arc<statement::tenant_check::Switch>,
}

impl Store {
    /// Opens the database; makes the file if the address says so.
    pub async fn open(options: &Options) -> Result<Self> {
        let statements = Arc::new(AtomicU64::new(0));
        let Opened { readers, writer, control, address, server } =
            operation::connect::open(options, &statements).await?;
        Ok(Self {
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
            begun: Arc::default(),
            weeks: Arc::default(),
            row_cache: Arc::default(),
            addresses: None,
            #[cfg(debug_assertions)]
            switch: Arc::default(),
        })
    }

    /// The store of a server with so many threads. On PostgreSQL each has some connections for itself, half of all of them
    /// together: see [`Store::for_worker`]. No organization's transactions take all that are left.
    #[must_use]
    pub async fn with_worker_pools(mut self, threads: usize) -> Self {
        let threads = u32::try_from(threads).unwrap_or(u32::MAX);
        let most = self.options.max_connections;
        let own = most / 2 / threads;
        if let (Pools::Postgres(pool), 1..) = (self.writer.clone(), own) {
            let shared = most - threads * own;
            self.own = own;
            self.writer = Pools::Postgres(pool.resized(shared));
            self.reader = self.writer.clone();
            self.transaction_permits = Arc::new(TenantLimiter::new((most / 2).min(shared - 1) as usize));
            pool.close().await;
        }
        self
    }

    /// The store as a thread of the server reads by it, whose runtime this is: an answer comes to it without a way through
    /// another thread. What goes on when the thread has come to its end asks by [`Scope::detached`].
    #[must_use]
    pub fn for_worker(&self) -> Self {
        let mut store = self.clone();
        if let (Pools::Postgres(pool), 1..) = (&self.writer, self.own) {
            store.reader = Pools::Postgres(pool.for_worker(self.own));
        }
        store
    }

    /// The store without what belongs to a thread.
    #[must_use]
    fn detached(mut self) -> Self {
        if let Pools::Postgres(_) = self.writer {
            self.reader = self.writer.clone();
        }
        self
    }

    /// The store that also writes every erasure to this file, before the erasure commits.
    #[must_use]
    pub fn with_erasure_ledger(mut self, file: Option<PathBuf>) -> Self {
        self.ledger = file.map(Arc::new);
        self
    }

    /// The store whose scopes sign addresses.
    #[must_use]
    pub fn with_addresses(mut self, addresses: Option<Arc<UrlSigner>>) -> Self {
        self.addresses = addresses;
        self
    }

    /// Brings the schema up to date. Several processes may start it at once: one does it, the others wait.
    pub async fn migrate(&self) -> Result<()> {
        operation::connect::migrate(&self.address, &self.statements).await?;
        self.read_attributes().await
    }

    /// Refuses with a sentence unless the schema is the one this program needs.
    pub async fn check_schema(&self) -> Result<()> {
        operation::connect::check_schema(&self.reader).await
    }

    /// Whether the schema is brought up to date by whoever opens the database: a file that may be written to is.
    pub fn is_ours_to_change(&self) -> bool {
        matches!(self.writer, Pools::Writer(_))
    }

    /// Refuses a database of our schema that takes no writes, or has no room for them.
    pub async fn must_write(&self) -> Result<()> {
        if self.is_postgres() {
            return self.server.must_write(&self.address);
        }
        let written = match &self.writer {
            // It changes nothing, and must reach the disk all the same.
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

    /// What the server, or a pooler before it, lacks, though it can be done without.
    pub fn wanting(&self) -> Vec<String> {
        if self.is_postgres() { self.server.wanting() } else { Vec::new() }
    }

    /// Whether a query works and the server takes writes, on a connection of its own. Reads no organization's rows.
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

    /// Most connections for requests.
    pub fn connections(&self) -> u32 {
        self.options.max_connections
    }

    /// What `actor` may see and do.
    pub fn scope(&self, actor: Actor, now: DateTime<Utc>) -> Scope {
        Scope::new(self.clone(), actor, now)
    }

    /// Whether this is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.backend() == DbBackend::Postgres
    }

    /// How many statements have run since the store was opened.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// How often the tripwire kept a row of another organization from an answer: each time is a bug.
    pub fn tenant_violations(&self) -> u64 {
        self.tenant_violations.load(Ordering::Relaxed)
    }

    /// The tripwire: a row of another organization is a bug and an alarm, never an answer.
    fn verify_tenant(&self, found: Option<Uuid>, wanted: OrganizationId) -> Result<()> {
        if found == Some(wanted.0) {
            return Ok(());
        }
        self.tenant_violations.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("rapport_tripwire_total").increment(1);
        Err(Error::internal("a statement answered with a row of another organization"))
    }

    /// Rows of one organization, from a statement whose first column is the organization.
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

    /// The organizations that a statement of its own about all of them answers with.
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

    /// Closes every connection, after their statements have ended.
    pub async fn close(self) -> Result<()> {
        // Who closes a file of SQLite last takes its log into it, which a reader cannot.
        self.reader.close().await?;
        self.control.clone().close().await?;
        self.writer.close().await.map_err(Error::from)
    }

    /// Whether all who write share one connection: `SQLite`.
    pub fn has_one_writer(&self) -> bool {
        self.backend() == DbBackend::Sqlite
    }

    fn backend(&self) -> DbBackend {
        self.reader.get_database_backend()
    }
}
