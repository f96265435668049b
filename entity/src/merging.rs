//! Which rows can be merged, and the references that a merge moves from one row to the other.

use std::sync::LazyLock;

use crate::{
    NOUNS, account, customer,
    noun::{Link, Noun, Relationship},
    referral,
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

/// Two references of a noun that never name the same row. A row that names both of two rows leaves one of its references
/// empty when these are merged.
#[derive(Clone, Copy, Debug)]
pub struct DistinctReferences {
    /// Noun of the referring rows.
    pub noun: &'static Noun,
    /// Column of the reference that a merge keeps.
    pub kept: &'static str,
    /// Column of the reference that a merge empties.
    pub emptied: &'static str,
}

/// All pairs of such references.
pub static DISTINCT: [DistinctReferences; 1] = [DistinctReferences {
    noun: &referral::NOUN,
    kept: referral::REFERRER_ID.name(),
    emptied: referral::REFERRED_ID.name(),
}];

impl DistinctReferences {
    /// Returns the pair of a noun.
    pub fn of(noun: &Noun) -> Option<&'static Self> {
        DISTINCT.iter().find(|pair| pair.noun.table == noun.table)
    }

    /// Returns the reference that a merge empties.
    ///
    /// # Panics
    ///
    /// If the noun has no such reference to a mergeable noun.
    pub fn emptied(&self) -> MovedReference {
        let found = self.noun.relations.iter().find(|relation| relation.is_by(self.emptied));
        let relation = found.expect("the pair is of relations of the noun");
        MovedReference { noun: self.noun, relation, column: self.emptied }
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

/// Returns the columns of a noun that refer to rows of mergeable nouns.
pub fn columns(noun: &Noun) -> impl Iterator<Item = &'static str> {
    noun.relations.iter().filter(|relation| is_mergeable(relation.target)).filter_map(|relation| match relation.link {
        Link::One { column, .. } => Some(column),
        _ => None,
    })
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
                Link::Many { .. } | Link::Embedded(_) | Link::Member { .. } => {}
            }
        }
    }
    references
}

#[cfg(test)]
mod tests {
    use super::{DISTINCT, DistinctReferences, MERGEABLE, references};

    #[test]
    fn it_is_decided_what_a_merge_makes_of_a_row_that_names_both() {
        for noun in MERGEABLE {
            let references = references(noun);
            for (place, one) in references.iter().enumerate() {
                for other in references[..place].iter().filter(|other| other.noun.table == one.noun.table) {
                    let pair = DistinctReferences::of(one.noun).unwrap_or_else(|| {
                        panic!("{} names two rows of {}, which may become one", one.noun.name, noun.name)
                    });
                    let mut columns = [one.column, other.column];
                    columns.sort_unstable();
                    let mut known = [pair.kept, pair.emptied];
                    known.sort_unstable();
                    assert_eq!(known, columns, "{}", one.noun.name);
                }
            }
        }
        for pair in &DISTINCT {
            let emptied = pair.noun.relations.iter().find(|relation| relation.is_by(pair.emptied)).unwrap();
            assert!(
                matches!(emptied.link, crate::noun::Link::One { is_nullable: true, .. }),
                "{}.{} cannot be emptied",
                pair.noun.name,
                emptied.name
            );
        }
    }
}
