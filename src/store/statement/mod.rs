//! Builds SQL statements from compile-time text and bound values.

pub mod builder;
pub mod cell;
mod departments;
pub mod distinct;
pub mod filter;
pub(in crate::store) mod join_values;
mod judge;
pub(in crate::store) mod models;
mod personal_literal;
mod shape;
pub mod tally;
pub mod template;
pub mod tenant_check;
pub mod typed;
