//! The map: what should happen.

pub mod expectation;
pub mod interaction_point;
pub mod medium;
