//! The request scope: the only handle that can run statements, with every statement limited to the caller's tenant.

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
        template::Templates,
    },
    transaction::unit_of_work::UnitOfWork,
    usage::{meter::Meter, tenant_limiter::Permit},
};
use crate::{Error, Result, auth::Actor};

/// Maximum number of parameters in one `SQLite` statement; PostgreSQL allows twice as many.
pub(super) const MAX_PARAMETERS: usize = 32_766;

/// The scope of a request: the caller's tenant, the caller's permissions, and the only connection that can run
/// statements.
///
/// Code outside the store can run statements only through the methods of a scope, each of which filters by tenant. A
/// scope or a transaction does not implement the connection traits of `SeaORM` and does not expose a connection:
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
    /// Permits that are released when the last part of the request's work ends.
    pub(super) permits: Vec<Arc<Permit>>,
    /// Whether its mutations are rolled back.
    is_dry_run: bool,
}

/// A scope inside a transaction. Dropping it rolls back.
pub type Tx = Scope<UnitOfWork>;

/// An external id of a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExternalId {
    /// The system that assigned the id.
    pub system: String,
    /// The id in that system.
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
            is_dry_run: false,
        }
    }

    /// Returns the scope as one whose mutations are rolled back, if `is_dry_run`.
    pub(super) fn with_dry_run(mut self, is_dry_run: bool) -> Self {
        self.is_dry_run = is_dry_run;
        self
    }

    /// Returns the scope with another actor of the same organization.
    pub(super) fn by(mut self, actor: Actor) -> Self {
        self.actor = Arc::new(actor);
        self
    }

    /// Returns the scope for work that may outlive the current worker thread.
    #[must_use]
    pub fn detached(mut self) -> Self {
        self.store = self.store.detached();
        self.conn = self.store.reader.clone();
        self
    }

    /// Begins a write transaction; on `SQLite`, waits until the single writer is free. For the server's and the
    /// operator's own work; mutations use [`Scope::transact`].
    pub async fn begin(&self) -> Result<Tx> {
        self.begun(false).await
    }

    /// Begins a transaction, deferred if `is_deferred`. One organization can hold at most half of the connections in
    /// transactions, so that its transactions, while they wait for each other's locks, do not block other
    /// organizations. Err [`Error::Unavailable`] if no permit becomes free in time.
    pub(super) async fn begun(&self, is_deferred: bool) -> Result<Tx> {
        let permit = self.store.transaction_permits.take(Some(self.organization()));
        let permit = tokio::time::timeout(connect::turn(self.store.backend()), permit).await;
        let permit = permit.map_err(|_| Error::Unavailable)?;
        let tx = Scope {
            conn: UnitOfWork::new(self.store.writer.begin(is_deferred, self.payer()).await?),
            store: self.store.clone(),
            actor: Arc::clone(&self.actor),
            now: self.now,
            open: Arc::clone(&self.open),
            meter: Arc::clone(&self.meter),
            permits: vec![Arc::new(permit)],
            is_dry_run: self.is_dry_run,
        };
        if tx.is_dry_run {
            tx.set_dry_run();
        }
        Ok(tx)
    }
}

impl<C: Connection> Scope<C> {
    /// Returns the caller.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Returns the caller's tenant.
    pub fn organization(&self) -> OrganizationId {
        self.actor.organization
    }

