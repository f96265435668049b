//! The map: journeys, interaction points and related nouns, which describe what should happen to a customer.

pub mod assumption;
mod copy;
pub mod diagram;
mod diff;
pub mod document;
mod edition;
pub mod evidence;
pub mod expectation;
mod flow;
pub mod graph;
pub mod interaction_point;
pub mod journey;
pub mod medium;
pub mod message;
pub mod message_variant;
pub mod objective;
pub mod objective_conflict;
pub mod review_answer;
mod review_bank;
pub mod review_question;
mod sketch;
pub mod stage;
pub mod step;
pub mod step_link;
pub mod tree;

use entity::Permission;

use crate::graphql::slice::Part;

/// Nouns, queries, mutations and reports that the map adds to the API.
pub const PARTS: &[Part] = &[
    Part::Noun(&journey::SLICE),
    Part::Noun(&stage::SLICE),
    Part::Noun(&interaction_point::SLICE),
    Part::Noun(&step::SLICE),
    Part::Noun(&step_link::SLICE),
    Part::Noun(&evidence::backed::<entity::influencer::Entity>()),
    Part::Noun(&medium::SLICE),
    Part::Noun(&expectation::SLICE),
    Part::Computed(&entity::interaction_point::NOUN, &expectation::TOP_EXPECTATIONS),
    Part::Noun(&assumption::SLICE),
    Part::Noun(&objective::SLICE),
    Part::Noun(&objective_conflict::SLICE),
    Part::Noun(&evidence::backed::<entity::desired_result::Entity>()),
    Part::Noun(&evidence::backed::<entity::offer::Entity>()),
    Part::Noun(&evidence::SLICE),
    Part::Noun(&message::SLICE),
    Part::Noun(&message_variant::SLICE),
    Part::Noun(&review_question::SLICE),
    Part::Noun(&review_answer::SLICE),
    Part::Query(&edition::DIFF),
    Part::Query(&document::EXPORT),
    Part::Query(&sketch::TEMPLATES),
    Part::Mutation(&entity::organization::NOUN, &review_question::SEED),
    Part::Mutation(&entity::organization::NOUN, &document::IMPORT),
    Part::Report(&entity::organization::NOUN, &document::REPORT),
];

/// Permissions that queries over the whole map require.
const READ: &[Permission] = &[Permission::MapRead];
/// Permissions that bulk mutations of the map require; they also look up existing rows.
const WRITE: &[Permission] = &[Permission::MapWrite, Permission::MapRead];
