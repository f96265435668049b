//! One test binary: the whole service through its API, on SQLite or on the PostgreSQL that `RAPPORT_TEST_POSTGRES` names.

mod app;
mod bulk;
mod database;
mod external_ids;
mod settings;
mod writes;
