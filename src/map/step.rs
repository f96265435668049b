//! Steps: ordered parts of a journey, each in one of its stages or in none.

use entity::{stage, step::NOUN};

use super::{copy::STEP_COPY, flow::OF_STEP, within::stay_within};
use crate::{
    graphql::slice::Slice,
    store::write::{PartOf, Rules},
};

/// How steps belong to their journey.
pub(super) const PART_OF: PartOf = PartOf { relation: "journey", position: Some("position"), most: 1_000 };

/// The rules of steps.
pub(super) const RULES: Rules = Rules {
    prepare: |tx, drafts| Box::pin(stay_within(tx, drafts, "journey", &stage::NOUN, &["stage"])),
    part_of: Some(PART_OF),
    ..Rules::NONE
};

/// The slice.
pub const SLICE: Slice = Slice { rules: RULES, mutations: &[STEP_COPY], computed: OF_STEP, ..Slice::new(&NOUN) };
