//! Holidays of business calendars.

use entity::holiday::NOUN;

use crate::{
    graphql::slice::Module,
    store::writing::write::{ChildOf, Hooks},
};

/// Maximum number of holidays of a calendar.
pub(super) const MOST_HOLIDAYS: usize = 1_000;

/// Rules of holidays.
pub(super) const RULES: Hooks =
    Hooks { child_of: Some(ChildOf { relation: "calendar", position: None, most: MOST_HOLIDAYS }), ..Hooks::NONE };

/// GraphQL module of holidays.
pub const SLICE: Module = Module { rules: RULES, ..Module::new(&NOUN) };
