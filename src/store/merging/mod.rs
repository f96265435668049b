//! Merges rows: the id of the merged row stands for the other one at once, and the references to it move in steps.

mod alias;
mod distinct;
pub mod kept;
pub mod merge;
mod moves;
mod snapshot;
pub mod state;
pub mod undo;
