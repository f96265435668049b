//! Parses, checks and normalizes documents before execution.

pub mod cache;
pub mod columns;
pub mod cost;
pub mod document;
pub(in crate::graphql) mod hints;
pub(in crate::graphql) mod introspection;
pub mod limits;
pub mod merge;
pub(in crate::graphql) mod normalized;
pub(in crate::graphql) mod result_cost;
pub mod size;
pub(in crate::graphql) mod value_check;
pub mod variables;
