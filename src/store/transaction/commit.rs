//! Commits a transaction together with its events and counts.

use entity::id;
use sea_orm::Statement;

use super::{
    event::{self, Event},
    idempotency::IdempotencyRecord,
    row_cache::CachedRead,
};
use crate::{
    Error, Result,
    store::{
        Tx,
        driver::{RowLayout, Transaction, WriteBatch},
        rollup::{RollupDelta, Weeks},
        statement::builder::Sql,
    },
};

impl Tx {
    /// Stores the events and counts and commits.
    pub async fn commit(self) -> Result<()> {
        self.commit_with_key(None).await
    }

    /// Like [`Tx::commit`], and records the use of an idempotency key in the same transaction. If the key was used
    /// before, returns [`Error::Collision`] and writes nothing.
    ///
    /// The row of the organization's sequence is updated last and stays locked until the commit, so sequence numbers
    /// follow the order of commits and have no gaps. PostgreSQL checks foreign keys at the end of a statement: if
    /// everything is written by one statement, a transaction that deletes a row and one that references this row can
    /// deadlock. PostgreSQL then aborts one of them, and that one is retried.
    pub(in crate::store) async fn commit_with_key(self, key: Option<&IdempotencyRecord<'_>>) -> Result<()> {
        self.store_index().await?;
        let events = std::mem::take(&mut self.conn.pending().events);
        let counts = std::mem::take(&mut self.conn.pending().counts);
        let cached_reads = self.cached_reads();
        if let Some(last) = self.last(&events, &counts, &cached_reads, key).await? {
            self.ensure_not_failed().await?;
            let (Transaction::Postgres(open), store, organization) =
                (self.conn.transaction, self.store, self.actor.organization)
            else {
                return Err(Error::internal("only transactions on PostgreSQL gather writes"));
            };
            let found = open.commit_with(last, RowLayout { has_parent: false, kinds: &[] }).await;
            let found = found.inspect_err(|_| store.invalidate_rows(organization))?;
            return found.iter().try_for_each(|row| store.verify_tenant(row.tenant, organization));
        }
        self.revalidate(&cached_reads).await?;
        if let Some(key) = key {
            let call = id::new();
            self.write_rows(1, |sql| self.insert_record(sql, key, call)).await?;
            if !key.rows.is_empty() {
                self.write_rows(key.rows.len(), |sql| self.write_named(sql, call, key.rows)).await?;
            }
        }
        let weeks = self.store_events(&events, &counts).await?;
        if !events.is_empty() {
            self.cache_weeks(weeks.as_ref());
        }
        self.store_counts(&counts, weeks.as_ref()).await?;
        self.commit_inner().await
    }

    /// Builds one statement that writes everything that is not written yet. Returns `None` if one statement is not
    /// enough or there is nothing to write.
    async fn last(
        &self,
        events: &[Event],
        counts: &RollupDelta,
        cached_reads: &[CachedRead],
        key: Option<&IdempotencyRecord<'_>>,
    ) -> Result<Option<Statement>> {
        let Some(open) = self.conn.transaction.deferred_writes() else { return Ok(None) };
        // An erasure is written to the ledger before the commit; jobs are continued after it.
        if self.is_erasure() || self.begins_jobs() || events.len() > event::MAX_EVENTS {
            return Ok(None);
        }
        let seen = self.cached_weeks();
        let Some(weeks) = (if counts.is_empty() { Some(None) } else { seen }) else { return Ok(None) };
        let batch = open.take_queue().await;
        if batch.is_none() && events.is_empty() && key.is_none() {
            return Ok(None);
        }
        let batch = batch.unwrap_or_else(|| WriteBatch::new(self.store.sql(), self.organization()));
        self.complete(batch, events, (counts, weeks.as_ref()), cached_reads, key).map(Some)
    }

    /// Adds the key, events and counts to the queued writes. The statement fails as a whole if the organization's week
    /// settings differ from `weeks`, if a cached row that the transaction used has changed, if an unchecked id may be
    /// that of a row that is being merged, or if a person was erased of whom the transaction found otherwise.
    fn complete(
        &self,
        mut batch: WriteBatch,
        events: &[Event],
        (counts, weeks): (&RollupDelta, Option<&Weeks>),
        cached_reads: &[CachedRead],
        key: Option<&IdempotencyRecord<'_>>,
    ) -> Result<Statement> {
        let stands = |sql: &mut Sql| {
            CachedRead::versions_match(cached_reads, sql, self.organization());
            self.names_no_merged(sql);
            self.are_still_not_erased(sql);
        };
        if let Some(key) = key {
            let call = id::new();
            batch.cte(1, |sql| self.insert_record(sql, key, call));
            if !key.rows.is_empty() {
                batch.cte(key.rows.len(), |sql| self.write_named(sql, call, key.rows));
            }
        }
        if events.is_empty() {
            return Ok(batch.finish(stands));
        }
        let sequence = batch.cte_after(1, |sql| self.advance(sql, events, counts), |sql| event::advanced(sql, events));
        batch.cte(events.len(), |sql| self.insert_events(sql, events, sequence));
        if let Some(weeks) = weeks {
            for (rollup, table) in counts.tables(weeks)? {
                batch.cte(table.len(), |sql| table.add(sql, rollup, self.organization(), Some(sequence)));
            }
        }
        Ok(batch.finish(|sql| {
            stands(sql);
            if !counts.is_empty() {
                Weeks::are(weeks, sql, sequence);
            }
        }))
    }
}
