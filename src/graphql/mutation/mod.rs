//! Mutations: reading the input, running the effect, and returning or replaying the payload.

pub mod draft;
pub(in crate::graphql) mod idempotency_key;
pub mod input;
pub mod mutate;
pub(in crate::graphql) mod parts;
pub(in crate::graphql) mod payload;
pub(in crate::graphql) mod prepare;
pub mod replace_links;
pub mod result;
pub(in crate::graphql) mod write_parts;
