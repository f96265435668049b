//! Conditions on the rows of a noun. Their SQL never evaluates to null, so `not` is the exact complement on both
//! databases.

use std::collections::BTreeSet;

use entity::{
    id::OrganizationId,
    merging,
    noun::{Link, Noun, Relationship},
};
use sea_orm::prelude::Uuid;

use super::{
    builder::{Alias, Sql},
    cell::{Cell, CellKind, Column, fold},
};
use crate::{
    Error, Result,
    store::{erasure::mask, search::matching, writing::attribute_items::after},
    words::Terms,
};

/// A condition on a row.
#[derive(Clone, Debug)]
pub enum Predicate {
    /// All conditions hold; true if there are none.
    All(Vec<Predicate>),
    /// At least one condition holds; false if there are none.
    Any(Vec<Predicate>),
    /// The condition does not hold.
    Not(Box<Predicate>),
    /// A column satisfies a comparison.
    Column(Column, Comparison),
    /// A set column contains at least one of the items.
    HasAny {
        /// Name of the set column.
        column: &'static str,
        /// The items.
        items: Vec<String>,
    },
    /// A set column contains all of the items.
    HasAll {
        /// Name of the set column.
        column: &'static str,
        /// The items, without duplicates.
        items: BTreeSet<String>,
    },
    /// Some item of a set column, or some external id of the row, satisfies a condition on the columns of its table.
    HasItem {
        /// Name of the set column, or [`EXTERNAL_ID`](crate::store::writing::external_ids::EXTERNAL_ID)'s.
        column: &'static str,
        /// The condition.
        inside: Box<Predicate>,
    },
    /// The text of a searchable column has all terms, by the index of the search.
    Matches(Column, Terms),
    /// At least one related row satisfies the condition.
    Some(&'static Relationship, Box<Predicate>),
}

/// A comparison of one column.
#[derive(Clone, Debug)]
pub enum Comparison {
    /// Equal to the value.
    Eq(Cell),
    /// Equal to one of the values.
    In(Vec<Cell>),
    /// Greater than the value.
    Gt(Cell),
    /// Greater than or equal to the value.
    Gte(Cell),
    /// Less than the value.
    Lt(Cell),
    /// Less than or equal to the value.
    Lte(Cell),
    /// The case-folded copy of the column contains the folded text.
    Contains(String),
    /// The case-folded copy of the column starts with the folded text.
    StartsWith(String),
    /// Null.
    IsNull,
}

/// Maximum depth of nested relations in one filter.
pub const MAX_RELATIONS: usize = 8;

impl Predicate {
    /// Returns a condition that is true for every row.
    pub const fn always() -> Self {
        Self::All(Vec::new())
    }

    /// Returns the condition that a text column starts with `prefix`, case-sensitively: a range, which an index serves.
    pub fn has_prefix(column: Column, prefix: String) -> Self {
        let to = after(&prefix).map(|end| Self::Column(column, Comparison::Lt(Cell::Text(end))));
        let from = Self::Column(column, Comparison::Gte(Cell::Text(prefix)));
        Self::All(std::iter::once(from).chain(to).collect())
    }

    /// Collects every noun that the condition reaches through relations: the caller needs permission to read each of
    /// them.
    pub fn nouns(&self, found: &mut Vec<&'static Noun>) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.nouns(found)),
            Self::Not(part) => part.nouns(found),
            Self::Column(..) | Self::Matches(..) | Self::HasAny { .. } | Self::HasAll { .. } | Self::HasItem { .. } => {
            }
            Self::Some(relation, inside) => {
                found.push(relation.target);
                inside.nouns(found);
            }
        }
    }

    /// Appends the condition on the table `alias` of `noun`.
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
                // Treat a masked column as already empty.
                let (is_null, from) = (matches!(test, Comparison::IsNull), sql.length());
                test.write(sql.push("("), *column, alias);
                sql.behind(from)
                    .push(if is_null { " OR " } else { " AND NOT " })
                    .is_masked(noun, alias, organization)
                    .push(")");
                Ok(())
            }
            Self::Column(column, test) if column.name == "id" && merging::is_mergeable(noun) => {
                test.write_followed(sql, *column, alias, organization);
                Ok(())
            }
            Self::Column(column, test) => {
                let from = sql.length();
                test.write(sql, *column, alias);
                sql.behind(from);
                Ok(())
            }
            Self::Matches(column, terms) => {
                matching::is_matched(sql, noun, *column, terms, organization, alias);
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
                // Bound, so that the number of items does not change the text.
                sql.push(" = ").bind(i64::try_from(items.len()).unwrap_or(i64::MAX));
                Ok(())
            }
            Self::HasItem { column, inside } => {
                sql.push("EXISTS (SELECT 1");
                let inner = set_items(sql, noun, column, organization, alias);
                sql.push(" AND ");
                inside.write(sql, noun, organization, inner)?;
                sql.push(")");
                Ok(())
            }
            Self::Some(relation, inside) => related(sql, noun, relation, inside, organization, alias),
        }
    }
}

