//! What was learned: measures over time and groups.

pub mod coverage;
mod group_types;
pub mod groups;
mod weeks;
