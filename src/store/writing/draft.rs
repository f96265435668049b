//! A row as a caller wants it, before and while it is checked.

use entity::{
    lifecycle::Transition,
    noun::{Noun, Relationship},
    string_enum::StringEnum,
};
use sea_orm::prelude::Uuid;

use super::delete::JoinRow;
use crate::{
    error::{Code, UserError},
    store::{
        scope::ExternalId,
        statement::cell::{Cell, Column, Record, column_named},
    },
};

/// Which row a draft is about.
#[derive(Clone, Debug)]
pub enum Target {
    /// A new one.
    New,
    /// The one that this names, which must be there.
    Row(Reference),
    /// The one that carries this external id, else a new one.
    External(ExternalId),
}

/// A row named by the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// By id; `None` for a text that is no id of the noun.
    Id(Option<Uuid>),
    /// By external id.
    External(ExternalId),
}

entity::string_enum! {
    /// Which operations an upsert may perform.
    Mode as "UpsertMode" {
        /// Create the row; fail with TAKEN if it exists.
        CreateOnly = "CREATE_ONLY",
        /// Update the row; fail with NOT_FOUND if it does not exist.
        UpdateOnly = "UPDATE_ONLY",
        /// Create the row, or update it if it exists.
        Upsert = "UPSERT",
    }
}

entity::string_enum! {
    /// Meaning of null in an input.
    OnNull as "OnNull" {
        /// Null is the same as omitting the field: the value is kept.
        Keep = "KEEP",
        /// Null clears the field; a field that cannot be null fails with REQUIRED.
        Clear = "CLEAR",
    }
}

/// External ids that a caller takes away from a row.
#[derive(Clone, Debug)]
pub struct Removal {
    /// The system.
    pub system: String,
    /// The id there; without it, all of the system.
    pub id: Option<String>,
}

impl Removal {
    /// Whether it takes this external id away.
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

/// A row as a caller wants it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The noun.
    pub noun: &'static Noun,
    /// Which row.
    pub target: Target,
    /// What may be done.
    pub mode: Mode,
    /// The version the caller saw.
    pub expected_version: Option<i64>,
    /// Values given, by column.
    pub values: Vec<(Column, Cell)>,
    /// Rows named for a relation, still to be found.
    pub references: Vec<(&'static Relationship, Column, Reference)>,
    /// External ids to carry besides those it has; one of the same system is replaced. Once the row is found, those
    /// that it does not have yet.
    pub external_ids: Vec<ExternalId>,
    /// External ids to take away.
    pub removals: Vec<Removal>,
    /// External ids that it has and loses, once the row is found.
    pub lost_external_ids: Vec<ExternalId>,
    /// What is wrong with it.
    pub errors: Vec<UserError>,
    /// The row as it is, once found.
    pub current: Option<Record>,
    /// Its id, once known.
    pub id: Uuid,
    /// Rows of other nouns to make together with it.
    pub related_rows: Vec<(&'static Noun, Vec<(Column, Cell)>)>,
    /// Lines of relations through a table that a new row comes with.
    pub lines: Vec<(&'static Relationship, Vec<JoinRow>)>,
    /// What is to be done to the state of the row.
    pub transition: Option<&'static Transition>,
    /// Relations of the row that change with it: it is written even if no column changes.
    pub changed_relations: Vec<&'static str>,
}

/// What came of a draft.
#[derive(Clone, Debug)]
pub struct WriteResult {
    /// The row, unless it failed before it had one.
    pub id: Option<Uuid>,
    /// What happened.
    pub outcome: Outcome,
    /// What was wrong.
    pub errors: Vec<UserError>,
    /// The row as the transaction leaves it, where that is known.
    pub row: Option<Record>,
}

impl Draft {
    /// An empty draft.
    pub fn new(noun: &'static Noun, target: Target, mode: Mode) -> Self {
        Self {
            noun,
            target,
            mode,
            expected_version: None,
            values: Vec::new(),
            references: Vec::new(),
            external_ids: Vec::new(),
            removals: Vec::new(),
            lost_external_ids: Vec::new(),
            errors: Vec::new(),
            current: None,
            id: Uuid::nil(),
            related_rows: Vec::new(),
            lines: Vec::new(),
            transition: None,
            changed_relations: Vec::new(),
        }
    }

    /// Whether it does this to the state of its row, and nothing was found to be wrong with it.
    pub fn does<T: StringEnum>(&self, transition: T) -> bool {
        self.errors.is_empty() && self.transition.is_some_and(|known| known.name == transition.name())
    }

    /// The value a column will have.
    pub fn cell(&self, column: &str) -> &Cell {
        let given = self.values.iter().rev().find(|(known, _)| known.name == column).map(|(_, cell)| cell);
        given.or_else(|| self.current.as_ref().map(|row| row.cell(column))).unwrap_or(&Cell::Null)
    }

    /// Whether the caller or a rule gave a value for the column.
    pub fn gives_cell(&self, column: &str) -> bool {
        self.values.iter().any(|(known, _)| known.name == column)
    }

    /// Gives a column a value, whatever the caller said.
    pub fn set_cell(&mut self, name: &str, cell: Cell) {
        self.values.retain(|(known, _)| known.name != name);
        self.values.push((column_named(self.noun, name), cell));
    }

    /// Notes a mistake.
    pub fn refuse(&mut self, code: Code, field: &str, message: impl Into<String>) {
        self.errors.push(UserError::new(code, field, message));
    }

    /// Whether a mistake at a field of its input was noted.
    pub fn has_mistake_at(&self, field: &str) -> bool {
        self.errors.iter().any(|error| error.path.first().is_some_and(|known| known == field))
    }

    /// Whether it makes a new row.
    pub const fn is_new(&self) -> bool {
        self.current.is_none()
    }

    /// Columns whose value changes, with their new values.
    pub(in crate::store) fn changes(&self) -> Vec<(Column, Cell)> {
        let Some(current) = &self.current else { return self.values.clone() };
        self.values.iter().filter(|(column, cell)| current.cell(column.name) != cell).cloned().collect()
    }
}
