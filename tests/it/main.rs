//! One test binary: the whole service through its API, on SQLite or on the PostgreSQL that `RAPPORT_TEST_POSTGRES` names.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it says; only bare test functions may by themselves"
)]

mod app;
mod architecture;
mod bad_input;
mod bulk;
mod complaints;
mod database;
mod demo;
mod description;
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
mod listing;
mod model;
mod outline;
mod paging;
mod pointer;
mod schema;
mod scopes;
mod settings;
mod statements;
mod world;
mod writes;
