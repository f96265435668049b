//! The state transitions that a caller may currently perform on a row.

use entity::{Noun, lifecycle::Transition, noun::ARCHIVED_AT};

use super::plan::place;
use crate::{
    Error, Result,
    auth::Actor,
    graphql::mutation::mutate::MutationField,
    store::statement::cell::{Cell, Column, column_named},
};

/// The object field that lists the allowed transitions.
pub const ALLOWED_TRANSITIONS: &str = "allowedTransitions";

/// The positions of the columns that determine the allowed transitions, and the transitions for which the caller has
/// the scopes.
#[derive(Debug)]
pub struct AllowedTransitions {
    state: usize,
    archived_at: Option<usize>,
    permitted: Vec<&'static Transition>,
}

impl AllowedTransitions {
    /// Adds the required columns to `columns`.
    ///
    /// `Err` if the noun has no lifecycle.
    pub fn plan(noun: &'static Noun, actor: &Actor, columns: &mut Vec<Column>) -> Result<Self> {
        let lifecycle = noun.lifecycle().ok_or_else(|| Error::internal(format!("{} has no transitions", noun.name)))?;
        let is_permitted =
            |transition: &&'static Transition| MutationField::Transition(transition).require(noun, actor).is_ok();
        Ok(Self {
            state: place(columns, column_named(noun, lifecycle.column)),
            archived_at: noun.is_archivable().then(|| place(columns, Column::of(&ARCHIVED_AT))),
            permitted: lifecycle.transitions.iter().filter(is_permitted).collect(),
        })
    }

    /// Returns the names of the transitions that the row's state allows. An archived row allows none.
    pub fn of(&self, row: &[Cell]) -> impl Iterator<Item = &'static str> {
        let is_archived = self.archived_at.is_some_and(|place| !row[place].is_null());
        let state = row[self.state].text().unwrap_or_default();
        let allowed = self.permitted.iter().filter(move |known| !is_archived && known.from.contains(&state));
        allowed.map(|transition| transition.name)
    }
}
