//! Keyset pagination over any noun: several order columns, either direction, nulls as the smallest or the largest
//! value.

use std::sync::Arc;

use entity::{
    id::OrganizationId,
    noun::{Link, Noun, Relationship},
};
use sea_orm::{Statement, prelude::Uuid};

use super::range::{Bound, ranges, whole};
use crate::{
    Result,
    store::{
        Connection, Scope,
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind, Column},
            filter::Predicate,
            template::{PlanSize, Template, Templates},
        },
    },
};

/// A column of a sort order.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    /// The column.
    pub column: Column,
    /// Whether the largest value comes first.
    pub is_descending: bool,
    /// Whether null is the largest value instead of the smallest.
    pub is_null_largest: bool,
}

impl Term {
    /// Creates an order by a column with null as the smallest value, as in the indexes.
    pub const fn new(column: Column, is_descending: bool) -> Self {
        Self { column, is_descending, is_null_largest: false }
    }
}

/// Selects the rows of one page of a list.
#[derive(Clone, Debug)]
pub struct PageQuery {
    /// Filter on the rows.
    pub filter: Predicate,
    /// Sort order; its last column is the id.
    pub order: Vec<Term>,
    /// Return only rows after these values of the order columns.
    pub after: Option<Vec<Cell>>,
    /// Return only rows before these values of the order columns.
    pub before: Option<Vec<Cell>>,
    /// Maximum number of rows.
    pub limit: usize,
    /// Whether to determine if more rows follow, which reads one row more.
    pub looks_ahead: bool,
    /// Whether to return the last rows instead of the first.
    pub is_backward: bool,
}

/// A page of rows, in the order of the list.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The rows; each has the selected columns, then the order columns, then the columns of the link table.
    pub rows: Vec<Vec<Cell>>,
    /// Whether more rows follow in the direction of reading.
    pub has_more: bool,
}

impl Page {
    /// Builds the page from the rows that were read.
    pub fn of(mut rows: Vec<Vec<Cell>>, query: &PageQuery) -> Self {
        let has_more = trim(&mut rows, query.limit, query.is_backward);
        Self { rows, has_more }
    }
}

/// Drops the row after a page, which indicates that there are more, and restores the order after backward reading.
/// Returns whether more rows follow in the direction of reading.
pub fn trim<T>(rows: &mut Vec<T>, limit: usize, is_backward: bool) -> bool {
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    if is_backward {
        rows.reverse();
    }
    has_more
}

/// Returns whether rows follow and whether rows precede a page that was asked for between these positions.
pub const fn neighbors<T>(has_more: bool, is_backward: bool, after: Option<&T>, before: Option<&T>) -> (bool, bool) {
    if is_backward { (before.is_some(), has_more) } else { (has_more, after.is_some()) }
}

/// The columns to read of each row, and the statements written for them so far.
#[derive(Debug)]
pub struct Selection {
    /// The noun.
    pub noun: &'static Noun,
    /// Columns of the noun.
    pub columns: Vec<Column>,
    /// Columns of the link table, if the relation has one.
    pub edge: Vec<Column>,
    pages: Templates<PageQuery>,
    /// The statements that count the rows.
    pub counts: Templates<Predicate>,
}

impl Selection {
    /// Creates a selection without statements, in a plan of this size.
    pub fn new(noun: &'static Noun, columns: Vec<Column>, edge: Vec<Column>, size: &PlanSize) -> Self {
        Self { noun, columns, edge, pages: Templates::new(size), counts: Templates::new(size) }
    }

    /// Returns the columns of the noun that a page has: the selected ones, then those of the order.
    fn page_columns(&self, query: &PageQuery) -> Vec<Column> {
        let mut all: Vec<Column> = Vec::new();
        for column in self.columns.iter().copied().chain(query.order.iter().map(|term| term.column)) {
            if all.iter().all(|known| known.name != column.name) {
                all.push(column);
            }
        }
        all
    }

