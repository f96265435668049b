//! What only a transaction can do: change, lock, gather writes, and end.

use sea_orm::Statement;

use super::{
    Connection, DbFailure, Tx,
    driver::{RowLayout, TenantRow, WriteBatch},
    erasure::erase::Erasing,
    scope::MAX_PARAMETERS,
    statement::{
        builder::Sql,
        cell::{Cell, CellKind},
    },
};
use crate::{Error, Result};

impl Tx {
    /// Refuses after any failed statement: PostgreSQL answers such a commit with success and stores nothing.
    pub(super) async fn ensure_not_failed(&self) -> Result<()> {
        #[cfg(debug_assertions)]
        crate::faults::inject(crate::faults::Point::Commit, &self.actor.subject).await;
        if self.conn.pending().has_failed {
            return Err(Error::internal("a statement of the transaction had failed"));
        }
        Ok(())
    }

    /// Commits what was written, events included.
    pub(super) async fn commit_inner(self) -> Result<()> {
        // Ahead of the ledger of erasures: what it says must not fail any more.
        self.flush().await?;
        self.ensure_not_failed().await?;
        let erasing = self.conn.pending().erasing.take();
        let Some(Erasing { entries, job }) = erasing else { return Ok(self.conn.transaction.commit().await?) };
        // First: what is acknowledged stays erased after a restore, whatever happens in between.
        if !entries.is_empty() {
            self.store.append(entries).await?;
        }
        self.conn.transaction.commit().await?;
        match job {
            Some(job) => self.store.begun.add(self.actor.organization, job),
            None => self.store.clean_soon().await,
        }
        Ok(())
    }

    /// Whether it erases somebody.
    pub(super) fn is_erasure(&self) -> bool {
        self.conn.pending().erasing.is_some()
    }

    /// Notes that the transaction erases somebody, once.
    pub(super) fn erases(&self, erasing: Erasing) {
        self.conn.pending().erasing = Some(erasing);
    }

    /// Runs a statement whose first column is the tenant, after all that was written before. It may change and lock.
    pub(super) async fn rows(&self, statement: Statement, kinds: &[CellKind]) -> Result<Vec<Vec<Cell>>> {
        let found = self.query(statement, RowLayout { has_parent: false, kinds }).await?;
        self.meter.read(found.len());
        self.verify_tenants(&found)?;
        Ok(found.into_iter().map(|row| row.cells).collect())
    }

    /// As [`Tx::rows`], with the database's own error, for callers that know what it means.
    pub(super) async fn query(&self, statement: Statement, layout: RowLayout<'_>) -> Result<Vec<TenantRow>, DbFailure> {
        self.conn.query(statement, layout).await
    }

    pub(super) async fn execute(&self, statement: Statement) -> Result<u64> {
        let rows = self.conn.noting(self.conn.transaction.execute(statement).await)?;
        self.meter.wrote(rows);
        Ok(rows)
    }

    /// Writes so many rows with a statement that ends with `RETURNING organization_id`: at once, or together with what
    /// else nobody waits for.
    pub(super) async fn write_rows(&self, rows: usize, write: impl FnOnce(&mut Sql)) -> Result<()> {
        self.meter.wrote(rows as u64);
        if let Some(open) = self.conn.transaction.deferred_writes() {
            let empty = || WriteBatch::new(self.sql(), self.organization());
            let values = open.enqueue(empty, |batch| {
                batch.cte(rows, write);
            });
            let values = values.await;
            return if values > MAX_PARAMETERS { self.flush().await } else { Ok(()) };
        }
        let mut sql = self.sql();
        write(&mut sql);
        let stored = self.rows(sql.finish(), &[]).await?.len();
        if stored == rows { Ok(()) } else { Err(Error::internal(format!("{stored} of {rows} rows were stored"))) }
    }

    /// From now on takes the ids that drafts name for those of rows, if it gathers writes: of one that is none, the
    /// foreign key makes an [`Error::Collision`] of the whole.
    pub fn defer_reference_checks(&self) {
        self.conn.pending().defers_reference_checks = self.is_deferred();
    }

    /// Whether it does so.
    pub(super) fn defers_reference_checks(&self) -> bool {
        self.conn.pending().defers_reference_checks
    }

    /// Whether it gathers writes that nobody waits for.
    pub(super) fn is_deferred(&self) -> bool {
        self.conn.transaction.deferred_writes().is_some()
    }

    /// Writes what was gathered so far.
    pub(super) async fn flush(&self) -> Result<()> {
        let Some(open) = self.conn.transaction.deferred_writes() else { return Ok(()) };
        Ok(self.conn.noting(open.flush().await)?)
    }

    /// Undoes everything.
    pub async fn roll_back(self) -> Result<()> {
        Ok(self.conn.transaction.rollback().await?)
    }
}
