//! Whose data it is.

pub mod organization;
