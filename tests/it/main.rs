//! One test binary: the whole service through its API, on SQLite or on the PostgreSQL that `RAPPORT_TEST_POSTGRES` names.

mod app;
mod database;
mod settings;
mod smoke;
