//! Cache of rows that rarely change.
//!
//! An optimistic transaction on PostgreSQL uses the cached rows without reading them. The statement that ends the
//! transaction compares their ids and versions with the database and fails if they differ; then the cache entry is
//! dropped and the transaction is retried with the current rows.

use std::{
    any::Any,
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use entity::{Noun, id::OrganizationId, noun::Operation};
use sea_orm::prelude::Uuid;

use super::unit_of_work::UnitOfWork;
use crate::{
    Error, Result,
    store::{
        Connection, Scope, Store, Tx,
        driver::PostgresTransaction,
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind},
        },
    },
};

/// Maximum number of organizations in the cache.
const MAX: usize = 1_024;
/// Maximum number of rows of a noun that are cached: each transaction compares all of them.
const MAX_ROWS: usize = 64;
/// Time to live of an entry: changes made outside the API may leave row versions unchanged.
const LONG: Duration = Duration::from_mins(1);

/// A row's id and version.
pub type Identity = (Uuid, i64);

/// Cached values by organization and table.
#[derive(Debug, Default)]
pub(in crate::store) struct RowCache(Mutex<HashMap<OrganizationId, HashMap<&'static str, Known>>>);

#[derive(Clone, Debug)]
struct Known {
    what: Arc<dyn Any + Send + Sync>,
    rows: Arc<[Identity]>,
    since: Instant,
}

/// Cached rows that a transaction used.
#[derive(Clone, Debug)]
pub(in crate::store) struct CachedRead {
    noun: &'static Noun,
    rows: Arc<[Identity]>,
}

impl RowCache {
    fn all(&self) -> MutexGuard<'_, HashMap<OrganizationId, HashMap<&'static str, Known>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, organization: OrganizationId, noun: &Noun) -> Option<Known> {
        let known = self.all().get(&organization)?.get(noun.table)?.clone();
        Some(known).filter(|known| known.since.elapsed() < LONG)
    }

    fn put(&self, organization: OrganizationId, noun: &Noun, known: Known) {
        let mut all = self.all();
        if all.len() >= MAX {
            all.clear();
        }
        all.entry(organization).or_default().insert(noun.table, known);
    }
}

impl<C: Connection> Scope<C> {
    /// Returns the value computed from all rows of a noun that are not archived, or from the organization's own row. On
    /// a cache miss, `read` reads the rows and returns the value and the identity of each row; it returns `None` for
    /// the identities if the value also depends on other rows, and then the value is not cached. A transaction computes it
    /// once, unless it changes such rows.
    pub(crate) async fn row_cache<T: Any + Send + Sync>(
        &self,
        noun: &'static Noun,
        read: impl Future<Output = Result<(T, Option<Vec<Identity>>)>>,
    ) -> Result<Arc<T>> {
        let Some(unit) = self.conn.unit_of_work() else { return Ok(Arc::new(read.await?.0)) };
        if let Some(what) = unit.computed(noun) {
            return Ok(what);
        }
        let what = match unit.transaction.deferred_writes() {
            Some(open) if !unit.has_changed(noun) => self.cached((unit, open), noun, read).await?,
            _ => Arc::new(read.await?.0),
        };
        unit.pending().computed.insert(noun.table, Arc::<T>::clone(&what) as _);
        Ok(what)
    }

    async fn cached<T: Any + Send + Sync>(
        &self,
        (unit, open): (&UnitOfWork, &PostgresTransaction),
        noun: &'static Noun,
        read: impl Future<Output = Result<(T, Option<Vec<Identity>>)>>,
    ) -> Result<Arc<T>> {
        let memory = &self.store.row_cache;
        let known = memory.get(self.organization(), noun);
        if let Some((Known { rows, .. }, what)) = known.and_then(|it| Some((it.clone(), it.what.downcast::<T>().ok()?)))
        {
            unit.pending().cached_reads.push(CachedRead { noun, rows });
            return Ok(what);
        }
        // A transaction that has written sees its own changes, which may still be rolled back.
        let is_cacheable = !open.has_written().await;
        let (what, rows) = read.await?;
        let what = Arc::new(what);
        if let Some(mut rows) = rows.filter(|rows| is_cacheable && rows.len() <= MAX_ROWS) {
            rows.sort_unstable();
            let known = Known { what: Arc::<T>::clone(&what), rows: rows.into(), since: Instant::now() };
            memory.put(self.organization(), noun, known);
        }
        Ok(what)
    }
}

