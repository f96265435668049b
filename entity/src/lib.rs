//! Tables as `SeaORM` models, and the description of every noun. Knows nothing of HTTP or callers.

pub mod customer;
pub mod department;
pub mod event;
pub mod expectation;
pub mod feedback_record;
pub mod id;
pub mod influencer;
pub mod interaction_point;
pub mod medium;
pub mod named;
pub mod noun;
pub mod organization;
pub mod permission;
pub mod routing;
pub mod routing_rule;
pub mod tenanted;

pub use noun::Noun;
pub use permission::{Permission, Permissions};
pub use tenanted::Tenanted;

/// Every noun, in the order of the language. A new noun is registered here.
pub static NOUNS: [&Noun; 10] = [
    &organization::NOUN,
    &department::NOUN,
    &interaction_point::NOUN,
    &influencer::NOUN,
    &medium::NOUN,
    &expectation::NOUN,
    &customer::NOUN,
    &feedback_record::NOUN,
    &routing_rule::NOUN,
    &routing::NOUN,
];
