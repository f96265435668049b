//! Conditions on a noun's rows, and how they become SQL that is never null, so that `not` is the
//! exact complement on both databases.

use std::collections::BTreeSet;

use entity::{
    id::OrganizationId,
    noun::{Link, Noun, Relationship},
};

use super::{
    builder::{Alias, Sql},
    cell::{Cell, CellKind, Column, fold},
    tenant_check::TenantCheck,
};
use crate::{Error, Result, store::erasure::mask};

/// A condition on a row.
#[derive(Clone, Debug)]
pub enum Predicate {
    /// All of them hold; true when there are none.
    All(Vec<Predicate>),
    /// One of them holds; false when there are none.
    Any(Vec<Predicate>),
    /// It does not hold.
    Not(Box<Predicate>),
    /// A column passes a test.
    Column(Column, Comparison),
    /// Whether a set column holds at least one of the items.
    HasAny {
        /// The set column's name.
        column: &'static str,
        /// The items.
        items: Vec<String>,
    },
    /// Whether a set column holds all of the items.
    HasAll {
        /// The set column's name.
        column: &'static str,
        /// The items, each once.
        items: BTreeSet<String>,
    },
    /// Whether a set column holds an item between two texts, the second not included, that meets a condition on the
    /// columns of its index table.
    HasBetween {
        /// The set column's name.
        column: &'static str,
        /// The texts; without the second, to the end.
        items: (String, Option<String>),
        /// The condition.
        inside: Box<Predicate>,
    },
    /// Whether some related row meets a condition.
    Some(&'static Relationship, Box<Predicate>),
}

/// A test of one column.
#[derive(Clone, Debug)]
pub enum Comparison {
    /// Equal.
    Eq(Cell),
    /// Equal to one of them.
    In(Vec<Cell>),
    /// Greater.
    Gt(Cell),
    /// Greater or equal.
    Gte(Cell),
    /// Less.
    Lt(Cell),
    /// Less or equal.
    Lte(Cell),
    /// The folded twin contains the folded text.
    Contains(String),
    /// The folded twin starts with the folded text.
    StartsWith(String),
    /// Absent.
    IsNull,
}

/// Deepest nesting of relations in one filter.
pub const MAX_RELATIONS: usize = 8;

impl Predicate {
    /// True for every row.
    pub const fn always() -> Self {
        Self::All(Vec::new())
    }

    /// Every noun that rows of `noun` are related to in it: reading them needs their scopes too.
    pub fn nouns(&self, found: &mut Vec<&'static Noun>) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.nouns(found)),
            Self::Not(part) => part.nouns(found),
            Self::Column(..) | Self::HasAny { .. } | Self::HasAll { .. } | Self::HasBetween { .. } => {}
            Self::Some(relation, inside) => {
                found.push(relation.target);
                inside.nouns(found);
            }
        }
    }

    /// Appends the condition on the row called `alias` of `noun`.
    pub fn write(&self, sql: &mut Sql, noun: &'static Noun, organization: OrganizationId, alias: Alias) -> Result<()> {
        match self {
            Self::All(parts) => join(sql, parts, " AND ", "TRUE", noun, organization, alias),
            Self::Any(parts) => join(sql, parts, " OR ", "FALSE", noun, organization, alias),
            Self::Not(part) => {
                sql.push("NOT (");
                part.write(sql, noun, organization, alias)?;
                sql.push(")");
                Ok(())
            }
            Self::Column(column, test) if mask::covered(noun, column.name).is_some() => {
                // As if it held nothing already.
                let (is_null, from) = (matches!(test, Comparison::IsNull), sql.length());
                test.write(sql.push("("), *column, alias);
                sql.behind(from)
                    .push(if is_null { " OR " } else { " AND NOT " })
                    .is_masked(noun, alias, organization)
                    .push(")");
                Ok(())
            }
            Self::Column(column, test) => {
                let from = sql.length();
                test.write(sql, *column, alias);
                sql.behind(from);
                Ok(())
            }
            Self::HasAny { column, items } => {
                sql.push("EXISTS (SELECT 1");
                among(sql, noun, column, items, organization, alias);
                Ok(())
            }
            Self::HasAll { column, items } => {
                sql.push("(SELECT COUNT(*)");
                among(sql, noun, column, items, organization, alias);
                sql.push(" = ").number(items.len());
                Ok(())
            }
            Self::HasBetween { column, items: (from, to), inside } => {
                sql.push("EXISTS (SELECT 1");
                let inner = set_items(sql, noun, column, organization, alias);
                between(sql, inner, from, to.as_deref());
                sql.push(" AND ");
                inside.write(sql, noun, organization, inner)?;
                sql.push(")");
                Ok(())
            }
            Self::Some(relation, inside) => related(sql, noun, relation, inside, organization, alias),
        }
    }
}

