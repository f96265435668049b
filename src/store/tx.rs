//! Operations that only a transaction has: writing, locking, queuing writes, committing and rolling back.

use std::sync::atomic::Ordering;

use sea_orm::Statement;

use super::{
    Connection, DbFailure, Tx,
    driver::{RowLayout, TenantRow, WriteBatch},
    erasure::{erase::Erasing, ledger::Entry},
    scope::MAX_PARAMETERS,
    statement::{
        builder::Sql,
        cell::{Cell, CellKind},
    },
};
use crate::{Error, Result};

impl Tx {
    /// Err if a statement of the transaction failed: PostgreSQL reports success for such a commit but stores nothing.
    pub(super) async fn ensure_not_failed(&self) -> Result<()> {
        #[cfg(debug_assertions)]
        crate::faults::inject(crate::faults::Point::Commit, &self.actor.subject).await;
        if self.conn.pending().has_failed {
            return Err(Error::internal("a statement of the transaction had failed"));
        }
        Ok(())
    }

    /// Flushes queued writes and commits. If the transaction erases a person, also writes the erasure ledger.
    pub(super) async fn commit_inner(self) -> Result<()> {
        // Flush before the ledger entry is written: after that, no statement may fail.
        self.flush().await?;
        self.ensure_not_failed().await?;
        let (erasing, begun) = {
            let mut pending = self.conn.pending();
            (pending.erasing.take(), std::mem::take(&mut pending.begun))
        };
        let is_erasure = erasing.is_some();
        let entries = erasing.map(|erasing| erasing.entries).unwrap_or_default();
        let is_closing = entries.iter().any(|entry| matches!(entry, Entry::Deletion(_)));
        // The ledger is written before the commit, so that an acknowledged erasure also survives a restore from backup.
        if !entries.is_empty() {
            self.store.append(entries).await?;
        }
        self.conn.transaction.commit().await?;
        if is_closing {
            self.store.closings.fetch_add(1, Ordering::Release);
        }
        if is_erasure && begun.is_empty() {
            self.store.clean_soon().await;
        }
        for job in begun {
            self.store.begun.add(self.actor.organization, job);
        }
        Ok(())
    }

    /// Returns whether the transaction erases a person.
    pub(super) fn is_erasure(&self) -> bool {
        self.conn.pending().erasing.is_some()
    }

    /// Returns whether the transaction begins jobs that this server continues.
    pub(super) fn begins_jobs(&self) -> bool {
        !self.conn.pending().begun.is_empty()
    }

    /// Records that the transaction erases a person; called at most once.
    pub(super) fn erases(&self, erasing: Erasing) {
        let mut pending = self.conn.pending();
        pending.erasing = Some(erasing);
        pending.not_erased.clear();
        pending.checked_later.clear();
    }

    /// Runs a statement whose first column is the tenant, after all earlier writes. The statement may write and lock
    /// rows.
    pub(super) async fn rows(&self, statement: Statement, kinds: &[CellKind]) -> Result<Vec<Vec<Cell>>> {
        let found = self.query(statement, RowLayout { has_parent: false, kinds }).await?;
        self.meter.read(found.len());
        self.verify_tenants(&found)?;
        Ok(found.into_iter().map(|row| row.cells).collect())
    }

    /// Like [`Tx::rows`], but returns the error of the database, for callers that handle specific failures, and does
    /// not check the tenants of the rows.
    pub(super) async fn query(&self, statement: Statement, layout: RowLayout<'_>) -> Result<Vec<TenantRow>, DbFailure> {
        self.conn.query(statement, layout).await
    }

    pub(super) async fn execute(&self, statement: Statement) -> Result<u64> {
        let rows = self.conn.noting(self.conn.transaction.execute(statement).await)?;
        self.meter.wrote(rows);
        Ok(rows)
    }

    /// Writes `rows` rows with a statement that ends with `RETURNING organization_id`: immediately, or queued with
    /// other writes whose results are not needed yet.
    pub(super) async fn write_rows(&self, rows: usize, write: impl FnOnce(&mut Sql)) -> Result<()> {
        self.meter.wrote(rows as u64);
        if let Some(open) = self.conn.transaction.deferred_writes() {
            // What is written was found before: the caller saw it, or a rule wrote it.
            let empty = || WriteBatch::new(self.store.sql(), self.organization());
            let values = open.enqueue(empty, |batch| {
                batch.cte(rows, write);
            });
            let values = values.await;
            return if values > MAX_PARAMETERS { self.flush().await } else { Ok(()) };
        }
        let mut sql = self.store.sql();
        write(&mut sql);
        let stored = self.rows(sql.finish(), &[]).await?.len();
        if stored == rows { Ok(()) } else { Err(Error::internal(format!("{stored} of {rows} rows were stored"))) }
    }

    /// If the transaction queues writes, accepts ids of referenced rows without checking from now on. If such an id
    /// does not exist, the foreign key fails the whole transaction with [`Error::Collision`].
    pub fn defer_reference_checks(&self) {
        self.conn.pending().defers_reference_checks = self.is_deferred();
    }

    /// Returns whether checks of referenced ids are left to foreign keys.
    pub(super) fn defers_reference_checks(&self) -> bool {
        self.conn.pending().defers_reference_checks
    }

    /// Returns whether the transaction queues writes whose results are not needed yet.
    pub(super) fn is_deferred(&self) -> bool {
        self.conn.transaction.deferred_writes().is_some()
    }

    /// Writes all queued writes.
    pub(super) async fn flush(&self) -> Result<()> {
        let Some(open) = self.conn.transaction.deferred_writes() else { return Ok(()) };
        Ok(self.conn.noting(open.flush().await)?)
    }

    /// Rolls the transaction back.
    pub async fn roll_back(self) -> Result<()> {
        Ok(self.conn.transaction.rollback().await?)
    }
}