    /// Returns the indexes of the columns of the order in the rows of a page.
    pub fn places(&self, query: &PageQuery) -> Vec<usize> {
        let columns = self.page_columns(query);
        let place = |term: &Term| columns.iter().position(|column| column.name == term.column.name);
        query.order.iter().filter_map(place).collect()
    }
}

/// The source of the rows: all rows of a noun, or the rows that a relation joins to a parent.
#[derive(Clone, Copy)]
enum Source {
    Noun,
    Children(&'static Relationship),
}

struct Writer<'a> {
    selection: &'a Selection,
    query: &'a PageQuery,
    organization: OrganizationId,
    source: Source,
}

impl Writer<'_> {
    fn select(&self, sql: &mut Sql) {
        if sql.is_mute() {
            return;
        }
        sql.push("SELECT ").column(Alias::ROW, self.selection.noun.tenant).push(" AS tenant");
        for column in self.selection.page_columns(self.query) {
            sql.push(", ").shown(self.selection.noun, Alias::ROW, column, self.organization);
            sql.push(" AS ").name(&[column.name]);
        }
        for column in &self.selection.edge {
            sql.push(", ").column(Alias::LINK, column.name).push(" AS ").name(&["edge_", column.name]);
        }
    }

    /// Writes `SELECT … FROM … WHERE` with all conditions. If a column has two bounds, SQLite starts its index
    /// scan at the one that comes first in the statement. The cursor therefore precedes the filter; otherwise a page
    /// deep in a range would scan all rows before it. (A cursor outside the filter's range may cause a scan up to that
    /// range.)
    fn write_select(&self, sql: &mut Sql, bounds: &[Bound]) -> Result<()> {
        let noun = self.selection.noun;
        self.select(sql);
        sql.push(" FROM ");
        if let Source::Children(Relationship { link: Link::Through { table, to, .. }, .. }) = self.source {
            // SQLite joins the tables of a cross join in the written order; otherwise it may scan every row of the
            // organization.
            sql.name(&[table]).push(" AS ").alias(Alias::LINK);
            sql.push(if sql.is_postgres() { " JOIN " } else { " CROSS JOIN " });
            sql.name(&[noun.table]).push(" AS ").alias(Alias::ROW).push(" ON ");
            sql.same_tenant_again(
                "links and listed rows are filtered",
                (Alias::LINK, "organization_id"),
                (Alias::ROW, noun.tenant),
            );
            sql.push(" AND ").column(Alias::LINK, to).push(" = ").column(Alias::ROW, "id");
        } else {
            sql.name(&[noun.table]).push(" AS ").alias(Alias::ROW);
        }
        sql.push(" WHERE ");
        match self.source {
            Source::Noun => drop(sql.filter_tenant(Alias::ROW, noun, self.organization)),
            Source::Children(relation) => {
                sql.filter_tenant(Alias::ROW, noun, self.organization).push(" AND ");
                match relation.link {
                    Link::Many { column, .. } => drop(sql.column(Alias::ROW, column)),
                    Link::Through { from, .. } => {
                        let reason = "the listed rows are filtered";
                        sql.filter_tenant_again(reason, Alias::LINK, "organization_id", self.organization);
                        sql.push(" AND ").column(Alias::LINK, from);
                    }
                    Link::One { .. } | Link::Embedded(_) | Link::Member { .. } => {
                        unreachable!("a single reference is not a list")
                    }
                }
                if sql.is_postgres() {
                    sql.push(" = p.id");
                } else {
                    sql.push(" = ").parent();
                }
            }
        }
        for bound in bounds {
            sql.push(" AND ");
            bound.write(sql, Alias::ROW);
        }
        sql.push(" AND ");
        self.query.filter.write(sql, noun, self.organization, Alias::ROW)?;
        sql.unmerged(noun, Alias::ROW, self.organization);
        Ok(())
    }

    /// Writes the statement for the rows of the page, with one row more if `looks_ahead` is set.
    fn page(&self, sql: &mut Sql) -> Result<()> {
        let query = self.query;
        let after = query.after.as_ref().map(|values| ranges(&query.order, values, false));
        let before = query.before.as_ref().map(|values| ranges(&query.order, values, true));
        let combined: Vec<Vec<Bound>> = match (after, before) {
            (None, None) => whole(&query.order),
            (Some(only), None) | (None, Some(only)) => only,
            (Some(after), Some(before)) => {
                after.iter().flat_map(|a| before.iter().map(move |b| a.iter().chain(b).cloned().collect())).collect()
            }
        };
        if let [only] = combined.as_slice() {
            return self.range(sql, only);
        }
        if combined.is_empty() {
            self.write_select(sql, &[])?;
            sql.push(" AND FALSE");
            return Ok(());
        }
        sql.push("SELECT * FROM (");
        for (index, range) in combined.iter().enumerate() {
            sql.push(if index > 0 { " UNION ALL SELECT * FROM (" } else { "SELECT * FROM (" });
            self.range(sql, range)?;
            sql.push(") AS b").number(index);
        }
        sql.push(") AS u");
        self.write_order_limit(sql, None, &[]);
        Ok(())
    }

    fn range(&self, sql: &mut Sql, bounds: &[Bound]) -> Result<()> {
        self.write_select(sql, bounds)?;
        self.write_order_limit(sql, Some(Alias::ROW), bounds);
        Ok(())
    }

    fn write_order_limit(&self, sql: &mut Sql, alias: Option<Alias>, bounds: &[Bound]) {
        if sql.is_mute() {
            return;
        }
        sql.push(" ORDER BY ");
        self.order(sql, alias, bounds);
        sql.push(" LIMIT ").number(self.query.limit + usize::from(self.query.looks_ahead));
    }

    /// Writes the sort order of rows within bounds. A column whose nulls are separated by the bounds is sorted as in
    /// its index, so that the index can be used: within the bounds, either all values are null or none is.
    fn order(&self, sql: &mut Sql, alias: Option<Alias>, bounds: &[Bound]) {
        let is_backward = self.query.is_backward;
        sql.list(&self.query.order, |sql, term| {
            if let Some(alias) = alias {
                sql.column(alias, term.column.name);
            } else {
                sql.name(&[term.column.name]);
            }
            let is_descending = term.is_descending != is_backward;
            sql.push(if is_descending { " DESC" } else { " ASC" });
            let is_null_largest = term.is_null_largest && !bounds.iter().any(|bound| bound.parts_nulls(term));
            // SQLite can use an index only with its default null order, which needs no clause.
            if term.column.is_nullable && (is_null_largest || sql.is_postgres()) {
                sql.push(if is_descending == is_null_largest { " NULLS FIRST" } else { " NULLS LAST" });
            }
        });
    }
}

