//! A caller's reach: the only handle that can run a statement, each narrowed to the caller's tenant.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use chrono::{DateTime, Utc};
use entity::{Noun, Tenanted, id::OrganizationId, noun::Relationship};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Select, Statement, prelude::Uuid};
use secrecy::SecretString;

use super::{
    Store,
    cell::{Cell, CellKind, Column},
    connect,
    event::Event,
    filter::Predicate,
    ledger::Entry,
    line::{Lines, Transaction},
    narrow::Site,
    page::{self, Page, PageQuery, Selection},
    share::Held,
    sql::{Alias, Sql},
};
use crate::{Error, Result, auth::Actor};

/// How many parameters `SQLite` takes in one statement; PostgreSQL takes twice as many.
const MOST_PARAMETERS: usize = 32_766;

/// A caller's reach: their tenant, their permissions, and the one connection that can run a statement.
#[derive(Clone, Debug)]
pub struct Scope<C = Lines> {
    pub(super) conn: C,
    store: Store,
    actor: Arc<Actor>,
    now: DateTime<Utc>,
    has_failed: Arc<AtomicBool>,
    pub(super) events: Arc<std::sync::Mutex<Vec<Event>>>,
    told: Arc<std::sync::Mutex<Vec<(&'static str, SecretString)>>>,
    /// The erasure of this transaction, and whether the ledger's file has yet to learn of it.
    erasure: Arc<std::sync::Mutex<Option<(Entry, bool)>>>,
    /// What is given back when the last of the request's work has ended.
    held: Vec<Arc<Held>>,
}

/// A scope inside a transaction. Dropping it rolls back.
pub type Tx = Scope<Transaction>;

/// One of a row's external ids.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExternalId {
    /// The system that gave it.
    pub system: String,
    /// The id there.
    pub id: String,
}

impl Scope {
    pub(super) fn new(store: Store, actor: Actor, now: DateTime<Utc>) -> Self {
        Self {
            conn: store.reader.clone(),
            store,
            actor: Arc::new(actor),
            now,
            has_failed: Arc::default(),
            events: Arc::default(),
            told: Arc::default(),
            erasure: Arc::default(),
            held: Vec::new(),
        }
    }

    /// The same, holding on to something until the last of the request's work has ended: a mutation may outlive the
    /// request that asked for it.
    #[must_use]
    pub fn holding(mut self, held: impl IntoIterator<Item = Held>) -> Self {
        self.held.extend(held.into_iter().map(Arc::new));
        self
    }

    /// Starts a transaction that writes. On `SQLite` it is immediate: it waits for the one writer. No organization has
    /// more than half the connections in transactions: those that wait for its own locks leave the others to others.
    pub async fn begin(&self) -> Result<Tx> {
        let turn = self.store.turns.take(Some(self.organization()));
        let turn = tokio::time::timeout(connect::turn(self.store.backend()), turn).await;
        let turn = turn.map_err(|_| Error::Unavailable)?;
        Ok(Scope {
            conn: self.store.writer.begin().await?,
            store: self.store.clone(),
            actor: Arc::clone(&self.actor),
            now: self.now,
            has_failed: Arc::default(),
            events: Arc::default(),
            told: Arc::default(),
            erasure: Arc::default(),
            held: vec![Arc::new(turn)],
        })
    }
}

impl Tx {
    /// Writes the events as the last statement and commits. Refuses after any failed statement: PostgreSQL
    /// answers such a commit with success and stores nothing.
    pub async fn commit(self) -> Result<()> {
        self.store_events().await?;
        #[cfg(debug_assertions)]
        crate::faults::strike(crate::faults::Point::Commit, &self.actor.subject).await;
        if self.has_failed.load(Ordering::Acquire) {
            return Err(Error::internal("a statement of the transaction had failed"));
        }
        let erasure = self.erasure.lock().expect("no holder of the lock panics").take();
        let Some((entry, is_new)) = erasure else { return Ok(self.conn.commit().await?) };
        // Before the commit: what is acknowledged stays erased after a restore, whatever happens in between.
        if is_new {
            self.store.append(entry).await?;
        }
        self.conn.commit().await?;
        self.store.clean_soon().await;
        Ok(())
    }

