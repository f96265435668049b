//! Running an operation: its roots, what they read, and the JSON they write.

pub mod load;
mod lookup;
pub mod render;
pub mod root;
pub mod run;
pub mod snapshot;
