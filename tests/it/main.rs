//! One test binary: the whole service through its API, on SQLite or on the PostgreSQL that `RAPPORT_TEST_POSTGRES` names.

mod api_clients;
mod app;
mod attacks;
mod bulk;
mod commands;
mod complaints;
mod database;
mod door;
mod dump;
mod events;
mod example;
mod explorer;
mod external_ids;
mod groups;
mod idempotency;
mod isolation;
mod issuers;
mod listing;
mod outline;
mod paging;
mod schema;
mod settings;
mod statements;
mod withdrawal;
mod world;
mod writes;
