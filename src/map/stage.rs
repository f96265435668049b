//! Stages: ordered parts of a journey.

use entity::stage::NOUN;

use crate::{
    graphql::slice::Slice,
    store::write::{PartOf, Rules},
};

/// How stages belong to their journey.
pub(super) const PART_OF: PartOf = PartOf { relation: "journey", position: Some("position"), most: 1_000 };

/// The slice.
pub const SLICE: Slice = Slice { rules: Rules { part_of: Some(PART_OF), ..Rules::NONE }, ..Slice::new(&NOUN) };
