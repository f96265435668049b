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

use crate::graphql::slice::Argument;

/// Scopes of what reads the map as a whole.
const READ: &[Permission] = &[Permission::MapRead];
/// Scopes of what writes many rows of the map at once, and uses those that are there.
const WRITE: &[Permission] = &[Permission::MapWrite, Permission::MapRead];

/// The version the caller saw.
const EXPECTED_VERSION: Argument = Argument {
    name: "expectedVersion",
    ty: "Int",
    default: None,
    doc: "The version you read; the mutation fails with CONFLICT if the row has changed since.",
};
