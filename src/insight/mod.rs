//! What was learned: measures over time and groups.

mod buckets;
pub mod copy_test;
mod copy_types;
pub mod coverage;
pub mod coverage_types;
mod group_read;
mod group_types;
pub mod groups;
pub mod proportion;
pub mod review;
mod review_types;
mod weeks;