    /// Notes that the transaction erases somebody, once.
    pub(super) fn erases(&self, entry: Entry, is_new: bool) {
        *self.erasure.lock().expect("no holder of the lock panics") = Some((entry, is_new));
    }

    /// Tells the caller something once, in the payload's field of that name: a repeat of the call does not tell it.
    pub fn tell(&self, field: &'static str, text: SecretString) {
        self.told.lock().expect("no holder of the lock panics").push((field, text));
    }

    /// What was told, which is then forgotten.
    pub fn told(&self) -> Vec<(&'static str, SecretString)> {
        std::mem::take(&mut *self.told.lock().expect("no holder of the lock panics"))
    }

    /// Undoes everything.
    pub async fn roll_back(self) -> Result<()> {
        Ok(self.conn.rollback().await?)
    }
}

impl<C: ConnectionTrait> Scope<C> {
    /// The caller.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The caller's tenant.
    pub fn organization(&self) -> OrganizationId {
        self.actor.organization
    }

    /// The time of this request.
    pub const fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Starts a statement.
    pub(crate) fn sql(&self) -> Sql {
        self.store.sql()
    }

    /// Refuses unless the caller may read the noun.
    pub fn may_read(&self, noun: &Noun) -> Result<()> {
        noun.read.map_or(Ok(()), |permission| self.actor.require(permission))
    }

    fn failed(&self, error: DbErr) -> Error {
        self.has_failed.store(true, Ordering::Release);
        error.into()
    }

    pub(super) async fn query(&self, statement: Statement) -> Result<Vec<QueryResult>> {
        // Each range of a cursor repeats the filter: what is small enough by itself may be too much together.
        if statement.values.as_ref().is_some_and(|values| values.0.len() > MOST_PARAMETERS) {
            return Err(Error::BadInput("filter and order together have too many values".to_owned()));
        }
        #[cfg(debug_assertions)]
        crate::faults::strike(crate::faults::Point::Read, &self.actor.subject).await;
        self.conn.query_all_raw(statement).await.map_err(|error| self.failed(error))
    }

