//! The map: what should happen.

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
mod same_parent;
mod sketch;
pub mod stage;
pub mod step;
pub mod step_link;
mod tree;

use entity::Permission;

use crate::graphql::slice::Part;

/// What the chapter adds to the API.
pub const PARTS: &[Part] = &[
    Part::Noun(&journey::SLICE),
    Part::Noun(&stage::SLICE),
    Part::Noun(&interaction_point::SLICE),
    Part::Noun(&step::SLICE),
    Part::Noun(&step_link::SLICE),
    Part::Noun(&evidence::backed::<entity::influencer::Entity>()),
    Part::Noun(&medium::SLICE),
    Part::Noun(&expectation::SLICE),
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

/// Scopes of what reads the map as a whole.
const READ: &[Permission] = &[Permission::MapRead];
/// Scopes of what writes many rows of the map at once, and uses those that are there.
const WRITE: &[Permission] = &[Permission::MapWrite, Permission::MapRead];