/// Appends the rest of a subquery for the items of a set that are among `items`, including the closing parenthesis.
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

/// Appends the condition that the item of an index table is at least `from` and less than `to`.
pub(crate) fn between(sql: &mut Sql, items: Alias, from: &str, to: Option<&str>) {
    sql.push(" AND ").column(items, "item").push(" >= ").bind(from);
    if let Some(to) = to {
        sql.push(" AND ").column(items, "item").push(" < ").bind(to);
    }
}

/// Appends the `FROM` and `WHERE` of a subquery for the items of a row's set, or its external ids. Returns the alias of
/// their table.
fn set_items(
    sql: &mut Sql,
    noun: &'static Noun,
    column: &'static str,
    organization: OrganizationId,
    alias: Alias,
) -> Alias {
    let inner = Alias::nested('i', alias.depth() + 1);
    sql.push(" FROM ").name(&[noun.table, "_", column]).push(" AS ").alias(inner);
    sql.push(" WHERE ").filter_tenant_again(
        "the items have the organization of their row",
        inner,
        "organization_id",
        organization,
    );
    sql.push(" AND ").same_tenant_again("the items are filtered", (inner, "organization_id"), (alias, noun.tenant));
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

/// Appends the condition on related rows. The join is always on organization and id, and the organization is also
/// bound: databases that distribute tables by organization need to see it, and each of the two conditions is sufficient
/// for isolation.
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
        return Err(Error::BadInput(format!("a filter can follow at most {MAX_RELATIONS} relations in a chain")));
    }
    let (inner, link) = (Alias::nested('r', depth), Alias::nested('k', depth));
    let target = relation.target;
    if let (Link::One { column, is_nullable, .. }, Some(test)) = (&relation.link, id_test(inside))
        // The column may name a row that the caller does not see.
        && !sql.narrows(target)
    {
        let reference = Column { name: column, kind: CellKind::Id, is_nullable: *is_nullable, field: relation.name };
        if merging::is_mergeable(target) {
            test.write_followed(sql, reference, alias, organization);
        } else {
            test.write(sql, reference, alias);
        }
        return Ok(());
    }
    sql.push("EXISTS (SELECT 1 FROM ").name(&[target.table]).push(" AS ").alias(inner);
    match relation.link {
        Link::One { column, .. } => {
            sql.push(" WHERE ").column(inner, "id").push(" = ").column(alias, column);
        }
        Link::Many { column, .. } => {
            sql.push(" WHERE ").column(inner, column).push(" = ").column(alias, "id");
        }
        Link::Through { table, from, to, .. } => {
            sql.push(" JOIN ").name(&[table]).push(" AS ").alias(link).push(" ON ");
            sql.same_tenant_again(
                "links and related rows are filtered",
                (link, "organization_id"),
                (inner, target.tenant),
            );
            sql.push(" AND ").column(link, to).push(" = ").column(inner, "id");
            sql.push(" WHERE ").filter_tenant_again(
                "the links have the organization of the related rows",
                link,
                "organization_id",
                organization,
            );
            sql.push(" AND ").column(link, from).push(" = ").column(alias, "id");
        }
        Link::Embedded(_) | Link::Member { .. } => unreachable!("a computed object has no filter"),
    }
    sql.push(" AND ").filter_tenant_again(
        "the related rows have the organization of the filtered ones",
        inner,
        target,
        organization,
    );
    sql.push(" AND ")
        .same_tenant_again("the related rows are filtered", (inner, target.tenant), (alias, noun.tenant))
        .push(" AND ");
    inside.write(sql, target, organization, inner)?;
    sql.push(")");
    Ok(())
}

/// Returns the comparison with the id of the related row if the condition consists only of this: the foreign key column
/// can then be compared without a join.
fn id_test(predicate: &Predicate) -> Option<&Comparison> {
    match predicate {
        Predicate::All(parts) if parts.len() == 1 => id_test(&parts[0]),
        Predicate::Column(column, test @ (Comparison::Eq(_) | Comparison::In(_))) if column.name == "id" => Some(test),
        _ => None,
    }
}

impl Comparison {
    /// Like [`Comparison::write`], for a column with ids of rows that can be merged: the id of a merged row stands for
    /// the row that it became.
    fn write_followed(&self, sql: &mut Sql, column: Column, alias: Alias, organization: OrganizationId) {
        let ids: Vec<Uuid> = match self {
            Self::Eq(cell) => cell.id().into_iter().collect(),
            Self::In(cells) => cells.iter().filter_map(Cell::id).collect(),
            _ => Vec::new(),
        };
        if ids.is_empty() {
            return self.write(sql, column, alias);
        }
        if column.is_nullable {
            sql.push("(").column(alias, column.name).push(" IS NOT NULL AND ");
        }
        sql.is_one_of_followed((alias, column.name), &ids, organization);
        if column.is_nullable {
            sql.push(")");
        }
    }

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

/// Escapes the characters that `LIKE` treats as wildcards.
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
