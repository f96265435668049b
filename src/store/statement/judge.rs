//! Answers conditions for given rows: in SQL for stored ones, and in memory for drafts of rows that are not stored yet.
//! Both answer alike.

use std::collections::{HashMap, HashSet};

use entity::{
    Noun,
    noun::{Link, Relationship},
};
use sea_orm::prelude::Uuid;

use super::{
    builder::Alias,
    cell::{Cell, CellKind, fold},
    filter::{Comparison, Predicate},
};
use crate::{
    Result,
    store::{
        Connection, ExternalId, Scope,
        writing::{
            attribute_items::{self, INSTANT, ITEM, NUMBER, VALUE},
            draft::{Draft, Target},
            external_ids::{EXTERNAL_ID, SYSTEM},
            set_items::items,
        },
    },
    words::words,
};

/// Maximum number of conditions in one statement: each may have hundreds of parameters.
const MOST: usize = 20;

impl Predicate {
    /// Returns a relation to many rows that the condition on a row itself asks for, if it does: of a row that is not
    /// stored yet, these rows are not known.
    pub fn relation_to_many(&self) -> Option<&'static Relationship> {
        self.own_relations().into_iter().find(|(relation, _)| !matches!(relation.link, Link::One { .. })).map(|it| it.0)
    }

    /// Returns whether the condition on a row itself asks for this column, or for the relation by it.
    pub fn asks_for(&self, column: &str) -> bool {
        match self {
            Self::All(inside) | Self::Any(inside) => inside.iter().any(|part| part.asks_for(column)),
            Self::Not(inside) => inside.asks_for(column),
            Self::Column(known, _) | Self::Matches(known, _) => known.name == column,
            Self::HasAny { column: known, .. }
            | Self::HasAll { column: known, .. }
            | Self::HasItem { column: known, .. } => *known == column,
            Self::Some(relation, _) => relation.is_by(column),
        }
    }

    /// Returns the conditions on related rows that stand directly in this one.
    fn own_relations(&self) -> Vec<(&'static Relationship, &Self)> {
        match self {
            Self::All(inside) | Self::Any(inside) => inside.iter().flat_map(Self::own_relations).collect(),
            Self::Not(inside) => inside.own_relations(),
            Self::Some(relation, inside) => vec![(relation, inside)],
            _ => Vec::new(),
        }
    }
}

/// The related rows for which conditions hold, by the condition.
struct Related<'a>(Vec<(&'a Predicate, HashSet<Uuid>)>);

impl Related<'_> {
    fn holds(&self, condition: &Predicate, id: Option<Uuid>) -> bool {
        let known = self.0.iter().find(|(known, _)| std::ptr::eq(*known, condition));
        known.zip(id).is_some_and(|((_, ids), id)| ids.contains(&id))
    }
}

impl<C: Connection> Scope<C> {
    /// Returns, for each of the conditions, which of these stored rows meet it: in one statement for up to 20 conditions.
    /// Without a permission check; for rules that the server applies to every caller.
    pub async fn meeting(
        &self,
        noun: &'static Noun,
        ids: &[Uuid],
        conditions: &[&Predicate],
    ) -> Result<Vec<HashSet<Uuid>>> {
        let mut met = Vec::with_capacity(conditions.len());
        for some in conditions.chunks(MOST) {
            let mut found = vec![HashSet::new(); some.len()];
            if !ids.is_empty() {
                let mut sql = self.sql();
                sql.push("SELECT ").column(Alias::ROW, noun.tenant).push(", ").column(Alias::ROW, "id");
                for condition in some {
                    sql.push(", ");
                    condition.write(&mut sql, noun, self.organization(), Alias::ROW)?;
                }
                sql.push(" FROM ").name(&[noun.table]).push(" AS ").alias(Alias::ROW).push(" WHERE ");
                sql.filter_tenant(Alias::ROW, noun, self.organization()).push(" AND ");
                sql.is_one_of(Alias::ROW, "id", ids).unmerged(noun, Alias::ROW, self.organization());
                let mut kinds = vec![CellKind::Id];
                kinds.resize(1 + some.len(), CellKind::Bool);
                for row in self.read_rows(sql.finish(), &kinds).await? {
                    let Some((Cell::Id(id), answers)) = row.split_first() else { continue };
                    for (ids, _) in found.iter_mut().zip(answers).filter(|(_, answer)| **answer == Cell::Bool(true)) {
                        ids.insert(*id);
                    }
                }
            }
            met.append(&mut found);
        }
        Ok(met)
    }

