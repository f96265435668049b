//! Builds SQL statements from compile-time text and bound values.

pub mod builder;
pub mod cell;
pub mod distinct;
pub mod filter;
pub(in crate::store) mod join_values;
pub(in crate::store) mod models;
mod shape;
pub mod template;
pub mod tenant_check;
pub mod typed;
