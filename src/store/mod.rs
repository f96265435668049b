//! The only module that holds a database connection.

pub mod cell;
mod connect;
pub mod cursor;
pub mod draft;
pub mod event;
mod failure;
pub mod filter;
mod find;
mod idempotency;
pub mod page;
pub mod reference;
mod remove;
mod scope;
pub mod sql;
pub mod system;
pub mod write;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, Utc};
pub use connect::Options;
pub use failure::{FailureKind, failure_kind};
pub use idempotency::Claim;
pub use scope::{ExternalId, Scope, Tx};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend};

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
    reader: DatabaseConnection,
    /// `SQLite`: the one connection that writes. PostgreSQL: the same pool.
    writer: DatabaseConnection,
    statements: Arc<AtomicU64>,
    options: Arc<Options>,
}

impl Store {
    /// Opens the database; makes the file if the address says so.
    pub async fn open(options: &Options) -> Result<Self> {
        let statements = Arc::new(AtomicU64::new(0));
        let (reader, writer) = connect::open(options, &statements).await?;
        Ok(Self { reader, writer, statements, options: Arc::new(options.clone()) })
    }

    /// Brings the schema up to date. Several processes may start it at once: one does it, the others wait.
    pub async fn migrate(&self) -> Result<()> {
        connect::migrate(&self.options, &self.writer, &self.statements).await
    }

    /// Refuses with a sentence unless the schema is the one this program needs.
    pub async fn check_schema(&self) -> Result<()> {
        connect::check_schema(&self.reader).await
    }

    /// Whether a query works.
    pub async fn ping(&self) -> Result<()> {
        self.reader.query_one_raw(sql::Sql::text_only(self.backend(), "SELECT COUNT(*) FROM organization")).await?;
        Ok(())
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

    /// Closes every connection, after their statements have ended.
    pub async fn close(self) -> Result<()> {
        self.writer.clone().close().await?;
        self.reader.clone().close().await.map_err(Error::from)
    }

    fn backend(&self) -> DbBackend {
        self.reader.get_database_backend()
    }
}
