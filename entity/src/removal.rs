//! The order in which all rows of an organization can be deleted: no row is deleted before the rows that refer to it.

use std::sync::LazyLock;

use crate::{
    NOUNS,
    noun::{Link, Noun},
    organization, personal,
};

/// A step of removing the rows of an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    /// Sets a nullable reference of a noun's rows to null: the rows refer to each other in a circle, or to rows of their
    /// own noun.
    Clear {
        /// The noun.
        table: &'static str,
        /// Its column with the organization.
        tenant: &'static str,
        /// The reference.
        column: &'static str,
    },
    /// Deletes the rows of a table.
    Delete {
        /// Parts of the table's name.
        table: Vec<&'static str>,
    },
}

/// Tables that keep their rows until the organization's own row is deleted, in one transaction with it: the slug is not
/// free before, tokens stay refused, and the job that deletes the others is one of them.
pub const LAST: [&str; 3] = ["job", "organization_slug", "token_withdrawal"];

/// Tables that hold nothing of an organization, or only that it was deleted.
pub const KEPT: [&str; 2] = ["seaql_migrations", "organization_deletion"];

/// Returns all steps before the last, in order. Derived from the descriptions of the nouns.
pub fn removals() -> &'static [Removal] {
    static REMOVALS: LazyLock<Vec<Removal>> = LazyLock::new(|| {
        let (clears, nouns) = ordered();
        let parts = NOUNS.into_iter().filter(|noun| noun.is_stored()).flat_map(tables_below);
        // A table follows those that it refers to.
        let others = personal::other_tables().filter(|table| !LAST.contains(table) && !KEPT.contains(table));
        let others: Vec<&str> = others.collect();
        let mut tables: Vec<Vec<&'static str>> = Vec::new();
        let all = parts.chain(others.into_iter().rev().map(|table| vec![table]));
        for table in all.chain(nouns.into_iter().map(|noun| vec![noun.table])) {
            if tables.iter().all(|known| known.concat() != table.concat()) {
                tables.push(table);
            }
        }
        clears.into_iter().chain(tables.into_iter().map(|table| Removal::Delete { table })).collect()
    });
    &REMOVALS
}

/// Returns the tables of a noun's sets, links and external ids.
fn tables_below(noun: &'static Noun) -> Vec<Vec<&'static str>> {
    let sets = noun.all_fields().filter(|field| field.kind.is_set());
    let mut tables: Vec<Vec<&str>> = sets.map(|field| vec![noun.table, "_", field.column]).collect();
    tables.extend(noun.relations.iter().filter_map(|relation| match relation.link {
        Link::Through { table, .. } => Some(vec![table]),
        _ => None,
    }));
    tables.extend(noun.has_external_ids.then(|| vec![noun.table, "_external_id"]));
    tables
}

/// Returns the nouns but the organization, each after those that refer to it, and the references to set to null before.
fn ordered() -> (Vec<Removal>, Vec<&'static Noun>) {
    let is_organization = |noun: &&Noun| noun.table == organization::NOUN.table;
    let mut left: Vec<&'static Noun> = NOUNS.into_iter().filter(|noun| noun.is_stored()).collect();
    let mut clears = Vec::new();
    for noun in &left {
        let own = references(noun).filter(|(target, ..)| is_organization(noun) || target.table == noun.table);
        clears.extend(own.map(|(_, column, _)| clear(noun, column)));
    }
    left.retain(|noun| !is_organization(noun));
    let mut ordered: Vec<&'static Noun> = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let referring = |noun: &Noun| -> Vec<(&'static Noun, &'static str, bool)> {
            let others = left.iter().copied().filter(|other| other.table != noun.table);
            let named = others.flat_map(|other| references(other).map(move |reference| (other, reference)));
            let to_it = named.filter(|(_, (target, ..))| target.table == noun.table);
            to_it.map(|(other, (_, column, is_nullable))| (other, column, is_nullable)).collect()
        };
        let free = left.iter().position(|noun| referring(noun).is_empty());
        let freed = || left.iter().position(|noun| referring(noun).iter().all(|(.., is_nullable)| *is_nullable));
        // A circle without a nullable reference could have no rows.
        let next = free.or_else(freed).unwrap_or_default();
        clears.extend(referring(left[next]).into_iter().map(|(other, column, _)| clear(other, column)));
        ordered.push(left.remove(next));
    }
    (clears, ordered)
}

/// Returns the references of a noun's rows to rows of stored nouns: target, column, and whether it is nullable.
fn references(noun: &'static Noun) -> impl Iterator<Item = (&'static Noun, &'static str, bool)> {
    noun.relations.iter().filter_map(|relation| match relation.link {
        Link::One { column, is_nullable, .. } if relation.target.is_stored() => {
            Some((relation.target, column, is_nullable))
        }
        _ => None,
    })
}

const fn clear(noun: &Noun, column: &'static str) -> Removal {
    Removal::Clear { table: noun.table, tenant: noun.tenant, column }
}
