//! One test binary: the whole service through its API, on SQLite or on the PostgreSQL that `RAPPORT_TEST_POSTGRES` names.

mod app;
mod bulk;
mod database;
mod events;
mod external_ids;
mod filter_reach;
mod filters;
mod idempotency;
mod listing;
mod paging;
mod settings;
mod statements;
mod writes;
