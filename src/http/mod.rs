//! The HTTP interface: one GraphQL endpoint, its schema, health endpoints, and an explorer.

mod admin;
mod all_rows;
mod app;
mod calendar;
mod diagram;
mod discovery;
mod documents;
mod error_response;
mod event_log;
pub mod explorer;
mod graphql;
mod health;
mod import_file;
mod known_documents;
mod limits;
mod metrics;
mod middleware;
mod oauth;
mod organization_export;
mod published;
mod request;
mod response;
mod revocation_cache;
mod serve;
mod started;
mod streams;
mod table;
#[cfg(test)]
mod tests;
mod transfer;

pub use app::{App, Demo, routes};
pub use request::authenticator::Authenticator;
pub use serve::{Sockets, serve, threads};
