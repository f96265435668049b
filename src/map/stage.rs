//! Stages: ordered children of a journey.

use entity::stage::{NOUN, POSITION};

use crate::{
    graphql::slice::Module,
    store::writing::write::{ChildOf, Hooks},
};

/// Parent of stages: the journey, with an order and a maximum number of stages.
pub(super) const PART_OF: ChildOf = ChildOf { relation: "journey", position: Some(POSITION.name()), most: 1_000 };

/// GraphQL module of stages.
pub const SLICE: Module = Module { rules: Hooks { child_of: Some(PART_OF), ..Hooks::NONE }, ..Module::new(&NOUN) };