    /// Returns, for each of these drafts of new rows of one noun, whether it meets each of the conditions. Related rows
    /// are stored, and read in one statement for each of their nouns; a draft has no relations to many. Without a
    /// permission check; for rules that the server applies to every caller.
    pub async fn judge(&self, drafts: &[&Draft], conditions: &[&Predicate]) -> Result<Vec<Vec<bool>>> {
        let mut by_target: HashMap<&str, (&'static Noun, HashSet<Uuid>, Vec<&Predicate>)> = HashMap::new();
        for (relation, inside) in conditions.iter().flat_map(|condition| condition.own_relations()) {
            let Link::One { column, .. } = relation.link else { continue };
            let target = relation.target;
            let (_, ids, insides) = by_target.entry(target.table).or_insert((target, HashSet::new(), Vec::new()));
            ids.extend(drafts.iter().filter_map(|draft| draft.cell(column).id()));
            insides.push(inside);
        }
        let mut related = Related(Vec::new());
        for (target, ids, insides) in by_target.into_values() {
            let ids: Vec<Uuid> = ids.into_iter().collect();
            related.0.extend(insides.iter().copied().zip(self.meeting(target, &ids, &insides).await?));
        }
        let now = self.now().timestamp_millis();
        let meets = |draft: &Draft| conditions.iter().map(|condition| holds(condition, draft, &related, now)).collect();
        Ok(drafts.iter().map(|draft| meets(draft)).collect())
    }
}

fn holds(condition: &Predicate, draft: &Draft, related: &Related<'_>, now: i64) -> bool {
    match condition {
        Predicate::All(inside) => inside.iter().all(|part| holds(part, draft, related, now)),
        Predicate::Any(inside) => inside.iter().any(|part| holds(part, draft, related, now)),
        Predicate::Not(inside) => !holds(inside, draft, related, now),
        Predicate::Column(column, comparison) => compare(&cell(draft, column.name, now), comparison),
        Predicate::Matches(column, terms) => {
            let text = draft.cell(column.name).text().unwrap_or_default();
            terms.are_in(&words(text).collect::<Vec<_>>())
        }
        Predicate::HasAny { column, items } => set(draft, column).iter().any(|item| items.contains(item)),
        Predicate::HasAll { column, items } => {
            let own = set(draft, column);
            items.iter().all(|item| own.contains(item))
        }
        Predicate::HasItem { column, inside } if *column == EXTERNAL_ID.name => external_ids(draft).any(|key| {
            of_columns(inside, &|column| {
                Cell::Text(if column == SYSTEM.name { key.system.clone() } else { key.id.clone() })
            })
        }),
        Predicate::HasItem { column, inside } => {
            set(draft, column).iter().any(|item| of_columns(inside, &|column| item_cell(item, column)))
        }
        Predicate::Some(relation, inside) => {
            relation.link.column().is_some_and(|column| related.holds(inside, draft.cell(column).id()))
        }
    }
}

/// Returns whether a condition holds for a row of an index table. It has only columns.
fn of_columns(condition: &Predicate, cell: &dyn Fn(&str) -> Cell) -> bool {
    match condition {
        Predicate::All(inside) => inside.iter().all(|part| of_columns(part, cell)),
        Predicate::Any(inside) => inside.iter().any(|part| of_columns(part, cell)),
        Predicate::Not(inside) => !of_columns(inside, cell),
        Predicate::Column(column, comparison) => compare(&cell(column.name), comparison),
        _ => false,
    }
}

/// Returns the value that a new row will have in a column.
fn cell(draft: &Draft, column: &str, now: i64) -> Cell {
    match column {
        "id" => Cell::Id(draft.id),
        "version" if draft.is_new() => Cell::Int(1),
        "created_at" | "updated_at" if draft.is_new() => Cell::Int(now),
        _ => draft.cell(column).clone(),
    }
}

fn external_ids(draft: &Draft) -> impl Iterator<Item = &ExternalId> {
    let named = if let Target::External(key) = &draft.target { Some(key) } else { None };
    named.into_iter().chain(&draft.external_ids).chain(&draft.kept_external_ids)
}

fn set(draft: &Draft, column: &str) -> Vec<String> {
    let field = draft.noun.fields.iter().find(|field| field.column == column);
    field.map(|field| items(field, draft.cell(column))).unwrap_or_default()
}

fn item_cell(item: &str, column: &str) -> Cell {
    let [_, number, instant] = attribute_items::read(item);
    match column {
        column if column == ITEM.name => Cell::Text(item.to_owned()),
        column if column == VALUE.name => Cell::Text(attribute_items::parts(item).1.to_owned()),
        column if column == NUMBER.name => number,
        column if column == INSTANT.name => instant,
        _ => Cell::Null,
    }
}

/// Returns whether a value satisfies a comparison, as in SQL: of null, only [`Comparison::IsNull`] is true.
fn compare(cell: &Cell, comparison: &Comparison) -> bool {
    let text =
        |other: &String, is: fn(&str, &str) -> bool| cell.text().is_some_and(|text| is(&fold(text), &fold(other)));
    let is = |other: &Cell, wanted: fn(std::cmp::Ordering) -> bool| order(cell, other).is_some_and(wanted);
    match comparison {
        Comparison::IsNull => cell.is_null(),
        Comparison::Eq(other) => is(other, std::cmp::Ordering::is_eq),
        Comparison::In(others) => others.iter().any(|other| is(other, std::cmp::Ordering::is_eq)),
        Comparison::Gt(other) => is(other, std::cmp::Ordering::is_gt),
        Comparison::Gte(other) => is(other, std::cmp::Ordering::is_ge),
        Comparison::Lt(other) => is(other, std::cmp::Ordering::is_lt),
        Comparison::Lte(other) => is(other, std::cmp::Ordering::is_le),
        Comparison::Contains(other) => text(other, |text, part| text.contains(part)),
        Comparison::StartsWith(other) => text(other, |text, part| text.starts_with(part)),
    }
}

fn order(cell: &Cell, other: &Cell) -> Option<std::cmp::Ordering> {
    match (cell, other) {
        (Cell::Id(one), Cell::Id(two)) => Some(one.cmp(two)),
        (Cell::Text(one), Cell::Text(two)) => Some(one.cmp(two)),
        (Cell::Int(one), Cell::Int(two)) => Some(one.cmp(two)),
        (Cell::Float(one), Cell::Float(two)) => one.partial_cmp(two),
        (Cell::Bool(one), Cell::Bool(two)) => Some(one.cmp(two)),
        _ => None,
    }
}
