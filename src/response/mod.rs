//! The response to feedback: departments and their members, routing rules and the preview of routing.

pub mod member;
pub mod preview;
pub mod routing;
pub mod rules;

use crate::graphql::slice::Part;

/// Nouns and queries that the response adds to the API.
pub const PARTS: &[Part] = &[
    Part::Noun(&routing::DEPARTMENTS),
    Part::Noun(&routing::FEEDBACK),
    Part::Noun(&routing::RULES),
    Part::Noun(&member::SLICE),
    Part::Query(&preview::PREVIEW),
];
