//! The map as one document: rows of every noun of the map, each under a key, read and written as a whole.

mod export;
mod import;
mod read;
mod row;
mod write;

use entity::{
    Noun, department, desired_result, expectation, influencer, message,
    noun::{Field, Link, Relationship, Writable},
    offer,
};

pub use self::import::{IMPORT, REPORT};
pub(super) use self::{
    export::EXPORT,
    row::{Document, Identity, Mistakes, Row},
    write::{Known, write},
};
use super::{
    assumption, evidence, journey, medium, message_variant, objective, objective_conflict, review_answer,
    review_question, stage, step, step_link,
};
use crate::graphql::slice::Module;

/// What a document says of itself. Others are refused.
pub(super) const FORMAT: &str = "rapport-map/1";
/// System of the external ids that keep the keys of a document.
pub(super) const SYSTEM: &str = "rapport-map";
/// Longest document in bytes.
pub(super) const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Most rows and lines of a document.
pub(super) const MAX_ROWS: usize = 10_000;

/// The nouns of a document: what a row names stands before it, or is of its own noun. A noun that is added here is
/// exported and imported by its description and its rules.
///
/// Departments are no part of the map: a document names those that own something, and holds no more of them.
pub(super) static EXPORTED: [&Module; 19] = [
    &Module::new(&department::NOUN),
    &medium::SLICE,
    &evidence::SLICE,
    &Module::new(&influencer::NOUN),
    &Module::new(&offer::NOUN),
    &super::interaction_point::SLICE,
    &super::expectation::SLICE,
    &assumption::SLICE,
    &objective::SLICE,
    &objective_conflict::SLICE,
    &Module::new(&desired_result::NOUN),
    &Module::new(&message::NOUN),
    &message_variant::SLICE,
    &review_question::SLICE,
    &review_answer::SLICE,
    &journey::SLICE,
    &stage::SLICE,
    &step::SLICE,
    &step_link::SLICE,
];

/// The place of a noun among the pieces.
pub(super) fn index_of(noun: &Noun) -> Option<usize> {
    EXPORTED.iter().position(|slice| slice.noun.table == noun.table)
}

/// Whether a document names rows of the noun without holding them.
fn is_outside(noun: &Noun) -> bool {
    noun.table == department::NOUN.table
}

/// The nouns that a document holds.
fn exported_nouns() -> impl Iterator<Item = (usize, &'static Noun)> {
    EXPORTED.iter().map(|slice| slice.noun).enumerate().filter(|(_, noun)| !is_outside(noun))
}

/// The fields of a noun that a document holds: those that callers write, and the rank, which they set whole.
fn fields(noun: &'static Noun) -> impl Iterator<Item = &'static Field> {
    noun.fields.iter().filter(|field| field.writable != Writable::Never || is_rank(noun, field))
}

fn is_rank(noun: &Noun, field: &Field) -> bool {
    noun.table == expectation::NOUN.table && field.name == "rank"
}

/// The relations of a noun by which its rows name one row each.
fn references(noun: &'static Noun) -> impl Iterator<Item = &'static Relationship> {
    noun.relations.iter().filter(|relation| {
        let is_written = matches!(relation.link, Link::One { writable, .. } if writable != Writable::Never);
        is_written && index_of(relation.target).is_some()
    })
}

/// The relations of a noun whose lines are told with its rows: of two nouns, the one that the table is named after.
pub(super) fn sets(noun: &'static Noun) -> impl Iterator<Item = &'static Relationship> {
    noun.relations.iter().filter(|relation| {
        let is_own = matches!(relation.link, Link::Through { table, .. } if table.starts_with(noun.table));
        is_own && index_of(relation.target).is_some()
    })
}

/// The field of JSON that says whether a row is in the archive.
const IS_ARCHIVED: &str = "isArchived";

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use entity::{
        Permission,
        noun::{Link, Operation},
    };

    use super::{EXPORTED, index_of, references, sets};

    #[test]
    fn what_a_row_names_stands_before_it() {
        for (place, slice) in EXPORTED.iter().enumerate() {
            for relation in references(slice.noun) {
                assert!(index_of(relation.target) <= Some(place), "{} names {}", slice.noun.name, relation.target.name);
            }
        }
    }

    #[test]
    fn lines_between_two_nouns_of_the_map_are_told_once() {
        let tables = |noun: &'static entity::Noun| {
            noun.relations
                .iter()
                .filter(|relation| index_of(relation.target).is_some())
                .filter_map(|relation| if let Link::Through { table, .. } = relation.link { Some(table) } else { None })
        };
        let all: HashSet<&str> = EXPORTED.iter().flat_map(|slice| tables(slice.noun)).collect();
        let told: Vec<&str> = EXPORTED
            .iter()
            .flat_map(|slice| sets(slice.noun))
            .map(|relation| if let Link::Through { table, .. } = relation.link { table } else { "" })
            .collect();
        assert_eq!(told.len(), all.len());
        assert_eq!(told.into_iter().collect::<HashSet<_>>(), all);
    }

    #[test]
    fn every_noun_that_is_made_with_the_scope_of_the_map_is_in_a_document() {
        let is_made = |noun: &&&entity::Noun| noun.write == Permission::MapWrite && noun.offers(Operation::Create);
        let left_out: Vec<&str> = entity::NOUNS
            .iter()
            .filter(is_made)
            .filter(|noun| index_of(noun).is_none())
            .map(|noun| noun.name)
            .collect();
        assert_eq!(left_out, Vec::<&str>::new());
        assert!(EXPORTED.iter().all(|slice| slice.noun.has_external_ids), "a row is told by an external id");
    }
}
