//! Rows that seldom change, as they were when they were last read.
//!
//! A transaction on PostgreSQL that is tried in hope takes them for what they are. The statement that ends it tells them by
//! id and version, and fails unless they still are: then they are forgotten, and all is done again with what is there.

use std::{
    any::Any,
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use entity::{Noun, id::OrganizationId, noun::Operation};
use sea_orm::prelude::Uuid;

use super::{
    Connection, Scope, Store, Tx,
    cell::{Cell, CellKind},
    narrow::Site,
    sql::{Alias, Sql},
};
use crate::{Error, Result};

/// Most organizations whose rows are remembered.
const MOST: usize = 1_024;
/// Most rows of a noun that are worth it: each transaction compares them all.
const MOST_ROWS: usize = 64;
/// How long they are, for who changes rows past the API may leave their versions as they were.
const LONG: Duration = Duration::from_mins(1);

/// A row's id and version.
pub type Identity = (Uuid, i64);

/// What is remembered.
#[derive(Debug, Default)]
pub(super) struct Remembered(Mutex<HashMap<OrganizationId, HashMap<&'static str, Known>>>);

#[derive(Clone, Debug)]
struct Known {
    what: Arc<dyn Any + Send + Sync>,
    rows: Arc<[Identity]>,
    since: Instant,
}

/// Rows that a transaction has taken for what they are.
#[derive(Clone, Debug)]
pub(super) struct Relied {
    noun: &'static Noun,
    rows: Arc<[Identity]>,
}

impl Remembered {
    fn all(&self) -> MutexGuard<'_, HashMap<OrganizationId, HashMap<&'static str, Known>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, organization: OrganizationId, noun: &Noun) -> Option<Known> {
        let known = self.all().get(&organization)?.get(noun.table)?.clone();
        Some(known).filter(|known| known.since.elapsed() < LONG)
    }

    fn put(&self, organization: OrganizationId, noun: &Noun, known: Known) {
        let mut all = self.all();
        if all.len() >= MOST {
            all.clear();
        }
        all.entry(organization).or_default().insert(noun.table, known);
    }
}

impl<C: Connection> Scope<C> {
    /// What is made of all rows of a noun that are not archived, or of the organization's own row. `read` reads them and
    /// tells each; it is not asked where what it made before will do.
    pub(crate) async fn remembered<T: Any + Send + Sync>(
        &self,
        noun: &'static Noun,
        read: impl Future<Output = Result<(T, Vec<Identity>)>>,
    ) -> Result<Arc<T>> {
        // In a transaction that has begun its own changes are seen, which may yet be undone.
        if !self.conn.reads_outside().await {
            return Ok(Arc::new(read.await?.0));
        }
        let memory = &self.store.remembered;
        let known = memory.get(self.organization(), noun);
        if let Some((Known { rows, .. }, what)) = known.and_then(|it| Some((it.clone(), it.what.downcast::<T>().ok()?)))
        {
            self.relied.lock().expect("no holder of the lock panics").push(Relied { noun, rows });
            return Ok(what);
        }
        let (what, mut rows) = read.await?;
        let what = Arc::new(what);
        if rows.len() <= MOST_ROWS {
            rows.sort_unstable();
            let known = Known { what: Arc::<T>::clone(&what), rows: rows.into(), since: Instant::now() };
            memory.put(self.organization(), noun, known);
        }
        Ok(what)
    }
}

impl Tx {
    /// Whether it has taken rows for what they were.
    pub fn relies(&self) -> bool {
        !self.relied.lock().expect("no holder of the lock panics").is_empty()
    }

    /// What was relied on, which is then forgotten.
    pub(super) fn relied(&self) -> Vec<Relied> {
        std::mem::take(&mut *self.relied.lock().expect("no holder of the lock panics"))
    }

    /// Makes sure of it, where the transaction does not end with one statement.
    pub(super) async fn make_sure(&self, relied: &[Relied]) -> Result<()> {
        if relied.is_empty() {
            return Ok(());
        }
        let mut sql = self.sql();
        sql.push("SELECT ").owner(self.organization()).push(" WHERE TRUE");
        Relied::still_are(relied, &mut sql, self.organization());
        if self.rows(sql.finish(), &[]).await?.is_empty() {
            self.store.forget_rows(self.organization());
            return Err(Error::Collision);
        }
        Ok(())
    }
}

impl Store {
    /// Forgets what is remembered of an organization.
    pub(super) fn forget_rows(&self, organization: OrganizationId) {
        self.remembered.all().remove(&organization);
    }
}

impl Relied {
    /// Appends to a condition that all of them are what they were.
    pub(super) fn still_are(relied: &[Self], sql: &mut Sql, organization: OrganizationId) {
        for it in relied {
            it.still_is(sql, organization);
        }
    }

    fn still_is(&self, sql: &mut Sql, organization: OrganizationId) {
        sql.push(" AND (SELECT COALESCE(ARRAY_AGG(t.id ORDER BY t.id), '{}') = ");
        sql.array(CellKind::Id, self.rows.iter().map(|row| Cell::Id(row.0)));
        sql.push(" AND COALESCE(ARRAY_AGG(t.version ORDER BY t.id), '{}') = ");
        sql.integers(self.rows.iter().map(|row| row.1));
        sql.push(" FROM ").name(&[self.noun.table]).push(" AS t WHERE ");
        sql.narrow(Site::Remembered, Alias::ROW, self.noun.tenant, organization);
        if self.noun.operations.contains(&Operation::Archive) {
            sql.push(" AND t.archived_at IS NULL");
        }
        sql.push(")");
    }
}