/// The rest of a statement over the items of a set that are among some, up to its closing bracket.
fn among<'a>(
    sql: &mut Sql,
    noun: &'static Noun,
    column: &'static str,
    items: impl IntoIterator<Item = &'a String>,
    organization: OrganizationId,
    alias: Alias,
) {
    let inner = set_items(sql, noun, column, organization, alias);
    let items: Vec<Cell> = items.into_iter().cloned().map(Cell::Text).collect();
    sql.push(" AND ").is_one_of_cells(inner, "item", CellKind::Text, &items).push(")");
}

/// Appends that the item of an index table's row stands between two texts, the second not included.
pub(crate) fn between(sql: &mut Sql, items: Alias, from: &str, to: Option<&str>) {
    sql.push(" AND ").column(items, "item").push(" >= ").bind(from);
    if let Some(to) = to {
        sql.push(" AND ").column(items, "item").push(" < ").bind(to);
    }
}

/// Appends the items of a row's set, and that they are this row's. Answers how they are called.
fn set_items(
    sql: &mut Sql,
    noun: &'static Noun,
    column: &'static str,
    organization: OrganizationId,
    alias: Alias,
) -> Alias {
    let inner = Alias::nested('i', alias.depth() + 1);
    sql.push(" FROM ").name(&[noun.table, "_", column]).push(" AS ").alias(inner);
    sql.push(" WHERE ").filter_tenant(TenantCheck::SetFilter, inner, "organization_id", organization);
    sql.push(" AND ").same_tenant(TenantCheck::SetFilterRow, (inner, "organization_id"), (alias, noun.tenant));
    sql.push(" AND ").alias(inner).push(".").name(&[noun.table, "_id"]).push(" = ").column(alias, "id");
    sql.unmasked(noun, column, alias, organization);
    inner
}

fn join(
    sql: &mut Sql,
    parts: &[Predicate],
    between: &'static str,
    empty: &'static str,
    noun: &'static Noun,
    organization: OrganizationId,
    alias: Alias,
) -> Result<()> {
    if parts.is_empty() {
        sql.push(empty);
        return Ok(());
    }
    sql.push("(");
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            sql.push(between);
        }
        part.write(sql, noun, organization, alias)?;
    }
    sql.push(")");
    Ok(())
}

