//! Where statements run: the connections of either database, and transactions on them.

mod batch;
mod postgres;
mod readers;
mod sqlite;
mod transaction;
mod writer;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use entity::id::OrganizationId;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, Statement, prelude::Uuid,
};

pub use self::{
    batch::Batch,
    postgres::{Kept, Line},
    readers::Readers,
    transaction::Open,
    writer::{Savepoint, Writer},
};
use super::{
    cause,
    cell::{Cell, CellKind},
    failure::Failed,
    meter::Meter,
};

/// After how long others of the thread go ahead.
const LONG: Duration = Duration::from_micros(500);

/// A row as it was read.
#[derive(Debug)]
pub struct Found {
    /// Whose it is.
    pub tenant: Option<Uuid>,
    /// The row it was found below, if rows were asked for below others.
    pub parent: Option<Uuid>,
    /// What was asked for of it.
    pub cells: Vec<Cell>,
}

/// What a statement answers with: its columns after those that are always there.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// Whether the first column names the row below which a row was found. The next one is the tenant.
    pub has_parent: bool,
    /// What the others hold.
    pub kinds: &'a [CellKind],
}

/// Rows below which others are asked for, and the places for each in the statement that is run for one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Below<'a> {
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
    /// Whether it is a transaction that gathers what it writes, and what is read now is read outside of it.
    fn reads_outside(&self) -> impl Future<Output = bool> + Send;

    /// Every row that a statement answers with.
    fn found(
        &self,
        statement: Statement,
        answered: Answered<'_>,
    ) -> impl Future<Output = Result<Vec<Found>, Failed>> + Send;

    /// As [`Connection::found`], for a statement that changes and locks nothing.
    fn read(
        &self,
        statement: Statement,
        answered: Answered<'_>,
    ) -> impl Future<Output = Result<Vec<Found>, Failed>> + Send;

    /// The rows that such a statement answers with below each of other rows. On `SQLite`; PostgreSQL is told all of them
    /// at once.
    fn below(
        &self,
        statement: Statement,
        below: Below<'_>,
        answered: Answered<'_>,
    ) -> impl Future<Output = Result<Vec<Found>, Failed>> + Send;
}

/// Where statements run.
#[derive(Clone, Debug)]
pub enum Lines {
    /// What writes on `SQLite`.
    Writer(Arc<Writer>),
    /// What reads on `SQLite`, and connections for what takes long: copies and checks of the whole file.
    Readers(Arc<Readers>, DatabaseConnection),
    /// The connections of PostgreSQL.
    Postgres(Arc<Kept>),
}

/// A transaction. Dropping it rolls back.
#[derive(Debug)]
pub enum Transaction {
    /// On `SQLite`.
    Sqlite(Box<Savepoint>),
    /// On PostgreSQL.
    Postgres(Box<Open>),
}

impl Answered<'_> {
    /// Reads a row by its places.
    fn read<E>(self, mut cell: impl FnMut(usize, CellKind) -> Result<Cell, E>) -> Result<Found, E> {
        let parent = if self.has_parent { cell(0, CellKind::Id)?.id() } else { None };
        let first = usize::from(self.has_parent);
        let tenant = cell(first, CellKind::Id)?.id();
        let mut cells = Vec::with_capacity(self.kinds.len());
        for (place, kind) in self.kinds.iter().enumerate() {
            cells.push(cell(first + 1 + place, *kind)?);
        }
        Ok(Found { tenant, parent, cells })
    }
}

impl Lines {
    /// Starts a transaction that writes. On `SQLite` it is immediate: it waits for the one writer. On PostgreSQL it may
    /// begin when it must, and gather what it writes.
    pub async fn begin(&self, is_later: bool, payer: Payer) -> Result<Transaction, Failed> {
        match self {
            Self::Writer(writer) => Ok(Transaction::Sqlite(Box::new(writer.begin(payer).await?))),
            Self::Readers(..) => Err(Failed::ReadOnly),
            Self::Postgres(kept) if is_later => Ok(Transaction::Postgres(Box::new(Open::later(kept, payer.meter)))),
            Self::Postgres(kept) => Ok(Transaction::Postgres(Box::new(Open::now(kept, payer.meter).await?))),
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
            Self::Postgres(kept) => {
                kept.close().await;
                Ok(())
            }
        }
    }
}

