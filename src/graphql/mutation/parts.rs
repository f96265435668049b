//! Reads changes of the parts of a row, which a mutation writes together with the row.

use async_graphql::Value;
use entity::{
    Noun,
    id::OrganizationId,
    noun::{Kind, Link, Operation, Relationship, Writable},
};

use super::input::{self, BY, Input, check_external_id};
use crate::{
    Result, UserError,
    error::Code,
    store::{
        usage::compute::Computation,
        writing::draft::{Draft, Mode, OnNull, Reference, Target},
    },
    text::grouped,
};

/// Field with the parts to create or change.
pub const UPSERT: &str = "upsert";
/// Field with the parts to delete.
pub const REMOVE: &str = "remove";
/// Field with all parts.
pub const REPLACE: &str = "replace";
/// Maximum number of parts in one call.
pub const MAX_PARTS: usize = 10_000;

/// A row to write, with the changes of its parts.
#[derive(Clone, Debug)]
pub struct RowDraft {
    /// The row.
    pub draft: Draft,
    /// Changes of its parts; at most one for each relation.
    pub parts: Vec<PartChanges>,
}

impl RowDraft {
    /// Returns whether it or a part of it is of a noun that keeps filters.
    pub fn keeps_filters(&self) -> bool {
        let of_noun = |noun: &Noun| noun.fields.iter().any(|field| matches!(field.kind, Kind::Filter(_)));
        of_noun(self.draft.noun) || self.parts.iter().flat_map(|changes| &changes.rows).any(Self::keeps_filters)
    }

    /// Returns its draft and those of its parts.
    pub fn drafts(&mut self) -> Vec<&mut Draft> {
        let mut drafts = vec![&mut self.draft];
        drafts.extend(self.parts.iter_mut().flat_map(|changes| &mut changes.rows).flat_map(Self::drafts));
        drafts
    }

    /// Finds the words of its texts and of those of its parts, for the search.
    pub fn find_words(&mut self, organization: OrganizationId, computation: &Computation) -> Result<()> {
        computation.check()?;
        self.draft.find_words(organization);
        let parts = self.parts.iter_mut().flat_map(|changes| &mut changes.rows);
        for part in parts {
            part.find_words(organization, computation)?;
        }
        Ok(())
    }
}

/// The list of the input with the parts to create or change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartList {
    /// [`UPSERT`]: other parts stay.
    Upsert,
    /// [`REPLACE`]: all other parts are deleted.
    Replace,
}

impl PartList {
    /// Returns the name of the field.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Upsert => UPSERT,
            Self::Replace => REPLACE,
        }
    }
}

/// Changes of the parts of one row in one relation.
#[derive(Clone, Debug)]
pub struct PartChanges {
    /// The relation of the whole to its parts.
    pub relation: &'static Relationship,
    /// The list of the input with the rows.
    pub list: PartList,
    /// The parts to create or change.
    pub rows: Vec<RowDraft>,
    /// The parts to delete.
    pub removed: Vec<Reference>,
}

/// A relation of a part whose row follows from the whole.
#[derive(Clone, Copy, Debug)]
pub struct Inherited {
    /// The relation of the part.
    pub relation: &'static Relationship,
    /// Column of the whole that contains the id of the referenced row.
    pub column: &'static str,
}

/// Returns the relations of a part that follow from its whole: the one to the whole, and those that the whole has too
/// and that a part must have.
pub fn inherited(whole: &'static Noun, relation: &'static Relationship) -> Vec<Inherited> {
    let Link::Many { column: to_whole, .. } = relation.link else { return Vec::new() };
    let of = |known: &'static Relationship| {
        if known.is_by(to_whole) {
            return Some(Inherited { relation: known, column: "id" });
        }
        let Link::One { writable: Writable::Required | Writable::Fixed, .. } = known.link else { return None };
        let same = whole.relations.iter().find(|own| own.name == known.name && own.target.table == known.target.table);
        match same?.link {
            Link::One { column, .. } => Some(Inherited { relation: known, column }),
            _ => None,
        }
    };
    relation.target.relations.iter().filter_map(of).collect()
}

