//! A draft: the row that a caller wants, before and during its checks.

pub use entity::upsert::{Mode, OnNull};
use entity::{
    lifecycle::Transition,
    noun::{Noun, Relationship},
    string_enum::StringEnum,
};
use sea_orm::prelude::Uuid;

use super::{links::JoinRow, related::RowChange};
use crate::{
    error::{Code, UserError},
    store::{
        scope::ExternalId,
        search::words::TextWords,
        statement::cell::{Cell, Column, Record, column_named},
    },
};

/// The row that a draft creates or changes.
#[derive(Clone, Debug)]
pub enum Target {
    /// A new row.
    New,
    /// The existing row of this reference.
    Row(Reference),
    /// The row with this external id, or a new row if there is none.
    External(ExternalId),
}

/// A caller's reference to a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// By id; `None` for a text that is not an id of the noun.
    Id(Option<Uuid>),
    /// By external id.
    External(ExternalId),
}

/// External ids that a caller removes from a row.
#[derive(Clone, Debug)]
pub struct Removal {
    /// The system.
    pub system: String,
    /// The id in that system; `None` for all ids of the system.
    pub id: Option<String>,
}

impl Removal {
    /// Returns whether this removal applies to the external id.
    pub fn takes(&self, key: &ExternalId) -> bool {
        self.system == key.system && self.id.as_ref().is_none_or(|id| *id == key.id)
    }
}

entity::string_enum! {
    /// Effect of a mutation on a row.
    Outcome as "MutationOutcome" {
        /// The row was created.
        Created = "CREATED",
        /// The row was updated.
        Updated = "UPDATED",
        /// The row already had these values; nothing was written.
        Unchanged = "UNCHANGED",
        /// The row was deleted.
        Deleted = "DELETED",
        /// The row was not written because of errors.
        Failed = "FAILED",
    }
}

/// A row as the caller wants it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The noun.
    pub noun: &'static Noun,
    /// The row to create or change.
    pub target: Target,
    /// The allowed operations.
    pub mode: Mode,
    /// Version of the row that the caller expects.
    pub expected_version: Option<i64>,
    /// Values that are set, by column.
    pub values: Vec<(Column, Cell)>,
    /// References that are not resolved yet, by relation.
    pub references: Vec<(&'static Relationship, Column, Reference)>,
    /// Lists of rows that replace those of a relation through a join table, not resolved yet.
    pub sets: Vec<(&'static Relationship, Vec<Reference>)>,
    /// External ids to add. Once the row is found, only those that it does not have yet.
    pub external_ids: Vec<ExternalId>,
    /// External ids to remove.
    pub removals: Vec<Removal>,
    /// External ids that the row has and loses; known once the row is found.
    pub lost_external_ids: Vec<ExternalId>,
    /// External ids that the row has and keeps; known once the row is found.
    pub kept_external_ids: Vec<ExternalId>,
    /// Words of its texts, as far as they were found before the transaction.
    pub words: Vec<TextWords>,
    /// Errors found so far.
    pub errors: Vec<UserError>,
    /// The current row, once found.
    pub current: Option<Record>,
    /// Id of the row, once known.
    pub id: Uuid,
    /// Rows of other nouns to create together with the row.
    pub related_rows: Vec<(&'static Noun, Vec<(Column, Cell)>)>,
    /// Locked rows of other nouns to change together with the row, each with the new values.
    pub related_changes: Vec<(&'static Noun, RowChange)>,
    /// Link rows of a new row, or those that replace the link rows of an existing one.
    pub lines: Vec<(&'static Relationship, Vec<JoinRow>)>,
    /// Lifecycle transition to apply to the row.
    pub transition: Option<&'static Transition>,
    /// Relations of the row that change with it: with any, the row is written even if no column changes.
    pub changed_relations: Vec<&'static str>,
}

/// Result of writing a draft.
#[derive(Clone, Debug)]
pub struct WriteResult {
    /// Id of the row; `None` if the draft failed and the row does not exist.
    pub id: Option<Uuid>,
    /// Effect of the mutation on the row.
    pub outcome: Outcome,
    /// Errors of the draft.
    pub errors: Vec<UserError>,
    /// The row after the transaction, if known.
    pub row: Option<Record>,
}

impl Draft {
    /// Creates a draft without values.
    pub fn new(noun: &'static Noun, target: Target, mode: Mode) -> Self {
        Self {
            noun,
            target,
            mode,
            expected_version: None,
            values: Vec::new(),
            references: Vec::new(),
            sets: Vec::new(),
            external_ids: Vec::new(),
            removals: Vec::new(),
            lost_external_ids: Vec::new(),
            kept_external_ids: Vec::new(),
            words: Vec::new(),
            errors: Vec::new(),
            current: None,
            id: Uuid::nil(),
            related_rows: Vec::new(),
            related_changes: Vec::new(),
            lines: Vec::new(),
            transition: None,
            changed_relations: Vec::new(),
        }
    }

    /// Returns whether the draft applies this transition and has no errors.
    pub fn does<T: StringEnum>(&self, transition: T) -> bool {
        self.errors.is_empty() && self.transition.is_some_and(|known| known.name == transition.name())
    }

    /// Returns the value that a column will have.
    pub fn cell(&self, column: &str) -> &Cell {
        let given = self.values.iter().rev().find(|(known, _)| known.name == column).map(|(_, cell)| cell);
        given.or_else(|| self.current.as_ref().map(|row| row.cell(column))).unwrap_or(&Cell::Null)
    }

    /// Returns whether the caller or a rule set a value for the column.
    pub fn gives_cell(&self, column: &str) -> bool {
        self.values.iter().any(|(known, _)| known.name == column)
    }

    /// Sets the value of a column, overriding the caller's value.
    pub fn set_cell(&mut self, name: &str, cell: Cell) {
        self.values.retain(|(known, _)| known.name != name);
        self.values.push((column_named(self.noun, name), cell));
    }

    /// Adds an error.
    pub fn refuse(&mut self, code: Code, field: &str, message: impl Into<String>) {
        self.errors.push(UserError::new(code, field, message));
    }

    /// Returns whether the draft has an error at a field of its input.
    pub fn has_mistake_at(&self, field: &str) -> bool {
        self.errors.iter().any(|error| error.path.first().is_some_and(|known| known == field))
    }

    /// Returns whether the draft creates a new row.
    pub const fn is_new(&self) -> bool {
        self.current.is_none()
    }

    /// Returns the columns whose values change, with their new values.
    pub fn changes(&self) -> Vec<(Column, Cell)> {
        let Some(current) = &self.current else { return self.values.clone() };
        self.values.iter().filter(|(column, cell)| current.cell(column.name) != cell).cloned().collect()
    }
}
