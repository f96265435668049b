//! Rapport: a GraphQL backend for customer interaction points.

pub mod auth;
pub mod clock;
pub mod config;
pub mod error;
pub mod graphql;
pub mod http;
pub mod schema;
pub mod store;

pub use error::{Error, Result, UserError};
