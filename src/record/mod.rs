//! The record: customers, which is what did happen to them; erasure and export of their personal data.

pub mod customer;
pub mod export;

use crate::graphql::slice::Part;

/// Nouns and queries that the record adds to the API.
pub const PARTS: &[Part] = &[Part::Noun(&customer::SLICE), Part::Query(&export::EXPORT)];