impl UnitOfWork {
    /// Returns what the transaction has computed from the rows of a noun, unless it has changed such rows.
    fn computed<T: Any + Send + Sync>(&self, noun: &Noun) -> Option<Arc<T>> {
        let is_changed = self.has_changed(noun);
        let pending = self.pending();
        let what = pending.computed.get(noun.table).filter(|_| !is_changed)?;
        Arc::clone(what).downcast::<T>().ok()
    }

    /// Returns whether the transaction has changed rows of a noun.
    fn has_changed(&self, noun: &Noun) -> bool {
        self.pending().events.iter().any(|event| event.noun == noun.name)
    }
}

impl Tx {
    /// Returns whether the transaction used cached rows.
    pub fn used_cached_rows(&self) -> bool {
        !self.conn.pending().cached_reads.is_empty()
    }

    /// Takes the list of cached rows that the transaction used.
    pub(in crate::store) fn cached_reads(&self) -> Vec<CachedRead> {
        std::mem::take(&mut self.conn.pending().cached_reads)
    }

    /// Checks that the cached rows are unchanged, that no unchecked id may be that of a row that is being merged, and that
    /// nobody was erased of whom the transaction found otherwise, for a transaction that does not end with a single statement. Err [`Error::Collision`] otherwise.
    pub(in crate::store) async fn revalidate(&self, cached_reads: &[CachedRead]) -> Result<()> {
        let has_others = {
            let pending = self.conn.pending();
            pending.may_name_merged || !pending.checked_later.is_empty()
        };
        if cached_reads.is_empty() && !has_others {
            return Ok(());
        }
        let mut sql = self.sql();
        sql.push("SELECT ").bind_tenant(self.organization()).push(" WHERE TRUE");
        CachedRead::versions_match(cached_reads, &mut sql, self.organization());
        self.names_no_merged(&mut sql);
        self.are_still_not_erased(&mut sql);
        if self.rows(sql.finish(), &[]).await?.is_empty() {
            self.store.invalidate_rows(self.organization());
            return Err(Error::Collision);
        }
        Ok(())
    }
}

impl Store {
    /// Drops the cache entries of an organization.
    pub(in crate::store) fn invalidate_rows(&self, organization: OrganizationId) {
        self.row_cache.all().remove(&organization);
    }
}

impl CachedRead {
    /// Appends to a condition that all of these rows are unchanged.
    pub(in crate::store) fn versions_match(cached_reads: &[Self], sql: &mut Sql, organization: OrganizationId) {
        for it in cached_reads {
            it.still_is(sql, organization);
        }
    }

    fn still_is(&self, sql: &mut Sql, organization: OrganizationId) {
        sql.push(" AND (SELECT COALESCE(ARRAY_AGG(t.id ORDER BY t.id), '{}') = ");
        sql.array(CellKind::Id, self.rows.iter().map(|row| Cell::Id(row.0)));
        sql.push(" AND COALESCE(ARRAY_AGG(t.version ORDER BY t.id), '{}') = ");
        sql.integers(self.rows.iter().map(|row| row.1));
        sql.push(" FROM ").name(&[self.noun.table]).push(" AS t WHERE ");
        sql.filter_tenant_again(
            "another row can only make the comparison fail, and the rows are then read",
            Alias::ROW,
            self.noun,
            organization,
        );
        if self.noun.operations.contains(&Operation::Archive) {
            sql.push(" AND t.archived_at IS NULL");
        }
        sql.push(")");
    }
}
