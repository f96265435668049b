//! What was learned: measures over time and groups.

mod group_types;
pub mod groups;
mod weeks;
