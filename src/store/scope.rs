//! A caller's reach: the only handle that can run a statement, each narrowed to the caller's tenant.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use chrono::{DateTime, Utc};
use entity::{Noun, id::OrganizationId, noun::Relationship};
use sea_orm::{Statement, prelude::Uuid};

use super::{
    Connection, Store,
    driver::{PerParent, Pools, RowLayout, TenantRow},
    erasure::open_attributes::Open,
    operation::connect,
    paging::page::{self, Page, PageQuery, Selection},
    statement::{
        builder::{Alias, Sql},
        cell::{Cell, CellKind, Column},
        filter::Predicate,
        tenant_check::TenantCheck,
    },
    transaction::unit_of_work::UnitOfWork,
    usage::{meter::Meter, tenant_limiter::Permit},
};
use crate::{Error, Result, auth::Actor};

/// How many parameters `SQLite` takes in one statement; PostgreSQL takes twice as many.
pub(super) const MAX_PARAMETERS: usize = 32_766;

/// A caller's reach: their tenant, their permissions, and the one connection that can run a statement.
///
/// Outside the store nothing runs a statement but by its methods, each of which narrows to the tenant. Neither a scope nor
/// a transaction is a connection to `SeaORM`, and neither gives one away:
///
/// ```
/// # use {entity::department::{ActiveModel, Entity, Model}, rapport::{Result, store::{Scope, Tx}}, sea_orm::EntityTrait};
/// async fn all(tx: &Tx) -> Result<Vec<Model>> {
///     tx.all(Entity::find()).await
/// }
/// ```
/// ```compile_fail,E0277
/// # use {entity::department::{ActiveModel, Entity, Model}, rapport::{Result, store::{Scope, Tx}}, sea_orm::EntityTrait};
/// async fn all(tx: &Tx) -> Result<Vec<Model>> {
///     Ok(Entity::find().all(tx).await?)
/// }
/// ```
/// ```compile_fail,E0277
/// # use {entity::department::{ActiveModel, Entity, Model}, rapport::{Result, store::{Scope, Tx}}};
/// async fn save(tx: &Tx, department: ActiveModel) -> Result<Model> {
///     Ok(sea_orm::ActiveModelTrait::insert(department, tx).await?)
/// }
/// ```
/// ```compile_fail,E0616
/// # use {entity::department::{ActiveModel, Entity, Model}, rapport::{Result, store::{Scope, Tx}}, sea_orm::EntityTrait};
/// async fn all(scope: &Scope) -> Result<Vec<Model>> {
///     Ok(Entity::find().all(&scope.conn).await?)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Scope<C = Pools> {
    pub(super) conn: C,
    pub(super) store: Store,
    pub(super) actor: Arc<Actor>,
    now: DateTime<Utc>,
    pub(super) open: Arc<OnceLock<Open>>,
    pub(super) meter: Arc<Meter>,
    /// What is given back when the last of the request's work has ended.
    pub(super) permits: Vec<Arc<Permit>>,
}

