//! What was learned: measures over time and groups.

pub mod bucket;
mod group_types;
pub mod groups;