impl Transaction {
    /// The transaction, if it gathers what it writes.
    pub fn gathering(&self) -> Option<&Open> {
        if let Self::Postgres(open) = self { Some(&**open).filter(|open| open.gathers()) } else { None }
    }

    /// Runs a statement to its end.
    pub async fn execute(&self, statement: Statement) -> Result<u64, Failed> {
        match self {
            Self::Sqlite(savepoint) => savepoint.execute(&statement),
            Self::Postgres(open) => open.execute(statement).await,
        }
    }

    /// Makes what was written stand.
    pub async fn commit(self) -> Result<(), Failed> {
        match self {
            Self::Sqlite(savepoint) => savepoint.commit().await,
            Self::Postgres(open) => open.commit().await,
        }?;
        cause::mended();
        Ok(())
    }

    /// Undoes everything.
    pub async fn rollback(self) -> Result<(), Failed> {
        match self {
            Self::Sqlite(savepoint) => savepoint.rollback().await,
            Self::Postgres(open) => open.rollback().await,
        }
    }
}

impl Connection for Lines {
    async fn reads_outside(&self) -> bool {
        false
    }

    async fn found(&self, statement: Statement, answered: Answered<'_>) -> Result<Vec<Found>, Failed> {
        match self {
            Self::Writer(_) => Err(alone().into()),
            Self::Readers(readers, _) => readers.found(statement, answered).await,
            Self::Postgres(kept) => kept.line().await?.found(true, statement, answered).await,
        }
    }

    async fn read(&self, statement: Statement, answered: Answered<'_>) -> Result<Vec<Found>, Failed> {
        self.found(statement, answered).await
    }

    async fn below(
        &self,
        statement: Statement,
        below: Below<'_>,
        answered: Answered<'_>,
    ) -> Result<Vec<Found>, Failed> {
        match self {
            Self::Readers(readers, _) => readers.below(statement, below, answered).await,
            _ => Err(DbErr::Custom("only readers of SQLite read row by row".to_owned()).into()),
        }
    }
}

impl Connection for Transaction {
    async fn reads_outside(&self) -> bool {
        match self.gathering() {
            Some(open) => open.reads_outside().await,
            None => false,
        }
    }

    async fn found(&self, statement: Statement, answered: Answered<'_>) -> Result<Vec<Found>, Failed> {
        match self {
            Self::Sqlite(savepoint) => savepoint.found(&statement, answered).await,
            Self::Postgres(open) => open.found(statement, answered).await,
        }
    }

    async fn read(&self, statement: Statement, answered: Answered<'_>) -> Result<Vec<Found>, Failed> {
        match self {
            Self::Sqlite(savepoint) => savepoint.found(&statement, answered).await,
            Self::Postgres(open) => open.read(statement, answered).await,
        }
    }

    async fn below(
        &self,
        statement: Statement,
        below: Below<'_>,
        answered: Answered<'_>,
    ) -> Result<Vec<Found>, Failed> {
        match self {
            Self::Sqlite(savepoint) => savepoint.below(statement, below, answered),
            Self::Postgres(_) => Err(DbErr::Custom("PostgreSQL is told all rows at once".to_owned()).into()),
        }
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Lines {
    fn get_database_backend(&self) -> DbBackend {
        if matches!(self, Self::Postgres(_)) { DbBackend::Postgres } else { DbBackend::Sqlite }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self {
            Self::Writer(_) => Err(alone()),
            Self::Readers(_, one) => one.execute_raw(statement).await,
            Self::Postgres(kept) => kept.line().await?.execute(true, statement).await,
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match self {
            Self::Writer(_) => Err(alone()),
            Self::Readers(_, one) => one.execute_unprepared(sql).await,
            Self::Postgres(kept) => kept.line().await?.execute_unprepared(sql).await,
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.query_all_raw(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::Writer(_) => Err(alone()),
            Self::Readers(_, one) => one.query_all_raw(statement).await,
            Self::Postgres(kept) => kept.line().await?.rows(true, statement).await,
        }
    }
}

/// Lets others of the thread go ahead after what has taken long.
async fn let_others(started: Instant) {
    if started.elapsed() > LONG {
        tokio::task::yield_now().await;
    }
}

fn alone() -> DbErr {
    DbErr::Custom("the writer works in transactions".to_owned())
}
