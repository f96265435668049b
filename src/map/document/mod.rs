//! The map as one document: the rows of all nouns of the map, each with a key, exported and imported as a whole.

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

/// Name and version of the document format. Documents of other formats are refused.
pub(super) const FORMAT: &str = "rapport-map/1";
/// System of the external ids that store the document keys of imported rows.
pub(super) const SYSTEM: &str = "rapport-map";
/// Maximum length of a document in bytes.
pub(super) const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Maximum number of rows and links in a document.
pub(super) const MAX_ROWS: usize = 10_000;

/// The nouns of a document, sorted so that rows reference only rows of earlier nouns or of their own noun. Export and
/// import of a noun added here need no further code: they use its description and its write rules.
///
/// Departments are not part of the map: a document references them by name, and contains no rows of them.
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

/// Returns the index of a noun in [`EXPORTED`], or `None` if documents do not use it.
pub(super) fn index_of(noun: &Noun) -> Option<usize> {
    EXPORTED.iter().position(|slice| slice.noun.table == noun.table)
}

/// Returns whether documents reference rows of the noun by name without containing them.
fn is_outside(noun: &Noun) -> bool {
    noun.table == department::NOUN.table
}

/// Returns the nouns whose rows a document contains, each with its index in [`EXPORTED`].
fn exported_nouns() -> impl Iterator<Item = (usize, &'static Noun)> {
    EXPORTED.iter().map(|slice| slice.noun).enumerate().filter(|(_, noun)| !is_outside(noun))
}

/// Returns the fields of a noun in a document: those that callers can write, and the rank of expectations, which a
/// mutation sets for a whole point.
fn fields(noun: &'static Noun) -> impl Iterator<Item = &'static Field> {
    noun.fields.iter().filter(|field| field.writable != Writable::Never || is_rank(noun, field))
}

fn is_rank(noun: &Noun, field: &Field) -> bool {
    noun.table == expectation::NOUN.table && field.name == "rank"
}

/// Returns the writable relations of a noun to one row of a noun in a document.
fn references(noun: &'static Noun) -> impl Iterator<Item = &'static Relationship> {
    noun.relations.iter().filter(|relation| {
        let is_written = matches!(relation.link, Link::One { writable, .. } if writable != Writable::Never);
        is_written && index_of(relation.target).is_some()
    })
}

/// Returns the relations through a join table whose links a document lists with the rows of this noun. Of the two
/// nouns of a join table, this is the one that its name starts with.
pub(super) fn sets(noun: &'static Noun) -> impl Iterator<Item = &'static Relationship> {
    noun.relations.iter().filter(|relation| {
        let is_own = matches!(relation.link, Link::Through { table, .. } if table.starts_with(noun.table));
        is_own && index_of(relation.target).is_some()
    })
}

/// JSON field that holds whether a row is archived.
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
        let exported: Vec<&str> = EXPORTED
            .iter()
            .flat_map(|slice| sets(slice.noun))
            .map(|relation| if let Link::Through { table, .. } = relation.link { table } else { "" })
            .collect();
        assert_eq!(exported.len(), all.len());
        assert_eq!(exported.into_iter().collect::<HashSet<_>>(), all);
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
        assert!(EXPORTED.iter().all(|slice| slice.noun.has_external_ids), "a row is identified by an external id");
    }
}
