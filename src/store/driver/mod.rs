//! Where statements run: the connections of either database, and transactions on them.

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

/// After how long others of the thread go ahead.
const YIELD_AFTER: Duration = Duration::from_micros(500);

/// A row as it was read.
#[derive(Debug)]
pub struct TenantRow {
    /// Whose it is.
    pub tenant: Option<Uuid>,
    /// The row it was found below, if rows were asked for below others.
    pub parent: Option<Uuid>,
    /// What was asked for of it.
    pub cells: Vec<Cell>,
}

/// What a statement answers with: its columns after those that are always there.
#[derive(Clone, Copy, Debug)]
pub struct RowLayout<'a> {
    /// Whether the first column names the row below which a row was found. The next one is the tenant.
    pub has_parent: bool,
    /// What the others hold.
    pub kinds: &'a [CellKind],
}

/// Rows below which others are asked for, and the places for each in the statement that is run for one after the other.
#[derive(Clone, Copy, Debug)]
pub struct PerParent<'a> {
    /// The rows.
    pub parents: &'a [Uuid],
    /// Where each goes among the values.
    pub places: &'a [usize],
}

/// Who a transaction is for: nobody in particular by default, which is what the server does by itself.
#[derive(Clone, Debug, Default)]
pub struct Payer {
    /// Whose turn it takes.
    pub organization: Option<OrganizationId>,
    /// What counts its cost.
    pub meter: Arc<Meter>,
}

/// What statements run on: connections, or a transaction.
pub trait Connection: Send + Sync {
    /// The transaction, if it has not begun in the database: what is read now is read outside of it.
    fn unstarted(&self) -> impl Future<Output = Option<&UnitOfWork>> + Send {
        std::future::ready(None)
    }

    /// Notes that something went wrong, so that nothing is committed.
    fn fail(&self) {}

    /// Every row that a statement answers with.
    fn query(
        &self,
        statement: Statement,
        layout: RowLayout<'_>,
    ) -> impl Future<Output = Result<Vec<TenantRow>, DbFailure>> + Send;

    /// As [`Connection::query`], for a statement that changes and locks nothing.
    fn read(
        &self,
        statement: Statement,
        layout: RowLayout<'_>,
    ) -> impl Future<Output = Result<Vec<TenantRow>, DbFailure>> + Send;

    /// The rows that such a statement answers with below each of other rows. On `SQLite`; PostgreSQL is told all of them
    /// at once.
    fn query_per_parent(
        &self,
        statement: Statement,
        per_parent: PerParent<'_>,
        layout: RowLayout<'_>,
    ) -> impl Future<Output = Result<Vec<TenantRow>, DbFailure>> + Send;
}

/// Where statements run.
#[derive(Clone, Debug)]
pub enum Pools {
    /// What writes on `SQLite`.
    Writer(Arc<Writer>),
    /// What reads on `SQLite`, and connections for what takes long: copies and checks of the whole file.
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
    /// Reads a row by its places.
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
    /// Starts a transaction that writes. On `SQLite` it is immediate: it waits for the one writer. On PostgreSQL it may
    /// begin when it must, and gather what it writes.
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

    /// Closes every connection, after their statements have ended.
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
    /// The transaction, if it gathers what it writes.
    pub fn deferred_writes(&self) -> Option<&PostgresTransaction> {
        if let Self::Postgres(open) = self { Some(&**open).filter(|open| open.is_deferred()) } else { None }
    }

    /// Runs a statement to its end.
    pub async fn execute(&self, statement: Statement) -> Result<u64, DbFailure> {
        match self {
            Self::Sqlite(savepoint) => savepoint.execute(&statement),
            Self::Postgres(open) => open.execute(statement).await,
        }
    }

    /// Makes what was written stand.
    pub async fn commit(self) -> Result<(), DbFailure> {
        match self {
            Self::Sqlite(savepoint) => savepoint.commit().await,
            Self::Postgres(open) => open.commit().await,
        }?;
        diagnosis::clear();
        Ok(())
    }

    /// Undoes everything.
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
            Self::Postgres(_) => Err(DbErr::Custom("PostgreSQL is told all rows at once".to_owned()).into()),
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

/// Lets others of the thread go ahead after what has taken long.
async fn yield_if_slow(started: Instant) {
    if started.elapsed() > YIELD_AFTER {
        tokio::task::yield_now().await;
    }
}

fn execute_exclusive() -> DbErr {
    DbErr::Custom("the writer works in transactions".to_owned())
}
