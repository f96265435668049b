//! A caller's reach: the only handle that can run a statement, each narrowed to the caller's tenant.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use chrono::{DateTime, Utc};
use entity::{Noun, Permission, Tenanted, id::OrganizationId, noun::Relationship};
use sea_orm::{ActiveModelTrait, Iterable, QueryTrait, Select, Statement, TryIntoModel, prelude::Uuid};

use super::{
    Connection, Failed, Store,
    aside::Aside,
    cell::{Cell, CellKind, Column},
    connect,
    event::Event,
    filter::Predicate,
    ledger::Entry,
    line::{Answered, Below, Found, Lines, Transaction},
    narrow::Site,
    page::{self, Page, PageQuery, Selection},
    remembered::Relied,
    rollup::Notes,
    share::Held,
    sql::{Alias, Sql},
};
use crate::{Error, Result, auth::Actor};

/// How many parameters `SQLite` takes in one statement; PostgreSQL takes twice as many.
pub(super) const MOST_PARAMETERS: usize = 32_766;

/// A caller's reach: their tenant, their permissions, and the one connection that can run a statement.
#[derive(Clone, Debug)]
pub struct Scope<C = Lines> {
    pub(super) conn: C,
    pub(super) store: Store,
    pub(super) actor: Arc<Actor>,
    now: DateTime<Utc>,
    pub(super) has_failed: Arc<AtomicBool>,
    /// Whether ids are taken for those of rows until a foreign key says otherwise.
    pub(super) trusts: Arc<AtomicBool>,
    pub(super) events: Arc<std::sync::Mutex<Vec<Event>>>,
    pub(super) rolled: Arc<std::sync::Mutex<Notes>>,
    /// What was taken for what it is, without asking.
    pub(super) relied: Arc<std::sync::Mutex<Vec<Relied>>>,
    pub(super) aside: Arc<std::sync::Mutex<Aside>>,
    /// The transaction's erasure, and whether the ledger's file has yet to learn of it.
    pub(super) erasure: Arc<std::sync::Mutex<Option<(Entry, bool)>>>,
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
            trusts: Arc::default(),
            events: Arc::default(),
            rolled: Arc::default(),
            relied: Arc::default(),
            aside: Arc::default(),
            erasure: Arc::default(),
            held: Vec::new(),
        }
    }

    /// The same, holding on to something until the last of the request's work: a mutation may outlive the request.
    #[must_use]
    pub fn holding(mut self, held: impl IntoIterator<Item = Held>) -> Self {
        self.held.extend(held.into_iter().map(Arc::new));
        self
    }

    /// The same, for what goes on whatever becomes of the thread that began it.
    #[must_use]
    pub fn shared(mut self) -> Self {
        self.store = self.store.shared();
        self.conn = self.store.reader.clone();
        self
    }

    /// Starts a transaction that writes, on `SQLite` when the one writer is free. No organization has more than half the
    /// connections in transactions: those that wait for its own locks leave the others to others.
    pub async fn begin(&self) -> Result<Tx> {
        self.begun(false).await
    }

    /// As [`Scope::begin`], for a transaction that may be run again by [`Scope::begin`] if it ends in
    /// [`Error::Collision`]: on PostgreSQL it begins when it must, and its writes are gathered into as few statements as
    /// they can be.
    pub async fn begin_later(&self) -> Result<Tx> {
        self.begun(true).await
    }

    async fn begun(&self, is_later: bool) -> Result<Tx> {
        let turn = self.store.turns.take(Some(self.organization()));
        let turn = tokio::time::timeout(connect::turn(self.store.backend()), turn).await;
        let turn = turn.map_err(|_| Error::Unavailable)?;
        Ok(Scope {
            conn: self.store.writer.begin(is_later).await?,
            store: self.store.clone(),
            actor: Arc::clone(&self.actor),
            now: self.now,
            has_failed: Arc::default(),
            trusts: Arc::default(),
            events: Arc::default(),
            rolled: Arc::default(),
            relied: Arc::default(),
            aside: Arc::default(),
            erasure: Arc::default(),
            held: vec![Arc::new(turn)],
        })
    }
}

impl<C: Connection> Scope<C> {
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

    pub(super) fn failed(&self, error: Failed) -> Error {
        self.has_failed.store(true, Ordering::Release);
        error.into()
    }

    async fn answer(&self, statement: Statement, answered: Answered<'_>) -> Result<Vec<Found>> {
        self.before(&statement).await?;
        let found = self.conn.read(statement, answered).await.map_err(|error| self.failed(error))?;
        self.trip_all(&found)?;
        Ok(found)
    }

