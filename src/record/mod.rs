//! The record: customers and what did happen to them; erasure and export of their personal data.

pub mod customer;
pub mod export;
mod past;
pub mod repair;
pub mod unit;
pub mod unit_part;

use crate::graphql::slice::Part;

/// Nouns and queries that the record adds to the API.
pub const PARTS: &[Part] = &[
    Part::Noun(&customer::SLICE),
    Part::Noun(&unit::SLICE),
    Part::Noun(&unit_part::SLICE),
    Part::Noun(&repair::SLICE),
    Part::Query(&export::EXPORT),
];
