//! Whose data it is.

pub mod attribute_definition;
pub mod organization;

use crate::graphql::slice::Part;

/// What the chapter adds to the API.
pub const PARTS: &[Part] = &[Part::Query(&organization::ORGANIZATION), Part::Noun(&attribute_definition::SLICE)];