    /// Returns the time of this request.
    pub const fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Returns whether the database is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.store.is_postgres()
    }

    /// Creates an empty statement for the database's dialect, narrowed to the departments of the caller.
    pub(crate) fn sql(&self) -> Sql {
        self.store.sql().narrowed_to(self.departments())
    }

    /// Err if the caller has no permission to read the noun.
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
        // Each range of a cursor repeats the filter, so a filter within its own limits can still exceed the parameter
        // limit.
        if statement.values.as_ref().is_some_and(|values| values.0.len() > MAX_PARAMETERS) {
            return Err(Error::BadInput("filter and order together have too many values".to_owned()));
        }
        #[cfg(debug_assertions)]
        crate::faults::inject(crate::faults::Point::Read, &self.actor.subject).await;
        Ok(())
    }

    pub(super) async fn query_per_parent(
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

    /// Checks the tenant of a row that was read. A row of another tenant is a bug: returns an error, counts a violation
    /// and marks the transaction as failed.
    pub(super) fn verify_tenant(&self, tenant: Option<Uuid>) -> Result<()> {
        self.store.verify_tenant(tenant, self.organization()).inspect_err(|_| self.conn.fail())
    }

    /// Runs a read-only statement that takes no locks. Its first column is the tenant; `kinds` gives the kinds of the
    /// others.
    pub(crate) async fn read_rows(&self, statement: Statement, kinds: &[CellKind]) -> Result<Vec<Vec<Cell>>> {
        let found = self.answer(statement, RowLayout { has_parent: false, kinds }).await?;
        Ok(found.into_iter().map(|row| row.cells).collect())
    }

    /// Returns one page of the rows of a noun.
    pub async fn page(&self, selection: &Selection, query: &PageQuery) -> Result<Page> {
        self.may_read(selection.noun)?;
        self.may_filter(&query.filter)?;
        let (statement, template) = self.page_statement(selection, query)?;
        Ok(Page::of(self.read_rows(statement, &template.kinds).await?, query))
    }

    /// Returns one page of a relation for each of `parents`, with one statement.
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
        let (statement, template) = self.children_statement(selection, query, relation, parents)?;
        let kinds = &template.kinds;
        let mut by_parent: HashMap<Uuid, Vec<Vec<Cell>>> = HashMap::new();
        let found = if self.store.is_postgres() {
            self.answer(statement, RowLayout { has_parent: true, kinds }).await?
        } else {
            let per_parent = PerParent { parents, places: &template.parents() };
            self.query_per_parent(statement, per_parent, RowLayout { has_parent: false, kinds }).await?
        };
        for row in found {
            let parent = row.parent.ok_or_else(|| Error::internal("a child has no parent"))?;
            by_parent.entry(parent).or_default().push(row.cells);
        }
        Ok(by_parent.into_iter().map(|(parent, rows)| (parent, Page::of(rows, query))).collect())
    }

    /// Returns the rows with these ids in unspecified order. Unknown ids and ids of other tenants are omitted.
    /// `templates` are those of the noun and the columns.
    pub async fn by_ids(
        &self,
        noun: &'static Noun,
        columns: &[Column],
        ids: &[Uuid],
        templates: &Templates<()>,
    ) -> Result<Vec<Vec<Cell>>> {
        self.may_read(noun)?;
        self.by_ids_unchecked(noun, columns, ids, templates).await
    }

    /// Like [`Scope::by_ids`], without a permission check; for rules that the server applies to every caller.
    pub(crate) async fn by_ids_unchecked(
        &self,
        noun: &'static Noun,
        columns: &[Column],
        ids: &[Uuid],
        templates: &Templates<()>,
    ) -> Result<Vec<Vec<Cell>>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let organization = self.organization();
        let kinds = || columns.iter().map(|column| column.kind).collect();
        let (statement, template) = self.templated(templates, &(), ids, kinds, |sql| {
            sql.push("SELECT ").column(Alias::ROW, noun.tenant);
            for column in columns {
                sql.push(", ").shown(noun, Alias::ROW, *column, organization);
            }
            sql.push(" FROM ").name(&[noun.table]).push(" AS ").alias(Alias::ROW).push(" WHERE ");
            sql.filter_tenant(Alias::ROW, noun, organization).push(" AND ");
            sql.is_one_of_rows(Alias::ROW, "id", ids).unmerged(noun, Alias::ROW, organization);
            Ok(())
        })?;
        self.read_rows(statement, &template.kinds).await
    }

    /// Returns the number of rows that match a filter. `templates` are those of the noun.
    pub async fn count(
        &self,
        noun: &'static Noun,
        filter: &Predicate,
        templates: &Templates<Predicate>,
    ) -> Result<i64> {
        self.may_read(noun)?;
        self.may_filter(filter)?;
        let write = |sql: &mut Sql| page::count(sql, noun, filter, self.organization());
        let (statement, template) = self.templated(templates, filter, &[], || vec![CellKind::Int], write)?;
        let rows = self.read_rows(statement, &template.kinds).await?;
        Ok(rows.first().and_then(|row| row[0].int()).unwrap_or(0))
    }

    /// Returns the number of related rows that match a filter for each parent. Parents without such rows are omitted.
    /// `templates` are those of the relation.
    pub async fn count_children(
        &self,
        filter: &Predicate,
        relation: &'static Relationship,
        parents: &[Uuid],
        templates: &Templates<Predicate>,
    ) -> Result<HashMap<Uuid, i64>> {
        self.may_read(relation.target)?;
        self.may_filter(filter)?;
        let write = |sql: &mut Sql| page::count_children(sql, filter, self.organization(), relation, parents);
        let kinds = || vec![CellKind::Id, CellKind::Int];
        let (statement, template) = self.templated(templates, filter, parents, kinds, write)?;
        let rows = self.read_rows(statement, &template.kinds).await?;
        Ok(rows.iter().filter_map(|row| Some((row[0].id()?, row[1].int()?))).collect())
    }

    /// Err if the caller has no permission to read a noun that the filter refers to through a relation.
    pub(crate) fn may_filter(&self, filter: &Predicate) -> Result<()> {
        let mut nouns = Vec::new();
        filter.nouns(&mut nouns);
        nouns.into_iter().try_for_each(|noun| self.may_read(noun))
    }
}