/// Returns the kinds of the output columns of [`page`] and [`children`] after tenant and parent: columns, edge.
fn kinds(selection: &Selection, query: &PageQuery) -> Vec<CellKind> {
    selection.page_columns(query).iter().chain(&selection.edge).map(|column| column.kind).collect()
}

/// Writes the statement for one page of a noun.
pub fn page(sql: &mut Sql, selection: &Selection, query: &PageQuery, organization: OrganizationId) -> Result<()> {
    Writer { selection, query, organization, source: Source::Noun }.page(sql)
}

/// Writes the statement for one page for each parent, with a short index scan per parent. On PostgreSQL, one execution
/// covers all `parents`; on `SQLite`, where a statement costs little, it is executed once per parent.
pub fn children(
    sql: &mut Sql,
    selection: &Selection,
    query: &PageQuery,
    organization: OrganizationId,
    relation: &'static Relationship,
    parents: &[Uuid],
) -> Result<()> {
    let writer = Writer { selection, query, organization, source: Source::Children(relation) };
    if !sql.is_postgres() {
        return writer.page(sql);
    }
    sql.push("SELECT p.id AS parent, c.* FROM unnest(").rows(parents);
    sql.push(") WITH ORDINALITY AS p(id, place) CROSS JOIN LATERAL (");
    writer.page(sql)?;
    sql.push(") AS c ORDER BY p.place, ");
    writer.order(sql, Some(Alias::OUTER), &[]);
    Ok(())
}

