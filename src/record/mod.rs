//! The record: accounts, customers and what did happen to them; erasure and export of their personal data.

pub mod account;
pub mod assessment;
pub mod completed;
pub mod consent;
pub mod contact_point;
pub mod content_share;
pub mod customer;
pub mod export;
pub mod interaction;
mod merge;
pub mod occasion;
pub mod past;
pub mod purchase;
pub mod referral;
pub mod repair;
mod required_field;
pub mod testimonial;
pub mod time_range;
pub mod timeline;
pub mod unit;
pub mod unit_part;

use entity::id::{AccountId, CustomerId, InteractionPointId};

use crate::graphql::slice::Part;

/// Nouns and queries that the record adds to the API.
pub const PARTS: &[Part] = &[
    Part::Noun(&account::SLICE),
    Part::Noun(&customer::SLICE),
    Part::Noun(&contact_point::SLICE),
    Part::Noun(&consent::SLICE),
    consent::HELD,
    Part::Noun(&occasion::SLICE),
    Part::Noun(&purchase::SLICE),
    Part::Noun(&referral::SLICE),
    Part::Noun(&content_share::SLICE),
    Part::Noun(&testimonial::SLICE),
    Part::Query(&testimonial::QUOTABLE),
    Part::Noun(&interaction::SLICE),
    Part::Noun(&assessment::SLICE),
    required_field::MISSING,
    Part::Query(&required_field::INCOMPLETE),
    Part::Noun(&unit::SLICE),
    Part::Noun(&unit_part::SLICE),
    Part::Noun(&repair::SLICE),
    Part::Query(&export::EXPORT),
    timeline::of::<CustomerId>(),
    timeline::of::<AccountId>(),
    timeline::of::<InteractionPointId>(),
];