/// The join is always on the organization and the id, and the organization is bound as well: each engine that spreads
/// tables by organization wants to see it, and either narrows alone.
fn related(
    sql: &mut Sql,
    noun: &'static Noun,
    relation: &'static Relationship,
    inside: &Predicate,
    organization: OrganizationId,
    alias: Alias,
) -> Result<()> {
    let depth = alias.depth() + 1;
    if depth > MAX_RELATIONS {
        return Err(Error::BadInput(format!("a filter follows at most {MAX_RELATIONS} relations in a row")));
    }
    let (inner, link) = (Alias::nested('r', depth), Alias::nested('k', depth));
    let target = relation.target;
    if let (Link::One { column, is_nullable, .. }, Some(test)) = (&relation.link, id_test(inside)) {
        let reference = Column { name: column, kind: CellKind::Id, is_nullable: *is_nullable, field: relation.name };
        test.write(sql, reference, alias);
        return Ok(());
    }
    sql.push("EXISTS (SELECT 1 FROM ").name(&[target.table]).push(" AS ").alias(inner);
    match relation.link {
        Link::One { column, .. } => {
            sql.push(" WHERE ").column(inner, "id").push(" = ").column(alias, column);
        }
        Link::Many { column } => {
            sql.push(" WHERE ").column(inner, column).push(" = ").column(alias, "id");
        }
        Link::Through { table, from, to, .. } => {
            sql.push(" JOIN ").name(&[table]).push(" AS ").alias(link).push(" ON ");
            sql.same_tenant(TenantCheck::RelationFilterLinkRow, (link, "organization_id"), (inner, target.tenant));
            sql.push(" AND ").column(link, to).push(" = ").column(inner, "id");
            sql.push(" WHERE ").filter_tenant(TenantCheck::RelationFilterLink, link, "organization_id", organization);
            sql.push(" AND ").column(link, from).push(" = ").column(alias, "id");
        }
        Link::Embedded { .. } => unreachable!("a computed object has no filter"),
    }
    sql.push(" AND ").filter_tenant(TenantCheck::RelationFilter, inner, target.tenant, organization);
    sql.push(" AND ")
        .same_tenant(TenantCheck::RelationFilterRow, (inner, target.tenant), (alias, noun.tenant))
        .push(" AND ");
    inside.write(sql, target, organization, inner)?;
    sql.push(")");
    Ok(())
}

/// The test of the related row's id, when that is all the condition asks: the key in this row answers it.
fn id_test(predicate: &Predicate) -> Option<&Comparison> {
    match predicate {
        Predicate::All(parts) if parts.len() == 1 => id_test(&parts[0]),
        Predicate::Column(column, test @ (Comparison::Eq(_) | Comparison::In(_))) if column.name == "id" => Some(test),
        _ => None,
    }
}

impl Comparison {
    fn write(&self, sql: &mut Sql, column: Column, alias: Alias) {
        if let Self::IsNull = self {
            sql.column(alias, column.name).push(" IS NULL");
            return;
        }
        if column.is_nullable {
            sql.push("(").column(alias, column.name).push(" IS NOT NULL AND ");
        }
        let operator = match self {
            Self::Eq(_) => " = ",
            Self::Gt(_) => " > ",
            Self::Gte(_) => " >= ",
            Self::Lt(_) => " < ",
            Self::Lte(_) => " <= ",
            Self::In(_) | Self::Contains(_) | Self::StartsWith(_) | Self::IsNull => " LIKE ",
        };
        match self {
            Self::Eq(cell) | Self::Gt(cell) | Self::Gte(cell) | Self::Lt(cell) | Self::Lte(cell) => {
                sql.column(alias, column.name).push(operator).cell(cell, column.kind);
            }
            Self::In(cells) if cells.is_empty() => {
                sql.push("FALSE");
            }
            Self::In(cells) => {
                sql.is_one_of_cells(alias, column.name, column.kind, cells);
            }
            Self::Contains(text) | Self::StartsWith(text) => {
                let open = if matches!(self, Self::Contains(_)) { "%" } else { "" };
                sql.alias(alias).push(".").name(&[column.name, "_folded"]).push(operator);
                sql.bind(format!("{open}{}%", escaped(&fold(text)))).push(" ESCAPE '\\'");
            }
            Self::IsNull => {}
        }
        if column.is_nullable {
            sql.push(")");
        }
    }
}

/// Takes the meaning from the signs that LIKE treats as wildcards.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for sign in text.chars() {
        if matches!(sign, '\\' | '%' | '_') {
            escaped.push('\\');
        }
        escaped.push(sign);
    }
    escaped
}
