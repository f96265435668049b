//! The record: accounts, customers and interactions, which are what did happen; erasure and export of personal data.

pub mod account;
pub mod assessment;
pub mod customer;
pub mod export;
pub mod interaction;

use crate::graphql::slice::Part;

/// Nouns and queries that the record adds to the API.
pub const PARTS: &[Part] = &[
    Part::Noun(&account::SLICE),
    Part::Noun(&customer::SLICE),
    Part::Noun(&interaction::SLICE),
    Part::Noun(&assessment::SLICE),
    Part::Query(&export::EXPORT),
];
