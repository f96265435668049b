//! Stages: ordered parts of a journey.

use entity::stage::{NOUN, POSITION};

use crate::{
    graphql::slice::Module,
    store::writing::write::{ChildOf, Hooks},
};

/// How stages belong to their journey.
pub(super) const PART_OF: ChildOf = ChildOf { relation: "journey", position: Some(POSITION.name()), most: 1_000 };

/// The slice.
pub const SLICE: Module = Module { rules: Hooks { child_of: Some(PART_OF), ..Hooks::NONE }, ..Module::new(&NOUN) };
