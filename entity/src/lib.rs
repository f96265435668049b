//! Tables as `SeaORM` models, and the description of every noun. Knows nothing of HTTP or callers.

pub mod api_client;
pub mod customer;
pub mod department;
pub mod event;
pub mod expectation;
pub mod feedback_record;
pub mod field;
pub mod id;
pub mod influencer;
pub mod interaction_point;
pub mod journey;
pub mod journey_edition;
pub mod medium;
pub mod named;
pub mod noun;
pub mod organization;
pub mod permission;
pub mod personal;
pub mod rollup;
pub mod routing;
pub mod routing_rule;
pub mod stage;
pub mod step;
pub mod step_link;
pub mod tenanted;

pub use noun::Noun;
pub use permission::{Permission, Permissions};
pub use tenanted::Tenanted;

/// Every noun, in the order of the language. A new noun is registered here.
pub static NOUNS: [&Noun; 17] = [
    &organization::NOUN,
    &department::NOUN,
    &journey::NOUN,
    &stage::NOUN,
    &interaction_point::NOUN,
    &step::NOUN,
    &step_link::NOUN,
    &journey_edition::NOUN,
    &influencer::NOUN,
    &medium::NOUN,
    &expectation::NOUN,
    &customer::NOUN,
    &feedback_record::NOUN,
    &routing_rule::NOUN,
    &routing::NOUN,
    &api_client::NOUN,
    &event::NOUN,
];

/// The id of a row of any noun, from how it is written on the wire.
pub fn row_id(text: &str) -> Option<sea_orm::prelude::Uuid> {
    let (prefix, id) = id::decode(text)?;
    NOUNS.iter().any(|noun| noun.prefix == prefix).then_some(id)
}

/// The noun of that GraphQL type name.
pub fn noun_named(name: &str) -> Option<&'static Noun> {
    NOUNS.into_iter().find(|noun| noun.name == name)
}
