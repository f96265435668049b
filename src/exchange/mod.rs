//! Other systems: what they reach us with.

pub mod api_client;
