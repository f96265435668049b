//! Tables as `SeaORM` models, and the description of every noun. Knows nothing of HTTP or callers.

pub mod api_client;
pub mod assumption;
pub mod attribute_definition;
pub mod customer;
pub mod department;
pub mod desired_result;
pub mod event;
pub mod evidence;
pub mod expectation;
pub mod expectation_ranking;
pub mod feedback_record;
pub mod field;
pub mod id;
pub mod influencer;
pub mod interaction_point;
pub mod journey;
pub mod journey_edition;
pub mod medium;
pub mod message;
pub mod message_variant;
pub mod noun;
pub mod objective;
pub mod objective_conflict;
pub mod offer;
pub mod organization;
pub mod permission;
pub mod personal;
pub mod review_answer;
pub mod review_question;
pub mod rollup;
pub mod routing;
pub mod routing_rule;
pub mod stage;
pub mod step;
pub mod step_link;
pub mod string_enum;
pub mod tenanted;

pub use noun::Noun;
pub use permission::{Permission, Permissions};
pub use tenanted::Tenanted;

/// Every noun, in the order of the language. A new noun is registered here.
pub static NOUNS: [&Noun; 29] = [
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
    &assumption::NOUN,
    &objective::NOUN,
    &objective_conflict::NOUN,
    &desired_result::NOUN,
    &offer::NOUN,
    &evidence::NOUN,
    &expectation_ranking::NOUN,
    &message::NOUN,
    &message_variant::NOUN,
    &review_question::NOUN,
    &review_answer::NOUN,
    &customer::NOUN,
    &feedback_record::NOUN,
    &routing_rule::NOUN,
    &routing::NOUN,
    &attribute_definition::NOUN,
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
