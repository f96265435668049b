//! Which rows can be merged, and the references that a merge moves from one row to the other.

use std::sync::LazyLock;

use crate::{
    NOUNS, account, customer,
    noun::{Link, Noun, Relationship},
};

/// Nouns whose rows can be merged.
pub static MERGEABLE: [&Noun; 2] = [&customer::NOUN, &account::NOUN];

/// A column whose references a merge moves.
#[derive(Clone, Copy, Debug)]
pub struct MovedReference {
    /// Noun of the referring rows.
    pub noun: &'static Noun,
    /// Its relation to the merged row.
    pub relation: &'static Relationship,
    /// Column of the relation.
    pub column: &'static str,
}

impl MovedReference {
    /// Returns the name of the reference in the log, for example `Interaction.customer`.
    pub fn name(&self) -> String {
        format!("{}.{}", self.noun.name, self.relation.name)
    }
}

/// Returns whether rows of the noun can be merged.
pub fn is_mergeable(noun: &Noun) -> bool {
    MERGEABLE.iter().any(|known| known.table == noun.table)
}

/// Returns the mergeable noun that a column refers to.
pub fn target(noun: &'static Noun, column: &str) -> Option<&'static Noun> {
    let relation = noun.relations.iter().find(|relation| relation.is_by(column))?;
    is_mergeable(relation.target).then_some(relation.target)
}

/// Returns every reference to rows of a mergeable noun, in the order of the nouns. Derived from their descriptions.
///
/// # Panics
///
/// If a join table refers to a mergeable noun: no merge moves its rows yet.
pub fn references(noun: &Noun) -> &'static [MovedReference] {
    static REFERENCES: LazyLock<Vec<Vec<MovedReference>>> = LazyLock::new(|| MERGEABLE.map(find).into());
    let place = MERGEABLE.iter().position(|known| known.table == noun.table);
    place.map_or(&[], |place| REFERENCES[place].as_slice())
}

fn find(target: &'static Noun) -> Vec<MovedReference> {
    let is_linked = |relation: &Relationship| matches!(relation.link, Link::Through { .. });
    assert!(!target.relations.iter().any(is_linked), "no merge moves the join tables of {}", target.name);
    let mut references = Vec::new();
    for noun in NOUNS.into_iter().filter(|noun| noun.is_stored()) {
        for relation in noun.relations.iter().filter(|relation| relation.target.table == target.table) {
            match relation.link {
                Link::One { column, .. } => references.push(MovedReference { noun, relation, column }),
                Link::Through { .. } => panic!("no merge moves the join tables of {}", target.name),
                Link::Many { .. } | Link::Embedded { .. } | Link::Member => {}
            }
        }
    }
    references
}
