//! Whose data it is.

pub mod attribute_definition;
pub mod organization;
