//! A database transaction with the data that it collects until the commit.

use std::{
    any::Any,
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard},
};

use sea_orm::{Statement, prelude::Uuid};

use super::{event::Event, row_cache::CachedRead};
use crate::store::{
    DbFailure,
    driver::{Connection, PerParent, RowLayout, TenantRow, Transaction},
    erasure::erase::Erasing,
    rollup::RollupDelta,
    search::index::IndexChanges,
    writing::{output::MutationOutput, reference::NamedRow},
};

/// A database transaction with the data that it collects until the commit. Dropping it rolls back.
#[derive(Debug)]
pub struct UnitOfWork {
    pub(in crate::store) transaction: Transaction,
    pending: Mutex<Pending>,
}

/// Data that is written, compared or returned to the caller when the transaction ends.
#[derive(Debug, Default)]
pub(in crate::store) struct Pending {
    pub(in crate::store) events: Vec<Event>,
    pub(in crate::store) counts: RollupDelta,
    /// Changes of what the search finds.
    pub(in crate::store) index: IndexChanges,
    /// Cached rows that were used; their versions are compared before the commit.
    pub(in crate::store) cached_reads: Vec<CachedRead>,
    /// What was computed from the rows of a noun, by table.
    pub(in crate::store) computed: HashMap<&'static str, Arc<dyn Any + Send + Sync>>,
    pub(in crate::store) output: MutationOutput,
    pub(in crate::store) erasing: Option<Erasing>,
    /// People who were not erased when the transaction asked.
    pub(in crate::store) not_erased: HashSet<Uuid>,
    /// Those of them whose rows are not locked yet: the last statement does that, and looks again.
    pub(in crate::store) checked_later: Vec<Uuid>,
    /// Jobs that begin with the transaction, which this server continues.
    pub(in crate::store) begun: Vec<Uuid>,
    /// The row that the mutation names by an external id, once looked up.
    pub(in crate::store) named_row: Option<NamedRow>,
    /// Whether referenced ids are checked only by foreign keys.
    pub(in crate::store) defers_reference_checks: bool,
    /// Whether an unchecked id may be that of a row that is being merged into another.
    pub(in crate::store) may_name_merged: bool,
    /// How many guards let the transaction see rows of all departments.
    whole: usize,
    /// Whether a statement failed. PostgreSQL reports success for the commit of a failed transaction but stores
    /// nothing.
    pub(in crate::store) has_failed: bool,
}

impl UnitOfWork {
    pub(in crate::store) fn new(transaction: Transaction) -> Self {
        Self { transaction, pending: Mutex::default() }
    }

    pub(in crate::store) fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().expect("no holder of the lock panics")
    }

    /// Lets the transaction see the rows of all departments until the guard is dropped.
    pub(in crate::store) fn for_organization(&self) -> Whole<'_> {
        self.pending().whole += 1;
        Whole(self)
    }

    /// Marks the transaction as failed if `done` is an error: it can then only be rolled back.
    pub(in crate::store) fn noting<T>(&self, done: Result<T, DbFailure>) -> Result<T, DbFailure> {
        done.inspect_err(|_| self.fail())
    }
}

/// While it lives, the transaction sees the rows of all departments.
#[derive(Debug)]
#[must_use = "the transaction sees only the caller's departments again when it is dropped"]
pub struct Whole<'a>(&'a UnitOfWork);

impl Drop for Whole<'_> {
    fn drop(&mut self) {
        self.0.pending().whole -= 1;
    }
}

impl Connection for UnitOfWork {
    fn acts_for_organization(&self) -> bool {
        self.pending().whole > 0
    }

    fn unit_of_work(&self) -> Option<&UnitOfWork> {
        Some(self)
    }

    fn fail(&self) {
        self.pending().has_failed = true;
    }

    async fn query(&self, statement: Statement, layout: RowLayout<'_>) -> Result<Vec<TenantRow>, DbFailure> {
        self.noting(self.transaction.query(statement, layout).await)
    }

    async fn read(&self, statement: Statement, layout: RowLayout<'_>) -> Result<Vec<TenantRow>, DbFailure> {
        self.noting(self.transaction.read(statement, layout).await)
    }

    async fn query_per_parent(
        &self,
        statement: Statement,
        per_parent: PerParent<'_>,
        layout: RowLayout<'_>,
    ) -> Result<Vec<TenantRow>, DbFailure> {
        self.noting(self.transaction.query_per_parent(statement, per_parent, layout).await)
    }
}
