//! One test binary: the whole service through its API, on SQLite or on the PostgreSQL that `RAPPORT_TEST_POSTGRES` names.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it says; only bare test functions may by themselves"
)]

mod api_clients;
mod app;
mod architecture;
mod attacks;
mod bad_input;
mod bulk;
mod commands;
mod complaints;
mod database;
mod demo;
mod description;
mod documents;
mod door;
mod dump;
mod events;
mod example;
mod explorer;
mod external_ids;
mod filter_reach;
mod filters;
mod groups;
mod idempotency;
mod isolation;
mod issuers;
mod listing;
mod model;
mod outline;
mod paging;
mod pointer;
mod schema;
mod scopes;
mod settings;
mod statements;
mod transactions;
mod withdrawal;
mod world;
mod writes;
