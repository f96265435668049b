//! What was learned: measures over time and groups.

pub mod bucket;
