//! The relations of all nouns. Each is declared on one side and available on both.

use crate::{
    DECLARED, NOUNS, TABLES,
    noun::{Cardinality, Link, Relationship},
};

/// A relation as declared by a model.
#[derive(Clone, Copy, Debug)]
pub struct Declared {
    /// GraphQL name.
    pub name: &'static str,
    /// Description in the API.
    pub doc: &'static str,
    /// How the rows are joined.
    pub link: Link,
    /// Table of the target.
    pub target: &'static str,
    /// The relation as seen from the target, if it is available there.
    pub inverse: Option<Inverse>,
}

/// A relation as seen from its target.
#[derive(Clone, Copy, Debug)]
pub struct Inverse {
    /// GraphQL name.
    pub name: &'static str,
    /// Description in the API.
    pub doc: &'static str,
    /// How the rows are joined, as seen from the target.
    pub link: Link,
}

/// Returns the number of relations of the noun with this table.
pub const fn count(table: &str) -> usize {
    let mut count = 0;
    let mut noun = 0;
    while noun < DECLARED.len() {
        let mut place = 0;
        while place < DECLARED[noun].len() {
            let declared = &DECLARED[noun][place];
            count += is_same(TABLES[noun], table) as usize;
            count += (is_same(declared.target, table) && declared.inverse.is_some()) as usize;
            place += 1;
        }
        noun += 1;
    }
    count
}

/// Returns the relations of the noun with this table: relations to one row as its model declares them, then the lists of
/// `order`, then the other lists in the order of `nouns!`.
///
/// Evaluated at compile time, because the descriptions of nouns refer to each other. It uses names of tables: a constant
/// cannot read a description that depends on it.
pub const fn of<const N: usize>(table: &'static str, order: &[&str]) -> [Relationship; N] {
    let unfound = Relationship::embedded("", NOUNS[0], Cardinality::One, "");
    let mut found = Found { relations: [unfound; N], len: 0 };
    let own = place(table);
    let mut at = 0;
    while at < DECLARED[own].len() {
        let declared = &DECLARED[own][at];
        if let Link::One { .. } = declared.link {
            found.add(declared.name, declared.doc, declared.link, place(declared.target));
        }
        at += 1;
    }
    let mut wanted = 0;
    while wanted < order.len() {
        let before = found.len;
        found.add_lists(table, Some(order[wanted]), &[]);
        assert!(found.len == before + 1, "`order` names a list that the noun does not have");
        wanted += 1;
    }
    found.add_lists(table, None, order);
    found.relations
}

struct Found<const N: usize> {
    relations: [Relationship; N],
    len: usize,
}

impl<const N: usize> Found<N> {
    const fn add(&mut self, name: &'static str, doc: &'static str, link: Link, target: usize) {
        self.relations[self.len] = Relationship { name, target: NOUNS[target], link, doc };
        self.len += 1;
    }

    /// Adds the list with this name, or all lists that are not in `order`.
    const fn add_lists(&mut self, table: &str, only: Option<&str>, order: &[&str]) {
        let mut noun = 0;
        while noun < DECLARED.len() {
            let own = &DECLARED[place(table)];
            let mut at = 0;
            while at < own.len() {
                let declared = &own[at];
                let is_list = !matches!(declared.link, Link::One { .. });
                if is_list && is_same(declared.target, TABLES[noun]) && is_wanted(declared.name, only, order) {
                    self.add(declared.name, declared.doc, declared.link, noun);
                }
                at += 1;
            }
            let mut at = 0;
            while at < DECLARED[noun].len() {
                let declared = &DECLARED[noun][at];
                if let Some(inverse) = &declared.inverse
                    && is_same(declared.target, table)
                    && is_wanted(inverse.name, only, order)
                {
                    self.add(inverse.name, inverse.doc, inverse.link, noun);
                }
                at += 1;
            }
            noun += 1;
        }
    }
}

const fn is_wanted(name: &str, only: Option<&str>, order: &[&str]) -> bool {
    if let Some(only) = only {
        return is_same(name, only);
    }
    let mut at = 0;
    while at < order.len() {
        if is_same(order[at], name) {
            return false;
        }
        at += 1;
    }
    true
}

const fn place(table: &str) -> usize {
    let mut place = 0;
    while place < TABLES.len() {
        if is_same(TABLES[place], table) {
            return place;
        }
        place += 1;
    }
    panic!("a relation names a noun that is not in `nouns!`")
}

pub(crate) const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}
