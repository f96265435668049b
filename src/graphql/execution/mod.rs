//! Executes an operation: runs its root fields, reads the rows and writes the JSON.

pub mod load;
mod lookup;
pub mod render;
pub mod root;
pub mod root_types;
pub mod run;
pub mod snapshot;
pub mod subscription;
