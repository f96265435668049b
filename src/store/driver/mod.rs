//! Connections and transactions of both databases.

mod checkpoint;
mod group_commit;
mod postgres;
mod postgres_transaction;
mod read_pool;
mod sqlite;
mod write_batch;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use entity::id::OrganizationId;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, Statement, prelude::Uuid,
};

pub use self::{
    group_commit::{Savepoint, Writer},
    postgres::{PooledConnection, PostgresPool},
    postgres_transaction::PostgresTransaction,
    read_pool::Readers,
    write_batch::WriteBatch,
};
use super::{
    failure::DbFailure,
    operation::diagnosis,
    statement::cell::{Cell, CellKind},
    transaction::unit_of_work::UnitOfWork,
    usage::meter::Meter,
};

/// A statement that took longer yields to the other tasks of its thread.
const YIELD_AFTER: Duration = Duration::from_micros(500);

/// A row with its tenant.
#[derive(Debug)]
pub struct TenantRow {
    /// The organization of the row.
    pub tenant: Option<Uuid>,
    /// The parent of the row, if the statement reads children.
    pub parent: Option<Uuid>,
    /// The selected columns.
    pub cells: Vec<Cell>,
}

/// The columns of a result: a parent, if any, the tenant, then the selected ones.
#[derive(Clone, Copy, Debug)]
pub struct RowLayout<'a> {
    /// Whether the first column is the id of the parent. The next one is the tenant.
    pub has_parent: bool,
    /// Kinds of the selected columns.
    pub kinds: &'a [CellKind],
}

/// The parents for which a statement runs once each, and the parameters that take their ids.
#[derive(Clone, Copy, Debug)]
pub struct PerParent<'a> {
    /// The parents.
    pub parents: &'a [Uuid],
    /// Indexes of the parameters.
    pub places: &'a [usize],
}

/// Who is charged for a transaction; by default the server itself.
#[derive(Clone, Debug, Default)]
pub struct Payer {
    /// The organization whose turn it takes in the queue of the writer.
    pub organization: Option<OrganizationId>,
    /// Records its cost.
    pub meter: Arc<Meter>,
}

/// Runs statements: on pooled connections or in a transaction.
pub trait Connection: Send + Sync {
    /// The transaction, if the statements run in one.
    fn unit_of_work(&self) -> Option<&UnitOfWork> {
        None
    }

    /// Records a failure, so that the transaction cannot commit.
    fn fail(&self) {}

    /// Returns whether statements run for the organization and not for the caller: they see the rows of all departments.
    fn acts_for_organization(&self) -> bool {
        false
    }

    /// Runs a statement and returns its rows.
    fn query(
        &self,
        statement: Statement,
        layout: RowLayout<'_>,
    ) -> impl Future<Output = Result<Vec<TenantRow>, DbFailure>> + Send;

    /// Like [`Connection::query`], for a statement that neither writes nor locks.
    fn read(
        &self,
        statement: Statement,
        layout: RowLayout<'_>,
    ) -> impl Future<Output = Result<Vec<TenantRow>, DbFailure>> + Send;

    /// Runs such a statement once for each parent. On `SQLite` only: on PostgreSQL one statement takes all parents.
    fn query_per_parent(
        &self,
        statement: Statement,
        per_parent: PerParent<'_>,
        layout: RowLayout<'_>,
    ) -> impl Future<Output = Result<Vec<TenantRow>, DbFailure>> + Send;
}

/// The connections of a store.
#[derive(Clone, Debug)]
pub enum Pools {
    /// The writer of `SQLite`.
    Writer(Arc<Writer>),
    /// The readers of `SQLite`, and sqlx connections for long work: backups and checks of the whole file.
    Readers(Arc<Readers>, DatabaseConnection),
    /// The connections of PostgreSQL.
    Postgres(Arc<PostgresPool>),
}

/// A transaction. Dropping it rolls back.
#[derive(Debug)]
pub enum Transaction {
    /// On `SQLite`.
    Sqlite(Box<Savepoint>),
    /// On PostgreSQL.
    Postgres(Box<PostgresTransaction>),
}

impl RowLayout<'_> {
    /// Reads a row with `cell`, which is called with the index and kind of each column.
    fn read<E>(self, mut cell: impl FnMut(usize, CellKind) -> Result<Cell, E>) -> Result<TenantRow, E> {
        let parent = if self.has_parent { cell(0, CellKind::Id)?.id() } else { None };
        let first = usize::from(self.has_parent);
        let tenant = cell(first, CellKind::Id)?.id();
        let mut cells = Vec::with_capacity(self.kinds.len());
        for (place, kind) in self.kinds.iter().enumerate() {
            cells.push(cell(first + 1 + place, *kind)?);
        }
        Ok(TenantRow { tenant, parent, cells })
    }
}

impl Pools {
    /// Starts a transaction that writes. On `SQLite` it waits for the writer and begins immediately. On PostgreSQL, if
    /// `is_deferred`, it begins on demand and batches its writes.
    pub async fn begin(&self, is_deferred: bool, payer: Payer) -> Result<Transaction, DbFailure> {
        match self {
            Self::Writer(writer) => Ok(Transaction::Sqlite(Box::new(writer.begin(payer).await?))),
            Self::Readers(..) => Err(DbFailure::ReadOnly),
            Self::Postgres(pool) if is_deferred => {
                Ok(Transaction::Postgres(Box::new(PostgresTransaction::deferred(pool, payer.meter))))
            }
            Self::Postgres(pool) => {
                Ok(Transaction::Postgres(Box::new(PostgresTransaction::begin(pool, payer.meter).await?)))
            }
        }
    }

