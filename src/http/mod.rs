//! The HTTP surface: one GraphQL endpoint, its contract, health, and an explorer.

mod address;
mod admin;
mod admission;
mod app;
mod bearer;
mod body;
mod buckets;
mod compute;
mod diagram;
mod edge;
pub mod explorer;
mod failure;
mod gate;
mod graphql;
mod health;
mod json;
mod lookout;
mod media;
mod memory;
mod metrics;
mod oauth;
mod params;
mod preflight;
mod price;
mod published;
mod reply;
mod serve;
#[cfg(test)]
mod tests;
mod throttle;

pub use app::{App, Demo, routes};
pub use gate::Gate;
pub use serve::{Sockets, serve, threads};
