//! One test binary: the whole service through its API, on SQLite or on the PostgreSQL that `RAPPORT_TEST_POSTGRES` names.

mod app;
mod bulk;
mod complaints;
mod database;
mod documents;
mod dump;
mod events;
mod example;
mod explorer;
mod external_ids;
mod groups;
mod idempotency;
mod isolation;
mod listing;
mod outline;
mod paging;
mod schema;
mod settings;
mod statements;
mod world;
mod writes;