/// A scope inside a transaction. Dropping it rolls back.
pub type Tx = Scope<UnitOfWork>;

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
            open: Arc::default(),
            meter: Arc::default(),
            permits: Vec::new(),
        }
    }

    /// The same for another actor of the organization.
    pub(super) fn by(mut self, actor: Actor) -> Self {
        self.actor = Arc::new(actor);
        self
    }

    /// The same, for what goes on whatever becomes of the thread that began it.
    #[must_use]
    pub fn detached(mut self) -> Self {
        self.store = self.store.detached();
        self.conn = self.store.reader.clone();
        self
    }

    /// Starts a transaction that writes, on `SQLite` when the one writer is free. For what the server and its operator do;
    /// mutations are run by [`Scope::transact`].
    pub async fn begin(&self) -> Result<Tx> {
        self.begun(false).await
    }

    /// No organization has more than half the connections in transactions: those that wait for its own locks leave the
    /// others to others.
    pub(super) async fn begun(&self, is_deferred: bool) -> Result<Tx> {
        let permit = self.store.transaction_permits.take(Some(self.organization()));
        let permit = tokio::time::timeout(connect::turn(self.store.backend()), permit).await;
        let permit = permit.map_err(|_| Error::Unavailable)?;
        Ok(Scope {
            conn: UnitOfWork::new(self.store.writer.begin(is_deferred, self.payer()).await?),
            store: self.store.clone(),
            actor: Arc::clone(&self.actor),
            now: self.now,
            open: Arc::clone(&self.open),
            meter: Arc::clone(&self.meter),
            permits: vec![Arc::new(permit)],
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

    pub(super) async fn answer(&self, statement: Statement, layout: RowLayout<'_>) -> Result<Vec<TenantRow>> {
        self.before(&statement).await?;
        let found = self.conn.read(statement, layout).await?;
        self.meter.read(found.len());
        self.verify_tenants(&found)?;
        Ok(found)
    }

    async fn before(&self, statement: &Statement) -> Result<()> {
        // Each range of a cursor repeats the filter: what is small enough by itself may be too much together.
        if statement.values.as_ref().is_some_and(|values| values.0.len() > MAX_PARAMETERS) {
            return Err(Error::BadInput("filter and order together have too many values".to_owned()));
        }
        #[cfg(debug_assertions)]
        crate::faults::inject(crate::faults::Point::Read, &self.actor.subject).await;
        Ok(())
    }

    async fn query_per_parent(
        &self,
        statement: Statement,
        per_parent: PerParent<'_>,
        layout: RowLayout<'_>,
    ) -> Result<Vec<TenantRow>> {
        self.before(&statement).await?;
        let found = self.conn.query_per_parent(statement, per_parent, layout).await?;
        self.meter.read(found.len());
        self.verify_tenants(&found)?;
        Ok(found)
    }

    pub(super) fn verify_tenants(&self, found: &[TenantRow]) -> Result<()> {
        found.iter().try_for_each(|row| self.verify_tenant(row.tenant))
    }

    /// The tripwire: a row of another tenant is a bug and an alarm, never an answer.
    pub(super) fn verify_tenant(&self, tenant: Option<Uuid>) -> Result<()> {
        self.store.verify_tenant(tenant, self.organization()).inspect_err(|_| self.conn.fail())
    }

    /// Reads rows whose first column is the tenant, the others as told, with a statement that changes and locks nothing.
    pub(crate) async fn read_rows(&self, statement: Statement, kinds: &[CellKind]) -> Result<Vec<Vec<Cell>>> {
        let found = self.answer(statement, RowLayout { has_parent: false, kinds }).await?;
        Ok(found.into_iter().map(|row| row.cells).collect())
    }

    /// One page of a noun.
    pub async fn page(&self, selection: &Selection, query: &PageQuery) -> Result<Page> {
        self.may_read(selection.noun)?;
        self.may_filter(&query.filter)?;
        let mut sql = self.sql();
        page::page(&mut sql, selection, query, self.organization())?;
        let kinds: Vec<CellKind> = page::output_columns(selection, query).iter().map(|column| column.kind).collect();
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
        let kinds: Vec<CellKind> = page::output_columns(selection, query).iter().map(|column| column.kind).collect();
        let mut by_parent: HashMap<Uuid, Vec<Vec<Cell>>> = HashMap::new();
        let found = if sql.is_postgres() {
            self.answer(sql.finish(), RowLayout { has_parent: true, kinds: &kinds }).await?
        } else {
            let per_parent = PerParent { parents, places: &sql.parents() };
            self.query_per_parent(sql.finish(), per_parent, RowLayout { has_parent: false, kinds: &kinds }).await?
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
        self.by_ids_unchecked(noun, columns, ids).await
    }

    /// Like [`Scope::by_ids`], for rules the server applies whoever calls.
    pub(crate) async fn by_ids_unchecked(
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
            sql.push(", ").shown(noun, Alias::ROW, *column, self.organization());
        }
        sql.push(" FROM ").name(&[noun.table]).push(" AS ").alias(Alias::ROW).push(" WHERE ");
        sql.filter_tenant(TenantCheck::LookUp, Alias::ROW, noun.tenant, self.organization()).push(" AND ");
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

    /// A filter that follows a relation needs the scope of what it leads to.
    pub(crate) fn may_filter(&self, filter: &Predicate) -> Result<()> {
        let mut nouns = Vec::new();
        filter.nouns(&mut nouns);
        nouns.into_iter().try_for_each(|noun| self.may_read(noun))
    }
}
