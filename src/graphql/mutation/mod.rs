//! Mutations: input, effect, payload, replay.

pub mod draft;
pub(in crate::graphql) mod idempotency_key;
pub mod input;
pub mod mutate;
pub(in crate::graphql) mod payload;
pub(in crate::graphql) mod prepare;
pub mod replace_links;
pub mod result;
