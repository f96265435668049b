//! Executes an operation: runs its root fields, reads the rows and writes the JSON.

pub mod load;
mod lookup;
pub mod render;
pub mod root;
pub mod run;
pub mod snapshot;