    /// Closes all connections once their statements have ended.
    pub async fn close(&self) -> Result<(), DbErr> {
        match self {
            Self::Writer(writer) => {
                writer.close().await;
                Ok(())
            }
            Self::Readers(readers, others) => {
                readers.close();
                others.clone().close().await
            }
            Self::Postgres(pool) => {
                pool.close().await;
                Ok(())
            }
        }
    }
}

impl Transaction {
    /// The transaction, if it batches its writes.
    pub fn deferred_writes(&self) -> Option<&PostgresTransaction> {
        if let Self::Postgres(open) = self { Some(&**open).filter(|open| open.is_deferred()) } else { None }
    }

    /// Runs a statement. Returns the number of changed rows.
    pub async fn execute(&self, statement: Statement) -> Result<u64, DbFailure> {
        match self {
            Self::Sqlite(savepoint) => savepoint.execute(&statement),
            Self::Postgres(open) => open.execute(statement).await,
        }
    }

    /// Commits.
    pub async fn commit(self) -> Result<(), DbFailure> {
        match self {
            Self::Sqlite(savepoint) => savepoint.commit().await,
            Self::Postgres(open) => open.commit().await,
        }?;
        diagnosis::clear();
        Ok(())
    }

    /// Rolls back.
    pub async fn rollback(self) -> Result<(), DbFailure> {
        match self {
            Self::Sqlite(savepoint) => savepoint.rollback().await,
            Self::Postgres(open) => open.rollback().await,
        }
    }
}

impl Connection for Pools {
    async fn query(&self, statement: Statement, layout: RowLayout<'_>) -> Result<Vec<TenantRow>, DbFailure> {
        match self {
            Self::Writer(_) => Err(execute_exclusive().into()),
            Self::Readers(readers, _) => readers.query(statement, layout).await,
            Self::Postgres(pool) => pool.acquire().await?.query(true, statement, layout).await,
        }
    }

    async fn read(&self, statement: Statement, layout: RowLayout<'_>) -> Result<Vec<TenantRow>, DbFailure> {
        self.query(statement, layout).await
    }

    async fn query_per_parent(
        &self,
        statement: Statement,
        per_parent: PerParent<'_>,
        layout: RowLayout<'_>,
    ) -> Result<Vec<TenantRow>, DbFailure> {
        match self {
            Self::Readers(readers, _) => readers.query_per_parent(statement, per_parent, layout).await,
            _ => Err(DbErr::Custom("only readers of SQLite read row by row".to_owned()).into()),
        }
    }
}

impl Connection for Transaction {
    async fn query(&self, statement: Statement, layout: RowLayout<'_>) -> Result<Vec<TenantRow>, DbFailure> {
        match self {
            Self::Sqlite(savepoint) => savepoint.query(&statement, layout).await,
            Self::Postgres(open) => open.query(statement, layout).await,
        }
    }

    async fn read(&self, statement: Statement, layout: RowLayout<'_>) -> Result<Vec<TenantRow>, DbFailure> {
        match self {
            Self::Sqlite(savepoint) => savepoint.query(&statement, layout).await,
            Self::Postgres(open) => open.read(statement, layout).await,
        }
    }

    async fn query_per_parent(
        &self,
        statement: Statement,
        per_parent: PerParent<'_>,
        layout: RowLayout<'_>,
    ) -> Result<Vec<TenantRow>, DbFailure> {
        match self {
            Self::Sqlite(savepoint) => savepoint.query_per_parent(statement, per_parent, layout),
            Self::Postgres(_) => Err(DbErr::Custom("PostgreSQL receives all rows at once".to_owned()).into()),
        }
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Pools {
    fn get_database_backend(&self) -> DbBackend {
        if matches!(self, Self::Postgres(_)) { DbBackend::Postgres } else { DbBackend::Sqlite }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self {
            Self::Writer(_) => Err(execute_exclusive()),
            Self::Readers(_, one) => one.execute_raw(statement).await,
            Self::Postgres(pool) => pool.acquire().await?.execute(true, statement).await,
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match self {
            Self::Writer(_) => Err(execute_exclusive()),
            Self::Readers(_, one) => one.execute_unprepared(sql).await,
            Self::Postgres(pool) => pool.acquire().await?.execute_unprepared(sql).await,
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.query_all_raw(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::Writer(_) => Err(execute_exclusive()),
            Self::Readers(_, one) => one.query_all_raw(statement).await,
            Self::Postgres(pool) => pool.acquire().await?.rows(true, statement).await,
        }
    }
}

/// Yields to the other tasks of the thread if a statement took long.
async fn yield_if_slow(started: Instant) {
    if started.elapsed() > YIELD_AFTER {
        tokio::task::yield_now().await;
    }
}

fn execute_exclusive() -> DbErr {
    DbErr::Custom("the writer works in transactions".to_owned())
}
