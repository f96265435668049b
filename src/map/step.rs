//! Steps: ordered children of a journey, each in one stage of the same journey or in none.

use entity::{
    stage,
    step::{JOURNEY_ID, NOUN, POSITION, STAGE_ID},
};

use super::{copy::STEP_COPY, flow::OF_STEP};
use crate::{
    graphql::slice::Module,
    store::writing::{
        same_parent::require_same_parent,
        write::{ChildOf, Hooks},
    },
};

/// Parent of steps: the journey, with an order and a maximum number of steps.
pub(super) const PART_OF: ChildOf = ChildOf { relation: "journey", position: Some(POSITION.name()), most: 1_000 };

/// Write rules of steps.
pub(super) const RULES: Hooks = Hooks {
    prepare: |tx, drafts| {
        Box::pin(require_same_parent(tx, drafts, JOURNEY_ID, (stage::ID, stage::JOURNEY_ID), [STAGE_ID]))
    },
    child_of: Some(PART_OF),
    ..Hooks::NONE
};

/// GraphQL module of steps.
pub const SLICE: Module = Module { rules: RULES, mutations: &[STEP_COPY], computed: OF_STEP, ..Module::new(&NOUN) };
