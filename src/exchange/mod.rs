//! Other systems: what they reach us with.

pub mod api_client;

use crate::graphql::slice::Part;

/// What the chapter adds to the API.
pub const PARTS: &[Part] = &[Part::Noun(&api_client::SLICE)];