    async fn before(&self, statement: &Statement) -> Result<()> {
        // Each range of a cursor repeats the filter: what is small enough by itself may be too much together.
        if statement.values.as_ref().is_some_and(|values| values.0.len() > MOST_PARAMETERS) {
            return Err(Error::BadInput("filter and order together have too many values".to_owned()));
        }
        #[cfg(debug_assertions)]
        crate::faults::strike(crate::faults::Point::Read, &self.actor.subject).await;
        Ok(())
    }

    async fn answer_below(&self, statement: Statement, below: Below<'_>, answered: Answered<'_>) -> Result<Vec<Found>> {
        self.before(&statement).await?;
        let found = self.conn.below(statement, below, answered).await.map_err(|error| self.failed(error))?;
        self.trip_all(&found)?;
        Ok(found)
    }

    pub(super) fn trip_all(&self, found: &[Found]) -> Result<()> {
        found.iter().try_for_each(|row| self.trip(row.tenant))
    }

    /// The tripwire: a row of another tenant is a bug and an alarm, never an answer.
    pub(super) fn trip(&self, tenant: Option<Uuid>) -> Result<()> {
        let seen = self.store.trip(tenant, self.organization());
        seen.inspect_err(|_| self.has_failed.store(true, Ordering::Release))
    }

    /// Reads rows whose first column is the tenant, the others as told, with a statement that changes and locks nothing.
    pub(crate) async fn read_rows(&self, statement: Statement, kinds: &[CellKind]) -> Result<Vec<Vec<Cell>>> {
        let found = self.answer(statement, Answered { has_parent: false, kinds }).await?;
        Ok(found.into_iter().map(|row| row.cells).collect())
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
        // The first column of every table is the tenant.
        let columns: Vec<(E::Column, CellKind)> =
            E::Column::iter().skip(1).map(|column| (column, CellKind::of_column(column))).collect();
        let kinds: Vec<CellKind> = columns.iter().map(|(_, kind)| *kind).collect();
        let statement = narrowed.build(self.store.backend());
        let mut rows = Vec::new();
        for row in self.answer(statement, Answered { has_parent: false, kinds: &kinds }).await? {
            let mut model = E::ActiveModel::default();
            model.try_set(E::TENANT, row.tenant.into())?;
            for ((column, kind), cell) in columns.iter().zip(&row.cells) {
                model.try_set(*column, cell.bound(*kind))?;
            }
            rows.push(model.try_into_model()?);
        }
        for row in &rows {
            self.trip(Some(E::tenant(row).0))?;
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
        Ok(Page::of(self.read_rows(sql.finish(), &kinds).await?, query))
    }

    /// One page of a relation for each of `parents`, with one statement.
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
        let kinds: Vec<CellKind> = page::yielded(selection, query).iter().map(|column| column.kind).collect();
        let mut by_parent: HashMap<Uuid, Vec<Vec<Cell>>> = HashMap::new();
        let found = if sql.is_postgres() {
            self.answer(sql.finish(), Answered { has_parent: true, kinds: &kinds }).await?
        } else {
            let below = Below { parents, places: &sql.parents() };
            self.answer_below(sql.finish(), below, Answered { has_parent: false, kinds: &kinds }).await?
        };
        for row in found {
            let parent = row.parent.ok_or_else(|| Error::internal("a child has no parent"))?;
            by_parent.entry(parent).or_default().push(row.cells);
        }
        Ok(by_parent.into_iter().map(|(parent, rows)| (parent, Page::of(rows, query))).collect())
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
        self.read_rows(sql.finish(), &kinds).await
    }

    /// How many rows a filter finds.
    pub async fn count(&self, noun: &'static Noun, filter: &Predicate) -> Result<i64> {
        self.may_read(noun)?;
        self.may_filter(filter)?;
        let mut sql = self.sql();
        page::count(&mut sql, noun, filter, self.organization())?;
        let rows = self.read_rows(sql.finish(), &[CellKind::Int]).await?;
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
        let rows = self.read_rows(sql.finish(), &[CellKind::Id, CellKind::Int]).await?;
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
        for row in self.read_rows(sql.finish(), &[CellKind::Id, CellKind::Text, CellKind::Text]).await? {
            if let [Cell::Id(id), Cell::Text(system), Cell::Text(external)] = row.as_slice() {
                found.entry(*id).or_default().push(ExternalId { system: system.clone(), id: external.clone() });
            }
        }
        Ok(found)
    }

    /// The rows that carry these external ids. Those of people need `customers:read`, or the scope to write the noun.
    pub async fn by_external_ids(
        &self,
        noun: &'static Noun,
        wanted: &[ExternalId],
    ) -> Result<HashMap<ExternalId, Uuid>> {
        let is_identified = !wanted.is_empty() && entity::personal::guards_external_ids(noun);
        if is_identified && self.actor.require(noun.write).is_err() {
            self.actor.require(Permission::CustomersRead)?;
        }
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
            for row in self.read_rows(sql.finish(), &[CellKind::Id, CellKind::Text, CellKind::Text]).await? {
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
