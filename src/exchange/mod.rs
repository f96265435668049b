//! Exchange with other systems: the API clients with which they access the API, and the export of an organization.

pub mod api_client;
pub mod export;

use crate::graphql::slice::Part;

/// Nouns that this module adds to the API.
pub const PARTS: &[Part] = &[Part::Noun(&api_client::SLICE)];
