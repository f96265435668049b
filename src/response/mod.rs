//! The response to feedback: departments and their members, routing rules and the preview of routing, cases
//! and the attempts to solve them.

pub mod attempt;
pub mod case;
pub mod cause;
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
    Part::Noun(&cause::SLICE),
    Part::Noun(&case::SLICE),
    Part::Noun(&attempt::SLICE),
    Part::Query(&preview::PREVIEW),
];
