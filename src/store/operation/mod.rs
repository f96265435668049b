//! Operations of the operator and of the server itself, without a caller.

pub mod auth_queries;
pub mod backup;
pub(in crate::store) mod connect;
pub(in crate::store) mod database_url;
pub mod diagnosis;
pub mod document_runner;
pub mod jobs;
pub(in crate::store) mod postgres_checks;
pub(in crate::store) mod sqlite_file;
mod statistics;
pub mod unscoped;
mod webhooks;

pub use webhooks::BusyEndpoint;