/// Writes the statement that counts the rows that match a filter.
pub fn count(sql: &mut Sql, noun: &'static Noun, filter: &Predicate, organization: OrganizationId) -> Result<()> {
    sql.push("SELECT ").column(Alias::ROW, noun.tenant).push(", COUNT(*) FROM ").name(&[noun.table]);
    sql.push(" AS ").alias(Alias::ROW).push(" WHERE ");
    sql.filter_tenant(Alias::ROW, noun, organization).push(" AND ");
    filter.write(sql, noun, organization, Alias::ROW)?;
    sql.unmerged(noun, Alias::ROW, organization);
    sql.push(" GROUP BY ").column(Alias::ROW, noun.tenant);
    Ok(())
}

/// Writes the statement that counts the rows that match a filter for each parent.
pub fn count_children(
    sql: &mut Sql,
    filter: &Predicate,
    organization: OrganizationId,
    relation: &'static Relationship,
    parents: &[Uuid],
) -> Result<()> {
    let noun = relation.target;
    let (alias, parent) = match relation.link {
        Link::Many { column, .. } => (Alias::ROW, column),
        Link::Through { from, .. } => (Alias::LINK, from),
        Link::One { .. } | Link::Embedded(_) | Link::Member { .. } => unreachable!("a single reference is not a list"),
    };
    sql.push("SELECT ").column(Alias::ROW, noun.tenant).push(", ").column(alias, parent).push(", COUNT(*) FROM ");
    sql.name(&[noun.table]).push(" AS ").alias(Alias::ROW);
    if let Link::Through { table, to, .. } = relation.link {
        sql.push(" JOIN ").name(&[table]).push(" AS ").alias(Alias::LINK).push(" ON ");
        sql.filter_tenant_again("the counted rows are filtered", Alias::LINK, "organization_id", organization)
            .push(" AND ");
        sql.same_tenant_again(
            "links and counted rows are filtered",
            (Alias::LINK, "organization_id"),
            (Alias::ROW, noun.tenant),
        );
        sql.push(" AND ").column(Alias::LINK, to).push(" = ").column(Alias::ROW, "id");
    }
    sql.push(" WHERE ").filter_tenant(Alias::ROW, noun, organization).push(" AND ");
    sql.is_one_of_rows(alias, parent, parents).push(" AND ");
    filter.write(sql, noun, organization, Alias::ROW)?;
    sql.unmerged(noun, Alias::ROW, organization);
    sql.push(" GROUP BY ").column(Alias::ROW, noun.tenant).push(", ").column(alias, parent);
    Ok(())
}

impl<C: Connection> Scope<C> {
    /// Returns the statement for one page of a noun.
    pub(in crate::store) fn page_statement(
        &self,
        selection: &Selection,
        query: &PageQuery,
    ) -> Result<(Statement, Arc<Template>)> {
        let write = |sql: &mut Sql| page(sql, selection, query, self.organization());
        self.templated(&selection.pages, query, &[], || kinds(selection, query), write)
    }

    /// Returns the statement for one page of a relation for each of `parents`.
    pub(in crate::store) fn children_statement(
        &self,
        selection: &Selection,
        query: &PageQuery,
        relation: &'static Relationship,
        parents: &[Uuid],
    ) -> Result<(Statement, Arc<Template>)> {
        let write = |sql: &mut Sql| children(sql, selection, query, self.organization(), relation, parents);
        self.templated(&selection.pages, query, parents, || kinds(selection, query), write)
    }
}

/// Returns the order by id, which is the order of creation. Every list uses it by default and as the last criterion.
pub fn by_id(is_descending: bool) -> Term {
    let column = Column { name: "id", kind: CellKind::Id, is_nullable: false, field: "id" };
    Term::new(column, is_descending)
}
