//! One test binary: the whole service through its API, on SQLite or on the PostgreSQL that `RAPPORT_TEST_POSTGRES` names.

mod api_clients;
mod app;
mod attacks;
mod bulk;
mod commands;
mod database;
mod door;
mod external_ids;
mod issuers;
mod listing;
mod paging;
mod settings;
mod withdrawal;
mod writes;
