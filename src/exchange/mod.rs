//! Exchange with other systems: the API clients with which they access the API, the documents that they may send, the feed
//! of changes, and the export of an organization.

pub mod api_client;
mod changes;
pub mod documents;
pub mod export;

use entity::organization;

use crate::graphql::slice::Part;

/// Nouns that this module adds to the API.
pub const PARTS: &[Part] = &[
    Part::Noun(&api_client::SLICE),
    Part::Query(&changes::CHANGES),
    Part::Noun(&documents::SLICE),
    Part::Mutation(&organization::NOUN, &documents::PUSH),
    Part::Report(&organization::NOUN, &documents::REPORT),
];
