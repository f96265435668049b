//! The response: what is done about it.

pub mod preview;
pub mod routing;
pub mod rules;

use crate::graphql::slice::Part;

/// What the chapter adds to the API.
pub const PARTS: &[Part] = &[
    Part::Noun(&routing::DEPARTMENTS),
    Part::Noun(&routing::FEEDBACK),
    Part::Noun(&routing::RULES),
    Part::Query(&preview::PREVIEW),
];
