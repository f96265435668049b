//! One test binary: the whole service through its API, on SQLite or on the PostgreSQL that `RAPPORT_TEST_POSTGRES` names.

mod app;
mod bulk;
mod database;
mod external_ids;
mod listing;
mod paging;
mod settings;
mod writes;