fn too_many() -> String {
    format!("a call takes at most {} parts and listed rows", grouped(MAX_PARTS))
}

/// How the rows of a call are read.
#[derive(Debug)]
pub struct Reading {
    /// The operation on the rows.
    pub operation: Operation,
    /// Meaning of null.
    pub on_null: OnNull,
    /// How many more parts may be read.
    left: usize,
}

impl Reading {
    /// Begins to read the rows of a call.
    pub const fn new(operation: Operation, on_null: OnNull) -> Self {
        Self { operation, on_null, left: MAX_PARTS }
    }

    /// Returns how many parts were read.
    pub const fn parts(&self) -> usize {
        MAX_PARTS - self.left
    }

    /// Reads a row with the changes of its parts, after the known errors `mistakes`.
    pub fn row(&mut self, noun: &'static Noun, input: &Input, mistakes: Vec<UserError>) -> Result<RowDraft> {
        let draft = input::draft(noun, self.operation, input, self.on_null, mistakes)?;
        self.with_parts(draft, input)
    }

    fn with_parts(&mut self, mut draft: Draft, input: &Input) -> Result<RowDraft> {
        let mut parts = Vec::new();
        let listed = draft.sets.iter().map(|(_, rows)| rows.len()).sum();
        match self.left.checked_sub(listed) {
            Some(left) => self.left = left,
            None => {
                for (relation, _) in std::mem::take(&mut draft.sets) {
                    draft.refuse(Code::TooLong, relation.name, too_many());
                }
            }
        }
        for relation in draft.noun.parts() {
            let Some(lists) = input.object(relation.name)? else { continue };
            let is_whole = lists.present(REPLACE).is_some();
            if is_whole && (lists.present(UPSERT).is_some() || lists.present(REMOVE).is_some()) {
                let message = "replace cannot be combined with upsert and remove";
                draft.errors.push(UserError::new(Code::Invalid, relation.name, message));
                continue;
            }
            let list = if is_whole { PartList::Replace } else { PartList::Upsert };
            let (given, removed) = (lists.list(list.name()), lists.references(REMOVE, relation.target)?);
            let Some(left) = self.left.checked_sub(given.len() + removed.len()) else {
                draft.errors.push(UserError::new(Code::TooLong, relation.name, too_many()));
                continue;
            };
            self.left = left;
            let rows = given.into_iter().map(|value| self.part(relation, value)).collect::<Result<Vec<_>>>()?;
            if is_whole || !rows.is_empty() || !removed.is_empty() {
                parts.push(PartChanges { relation, list, rows, removed });
            }
        }
        Ok(RowDraft { draft, parts })
    }

    fn part(&mut self, relation: &'static Relationship, value: &Value) -> Result<RowDraft> {
        let (noun, input) = (relation.target, Input::of(relation.name, value)?);
        let by = input.present(BY).map(|by| Input::reference(BY, by, noun)).transpose()?;
        let (target, mode) = match by {
            None => (Target::New, Mode::CreateOnly),
            Some(Reference::External(key)) => (Target::External(key), Mode::Upsert),
            Some(by_id) => (Target::Row(by_id), Mode::UpdateOnly),
        };
        let mut draft = Draft::new(noun, target, mode);
        if let Target::External(key) = &draft.target {
            draft.errors.extend(check_external_id(key, "externalId"));
        }
        // As in an upsert, parts may bring their state. In a bulk call, a malformed value fails its row only.
        let operation = if self.operation == Operation::BulkUpsert { Operation::BulkUpsert } else { Operation::Upsert };
        input::fill(&mut draft, operation, &input, self.on_null)?;
        self.with_parts(draft, &input)
    }
}