    /// Runs a statement and keeps the database's own error, for callers that know what it means.
    pub(super) async fn query_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.conn.query_all_raw(statement).await.inspect_err(|_| self.has_failed.store(true, Ordering::Release))
    }

    pub(super) async fn execute(&self, statement: Statement) -> Result<u64> {
        let done = self.conn.execute_raw(statement).await.map_err(|error| self.failed(error))?;
        Ok(done.rows_affected())
    }

    /// The tripwire: a row of another tenant is a bug and an alarm, never an answer.
    pub(super) fn trip(&self, tenant: &Cell) -> Result<()> {
        let seen = self.store.trip(tenant.id(), self.organization());
        seen.inspect_err(|_| self.has_failed.store(true, Ordering::Release))
    }

    /// Reads rows whose first column is the tenant, the others as told.
    pub(crate) async fn rows(&self, statement: Statement, kinds: &[CellKind]) -> Result<Vec<Vec<Cell>>> {
        let mut found = Vec::new();
        for row in self.query(statement).await? {
            self.trip(&CellKind::Id.read(&row, 0)?)?;
            let cells = kinds.iter().enumerate().map(|(index, kind)| kind.read(&row, index + 1));
            found.push(cells.collect::<Result<Vec<_>, DbErr>>()?);
        }
        Ok(found)
    }

    /// Every row of a query, narrowed to the caller's tenant.
    pub async fn all<E: Tenanted>(&self, query: Select<E>) -> Result<Vec<E::Model>>
    where
        E::Model: Sync,
    {
        self.may_read(E::NOUN)?;
        self.all_unpermitted(query).await
    }

    /// Like [`Scope::all`], for rules the server applies whoever calls: routing reads rules for a caller who may not.
    pub async fn all_unpermitted<E: Tenanted>(&self, query: Select<E>) -> Result<Vec<E::Model>>
    where
        E::Model: Sync,
    {
        let narrowed = self.sql().narrow_models(query, self.organization());
        let rows = narrowed.all(&self.conn).await.map_err(|error| self.failed(error))?;
        for row in &rows {
            self.trip(&Cell::Id(E::tenant(row).0))?;
        }
        Ok(rows)
    }

    /// One page of a noun.
    pub async fn page(&self, selection: &Selection, query: &PageQuery) -> Result<Page> {
        self.may_read(selection.noun)?;
        self.may_filter(&query.filter)?;
        let mut sql = self.sql();
        page::page(&mut sql, selection, query, self.organization())?;
        let kinds: Vec<CellKind> = page::yielded(selection, query).iter().map(|column| column.kind).collect();
        Ok(finish(self.rows(sql.finish(), &kinds).await?, query))
    }

    /// One page of a relation for each of `parents`, in one statement.
    pub async fn children(
        &self,
        selection: &Selection,
        query: &PageQuery,
        relation: &'static Relationship,
        parents: &[Uuid],
    ) -> Result<HashMap<Uuid, Page>> {
        self.may_read(selection.noun)?;
        self.may_filter(&query.filter)?;
        if parents.is_empty() {
            return Ok(HashMap::new());
        }
        let mut sql = self.sql();
        page::children(&mut sql, selection, query, self.organization(), relation, parents)?;
        let columns = page::yielded(selection, query);
        let mut by_parent: HashMap<Uuid, Vec<Vec<Cell>>> = HashMap::new();
        for row in self.query(sql.finish()).await? {
            let parent = CellKind::Id.read(&row, 0)?.id().ok_or_else(|| Error::internal("a child has no parent"))?;
            self.trip(&CellKind::Id.read(&row, 1)?)?;
            let cells = columns.iter().enumerate().map(|(index, column)| column.kind.read(&row, index + 2));
            by_parent.entry(parent).or_default().push(cells.collect::<Result<_, DbErr>>()?);
        }
        Ok(by_parent.into_iter().map(|(parent, rows)| (parent, finish(rows, query))).collect())
    }

    /// The rows of these ids, in no order; unknown and foreign ids are left out alike.
    pub async fn by_ids(&self, noun: &'static Noun, columns: &[Column], ids: &[Uuid]) -> Result<Vec<Vec<Cell>>> {
        self.may_read(noun)?;
        self.by_ids_unpermitted(noun, columns, ids).await
    }

    /// Like [`Scope::by_ids`], for rules the server applies whoever calls.
    pub(crate) async fn by_ids_unpermitted(
        &self,
        noun: &'static Noun,
        columns: &[Column],
        ids: &[Uuid],
    ) -> Result<Vec<Vec<Cell>>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut sql = self.sql();
        sql.push("SELECT ").column(Alias::ROW, noun.tenant);
        for column in columns {
            sql.push(", ").column(Alias::ROW, column.name);
        }
        sql.push(" FROM ").name(&[noun.table]).push(" AS ").alias(Alias::ROW).push(" WHERE ");
        sql.narrow(Site::LookUp, Alias::ROW, noun.tenant, self.organization()).push(" AND ");
        sql.is_one_of(Alias::ROW, "id", ids);
        let kinds: Vec<CellKind> = columns.iter().map(|column| column.kind).collect();
        self.rows(sql.finish(), &kinds).await
    }

    /// How many rows a filter finds.
    pub async fn count(&self, noun: &'static Noun, filter: &Predicate) -> Result<i64> {
        self.may_read(noun)?;
        self.may_filter(filter)?;
        let mut sql = self.sql();
        page::count(&mut sql, noun, filter, self.organization())?;
        let rows = self.rows(sql.finish(), &[CellKind::Int]).await?;
        Ok(rows.first().and_then(|row| row[0].int()).unwrap_or(0))
    }

    /// How many rows of a relation a filter finds for each parent. Parents without any are left out.
    pub async fn count_children(
        &self,
        filter: &Predicate,
        relation: &'static Relationship,
        parents: &[Uuid],
    ) -> Result<HashMap<Uuid, i64>> {
        self.may_read(relation.target)?;
        self.may_filter(filter)?;
        let mut sql = self.sql();
        page::count_children(&mut sql, filter, self.organization(), relation, parents)?;
        let rows = self.rows(sql.finish(), &[CellKind::Id, CellKind::Int]).await?;
        Ok(rows.iter().filter_map(|row| Some((row[0].id()?, row[1].int()?))).collect())
    }

    /// The external ids of these rows, sorted by system.
    pub async fn external_ids(&self, noun: &'static Noun, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<ExternalId>>> {
        let mut found: HashMap<Uuid, Vec<ExternalId>> = HashMap::new();
        if ids.is_empty() {
            return Ok(found);
        }
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.").name(&[noun.table, "_id"]).push(", t.system, t.external_id FROM ");
        sql.name(&[noun.table, "_external_id"]).push(" AS t WHERE ");
        sql.narrow(Site::ExternalIds, Alias::ROW, "organization_id", self.organization());
        sql.push(" AND ").is_one_of_named(Alias::ROW, &[noun.table, "_id"], ids).push(" ORDER BY t.system");
        for row in self.rows(sql.finish(), &[CellKind::Id, CellKind::Text, CellKind::Text]).await? {
            if let [Cell::Id(id), Cell::Text(system), Cell::Text(external)] = row.as_slice() {
                found.entry(*id).or_default().push(ExternalId { system: system.clone(), id: external.clone() });
            }
        }
        Ok(found)
    }

    /// The rows that carry these external ids.
    pub async fn by_external_ids(
        &self,
        noun: &'static Noun,
        wanted: &[ExternalId],
    ) -> Result<HashMap<ExternalId, Uuid>> {
        let mut found = HashMap::new();
        // PostgreSQL refuses to look for a text with a NUL byte; no row has one.
        let wanted: Vec<&ExternalId> =
            wanted.iter().filter(|key| !key.system.contains('\0') && !key.id.contains('\0')).collect();
        // Pairs bound one by one: the number of parameters of a statement has a limit.
        for part in wanted.chunks(1_000) {
            let mut sql = self.sql();
            // A join and not `IN`: for that, SQLite reads every external id of the organization.
            sql.push("SELECT t.organization_id, t.").name(&[noun.table, "_id"]).push(", t.system, t.external_id FROM ");
            if sql.is_postgres() {
                sql.push("UNNEST(").array(CellKind::Text, part.iter().map(|key| Cell::Text(key.system.clone())));
                sql.push(", ").array(CellKind::Text, part.iter().map(|key| Cell::Text(key.id.clone())));
                sql.push(") AS w(column1, column2)");
            } else {
                sql.push("(VALUES ").list(part, |sql, key| {
                    sql.push("(").bind(key.system.as_str()).push(", ").bind(key.id.as_str()).push(")");
                });
                sql.push(") AS w");
            }
            sql.push(" CROSS JOIN ").name(&[noun.table, "_external_id"]).push(" AS t WHERE ");
            sql.narrow(Site::ExternalIdLookUp, Alias::ROW, "organization_id", self.organization());
            sql.push(" AND t.system = w.column1 AND t.external_id = w.column2");
            for row in self.rows(sql.finish(), &[CellKind::Id, CellKind::Text, CellKind::Text]).await? {
                if let [Cell::Id(id), Cell::Text(system), Cell::Text(external)] = row.as_slice() {
                    found.insert(ExternalId { system: system.clone(), id: external.clone() }, *id);
                }
            }
        }
        Ok(found)
    }

    /// A filter that follows a relation needs the scope of what it leads to.
    pub(crate) fn may_filter(&self, filter: &Predicate) -> Result<()> {
        let mut nouns = Vec::new();
        filter.nouns(&mut nouns);
        nouns.into_iter().try_for_each(|noun| self.may_read(noun))
    }
}

/// Takes the one row too many as the sign that there is more, and restores the order.
fn finish(mut rows: Vec<Vec<Cell>>, query: &PageQuery) -> Page {
    let has_more = rows.len() > query.limit;
    rows.truncate(query.limit);
    if query.is_backward {
        rows.reverse();
    }
    Page { rows, has_more }
}
