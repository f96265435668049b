//! What only a transaction can do: change, lock, gather writes, and end.

use std::sync::atomic::Ordering;

use sea_orm::Statement;

use super::{
    Connection, Failed, Tx,
    cell::{Cell, CellKind},
    erase::Erasing,
    line::{Answered, Batch, Found},
    scope::MOST_PARAMETERS,
    sql::Sql,
};
use crate::{Error, Result};

impl Tx {
    /// Refuses after any failed statement: PostgreSQL answers such a commit with success and stores nothing.
    pub(super) async fn may_commit(&self) -> Result<()> {
        #[cfg(debug_assertions)]
        crate::faults::strike(crate::faults::Point::Commit, &self.actor.subject).await;
        if self.has_failed.load(Ordering::Acquire) {
            return Err(Error::internal("a statement of the transaction had failed"));
        }
        Ok(())
    }

    /// Commits what was written, events included.
    pub(super) async fn make_stand(self) -> Result<()> {
        // Ahead of the ledger of erasures: what it says must not fail any more.
        self.settle().await?;
        self.may_commit().await?;
        let erasing = self.erasure.lock().expect("no holder of the lock panics").take();
        let Some(Erasing { entries, job }) = erasing else { return Ok(self.conn.commit().await?) };
        // First: what is acknowledged stays erased after a restore, whatever happens in between.
        if !entries.is_empty() {
            self.store.append(entries).await?;
        }
        self.conn.commit().await?;
        match job {
            Some(job) => self.store.begun.add(self.actor.organization, job),
            None => self.store.clean_soon().await,
        }
        Ok(())
    }

    /// Whether it erases somebody.
    pub(super) fn is_erasure(&self) -> bool {
        self.erasure.lock().expect("no holder of the lock panics").is_some()
    }

    /// Notes that the transaction erases somebody, once.
    pub(super) fn erases(&self, erasing: Erasing) {
        *self.erasure.lock().expect("no holder of the lock panics") = Some(erasing);
    }

    /// Runs a statement whose first column is the tenant, after all that was written before. It may change and lock.
    pub(super) async fn rows(&self, statement: Statement, kinds: &[CellKind]) -> Result<Vec<Vec<Cell>>> {
        let found = self.found(statement, Answered { has_parent: false, kinds }).await;
        let found = found.map_err(|error| self.failed(error))?;
        self.meter.read(found.len());
        self.trip_all(&found)?;
        Ok(found.into_iter().map(|row| row.cells).collect())
    }

    /// As [`Tx::rows`], with the database's own error, for callers that know what it means.
    pub(super) async fn found(&self, statement: Statement, answered: Answered<'_>) -> Result<Vec<Found>, Failed> {
        let found = self.conn.found(statement, answered).await;
        found.inspect_err(|_| self.has_failed.store(true, Ordering::Release))
    }

    pub(super) async fn execute(&self, statement: Statement) -> Result<u64> {
        let rows = self.conn.execute(statement).await.map_err(|error| self.failed(error))?;
        self.meter.wrote(rows);
        Ok(rows)
    }

    /// Writes so many rows with a statement that ends with `RETURNING organization_id`: at once, or together with what
    /// else nobody waits for.
    pub(super) async fn write_rows(&self, rows: usize, write: impl FnOnce(&mut Sql)) -> Result<()> {
        self.meter.wrote(rows as u64);
        if let Some(open) = self.conn.gathering() {
            let empty = || Batch::new(self.sql(), self.organization());
            let values = open.gather(empty, |batch| {
                batch.part(rows, write);
            });
            let values = values.await;
            return if values > MOST_PARAMETERS { self.settle().await } else { Ok(()) };
        }
        let mut sql = self.sql();
        write(&mut sql);
        let stored = self.rows(sql.finish(), &[]).await?.len();
        if stored == rows { Ok(()) } else { Err(Error::internal(format!("{stored} of {rows} rows were stored"))) }
    }

    /// From now on takes the ids that drafts name for those of rows, if it gathers writes: of one that is none, the
    /// foreign key makes an [`Error::Collision`] of the whole.
    pub fn trust_references(&self) {
        self.trusts.store(self.gathers(), Ordering::Relaxed);
    }

    /// Whether it does so.
    pub fn trusts_references(&self) -> bool {
        self.trusts.load(Ordering::Relaxed)
    }

    /// Whether it gathers writes that nobody waits for.
    pub fn gathers(&self) -> bool {
        self.conn.gathering().is_some()
    }

    /// Writes what was gathered so far.
    pub async fn settle(&self) -> Result<()> {
        let Some(open) = self.conn.gathering() else { return Ok(()) };
        open.settle().await.map_err(|error| self.failed(error))
    }

    /// Undoes everything.
    pub async fn roll_back(self) -> Result<()> {
        Ok(self.conn.rollback().await?)
    }
}
