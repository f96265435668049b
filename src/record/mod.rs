//! The record: accounts, customers and what did happen to them; erasure and export of their personal data.

pub mod account;
pub mod assessment;
pub mod customer;
pub mod export;
pub mod interaction;
mod past;
pub mod repair;
pub mod unit;
pub mod unit_part;

use crate::graphql::slice::Part;

/// Nouns and queries that the record adds to the API.
pub const PARTS: &[Part] = &[
    Part::Noun(&account::SLICE),
    Part::Noun(&customer::SLICE),
    Part::Noun(&interaction::SLICE),
    Part::Noun(&assessment::SLICE),
    Part::Noun(&unit::SLICE),
    Part::Noun(&unit_part::SLICE),
    Part::Noun(&repair::SLICE),
    Part::Query(&export::EXPORT),
];
