//! Rapport: a GraphQL backend for customer interaction points.

pub mod auth;
mod business_time;
pub mod calendar;
pub mod clock;
pub mod command;
pub mod config;
pub mod demo;
pub mod error;
pub mod exchange;
#[cfg(debug_assertions)]
pub mod faults;
pub mod graphql;
pub mod housekeeping;
pub mod http;
pub mod insight;
mod instant;
pub mod map;
pub mod outbound;
pub mod record;
pub mod response;
mod runtime;
pub mod schedule;
pub mod schema;
pub mod store;
pub mod suggest;
pub mod telemetry;
pub mod tenancy;
mod text;
pub mod words;

pub use error::{Error, Result, UserError};
