//! The only module that holds a database connection.

pub mod access;
mod archived;
mod aside;
pub mod audit;
pub mod backup;
pub mod cell;
mod commit;
mod complete;
mod connect;
mod copy;
pub mod cursor;
pub mod draft;
mod erase;
mod erased;
pub mod event;
mod failure;
pub mod filter;
mod find;
mod history;
mod idempotency;
pub mod ledger;
mod line;
pub mod narrow;
pub mod page;
mod part;
mod range;
pub mod reference;
mod related;
mod remembered;
mod remove;
pub mod rollup;
mod rules;
mod scope;
pub mod share;
pub mod sql;
pub mod system;
mod tx;
pub mod whole;
pub mod write;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

pub use aside::ReportRow;
use chrono::{DateTime, Utc};
pub use connect::Options;
use entity::id::OrganizationId;
pub use failure::{Failed, FailureKind};
pub use idempotency::{Claim, KeyUse};
pub use line::Connection;
pub use scope::{ExternalId, Scope, Tx};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, prelude::Uuid};

use self::{
    cell::{Cell, CellKind},
    line::{Answered, Found, Lines},
    share::Shares,
};
use crate::{Error, Result, auth::Actor};

/// An open database. Gives out scopes and nothing else.
///
/// ```compile_fail
/// fn reach(store: &rapport::store::Store) {
///     let _ = &store.reader; // private: there is no way to a connection but through a scope
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Store {
    reader: Lines,
    /// `SQLite`: the one connection that writes. PostgreSQL: the connections that all share.
    writer: Lines,
    /// One connection beside the others, for what must be known also while those are taken.
    lookout: DatabaseConnection,
    /// Transactions of each organization.
    turns: Arc<Shares>,
    /// Connections that each thread of the server has for itself.
    own: u32,
    statements: Arc<AtomicU64>,
    trips: Arc<AtomicU64>,
    options: Arc<Options>,
    /// File that every erasure is written to as well.
    ledger: Option<Arc<PathBuf>>,
    /// Whether something erased may still stand in a file.
    is_unclean: Arc<AtomicBool>,
    /// Which weeks were last seen to be counted for an organization.
    weeks: Arc<rollup::Seen>,
    /// Rows that seldom change.
    remembered: Arc<remembered::Remembered>,
    #[cfg(debug_assertions)]
    switch: Arc<narrow::Switch>,
}

impl Store {
    /// Opens the database; makes the file if the address says so.
    pub async fn open(options: &Options) -> Result<Self> {
        let statements = Arc::new(AtomicU64::new(0));
        let (reader, writer, lookout) = connect::open(options, &statements).await?;
        Ok(Self {
            reader,
            writer,
            lookout,
            turns: Arc::new(Shares::new(options.max_connections as usize / 2)),
            own: 0,
            statements,
            trips: Arc::default(),
            options: Arc::new(options.clone()),
            ledger: None,
            is_unclean: Arc::default(),
            weeks: Arc::default(),
            remembered: Arc::default(),
            #[cfg(debug_assertions)]
            switch: Arc::default(),
        })
    }

    /// The store of a server with so many threads. On PostgreSQL each has some connections for itself, half of all of them
    /// together: see [`Store::of_this_thread`]. No organization's transactions take all that are left.
    #[must_use]
    pub async fn for_threads(mut self, threads: usize) -> Self {
        let threads = u32::try_from(threads).unwrap_or(u32::MAX);
        let most = self.options.max_connections;
        let own = most / 2 / threads;
        if let (Lines::Postgres(kept), 1..) = (self.writer.clone(), own) {
            let shared = most - threads * own;
            self.own = own;
            self.writer = Lines::Postgres(kept.instead(shared));
            self.reader = self.writer.clone();
            self.turns = Arc::new(Shares::new((most / 2).min(shared - 1) as usize));
            kept.close().await;
        }
        self
    }

    /// The store as a thread of the server reads by it, whose runtime this is: an answer comes to it without a way through
    /// another thread. What goes on when the thread has come to its end asks by [`Scope::shared`].
    #[must_use]
    pub fn of_this_thread(&self) -> Self {
        let mut store = self.clone();
        if let (Lines::Postgres(kept), 1..) = (&self.writer, self.own) {
            store.reader = Lines::Postgres(kept.of_this_thread(self.own));
        }
        store
    }

    /// The store without what belongs to a thread.
    #[must_use]
    fn shared(mut self) -> Self {
        if let Lines::Postgres(_) = self.writer {
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

    /// Brings the schema up to date. Several processes may start it at once: one does it, the others wait.
    pub async fn migrate(&self) -> Result<()> {
        connect::migrate(&self.options, &self.writer, &self.statements).await
    }

    /// Refuses with a sentence unless the schema is the one this program needs.
    pub async fn check_schema(&self) -> Result<()> {
        connect::check_schema(&self.reader).await
    }

    /// Whether a query works, on a connection of its own.
    pub async fn ping(&self) -> Result<()> {
        let question = sql::Sql::text_only(self.backend(), "SELECT slug FROM organization LIMIT 1");
        self.lookout.query_one_raw(question).await?;
        Ok(())
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
    pub fn trips(&self) -> u64 {
        self.trips.load(Ordering::Relaxed)
    }

    /// The tripwire: a row of another organization is a bug and an alarm, never an answer.
    fn trip(&self, found: Option<Uuid>, wanted: OrganizationId) -> Result<()> {
        if found == Some(wanted.0) {
            return Ok(());
        }
        self.trips.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("rapport_tripwire_total").increment(1);
        Err(Error::internal("a statement answered with a row of another organization"))
    }

    /// Rows of one organization, from a statement whose first column is the organization.
    async fn found(
        &self,
        connection: &impl Connection,
        sql: sql::Sql,
        kinds: &[CellKind],
        organization: OrganizationId,
    ) -> Result<Vec<Vec<Cell>>> {
        let found = connection.found(sql.finish(), Answered { has_parent: false, kinds }).await?;
        let own = |row: Found| self.trip(row.tenant, organization).map(|()| row.cells);
        found.into_iter().map(own).collect()
    }

    /// The organizations that a statement of its own about all of them answers with.
    async fn owners(&self, sql: sql::Sql) -> Result<Vec<OrganizationId>> {
        let found = self.reader.read(sql.finish(), Answered { has_parent: false, kinds: &[] }).await?;
        Ok(found.into_iter().filter_map(|row| row.tenant).map(OrganizationId).collect())
    }

    /// Starts a statement.
    fn sql(&self) -> sql::Sql {
        let sql = sql::Sql::new(self.backend());
        #[cfg(debug_assertions)]
        let sql = sql.watched(&self.switch);
        sql
    }

    /// Closes every connection, after their statements have ended.
    pub async fn close(self) -> Result<()> {
        // Who closes a file of SQLite last takes its log into it, which a reader cannot.
        self.reader.close().await?;
        self.lookout.clone().close().await?;
        self.writer.close().await.map_err(Error::from)
    }

    fn backend(&self) -> DbBackend {
        self.reader.get_database_backend()
    }
}
