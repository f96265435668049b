//! What did happen: customers, their erasure and what is handed to them of what is known about them.

pub mod customer;
pub mod export;

use crate::graphql::slice::Part;

/// What the chapter adds to the API.
pub const PARTS: &[Part] = &[Part::Noun(&customer::SLICE), Part::Query(&export::EXPORT)];
