//! Compiles selections into plans of what to read.

pub mod arguments;
pub(in crate::graphql) mod attribute_filter;
pub mod cache;
pub mod connection;
pub mod context;
pub mod distinct;
pub(in crate::graphql) mod external_id_filter;
pub mod filter;
pub mod leaf;
pub mod plan;
pub mod planner;
pub mod stored_filter;
pub mod transitions;
