//! Tenancy: the organization that owns the data, its deletion, its attribute definitions, its retention
//! rules and its jobs.

pub mod attribute_definition;
pub mod deletion;
pub mod jobs;
pub mod organization;
pub mod retention;
pub mod viewer;

use crate::graphql::slice::Part;

/// Nouns and queries that this module adds to the API.
pub const PARTS: &[Part] = &[
    Part::Query(&organization::ORGANIZATION),
    Part::Query(&viewer::VIEWER),
    Part::Mutation(&entity::organization::NOUN, &deletion::DELETE),
    Part::Report(&entity::organization::NOUN, &deletion::REPORT),
    Part::Noun(&attribute_definition::SLICE),
    Part::Noun(&retention::SLICE),
    Part::Job(&retention::JOB),
    Part::Query(&jobs::JOBS),
    Part::Mutation(&entity::organization::NOUN, &jobs::RETRY),
];
