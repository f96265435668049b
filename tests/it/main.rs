//! One test binary: the whole service through its API, on SQLite or on the PostgreSQL that `RAPPORT_TEST_POSTGRES` names.

mod app;
mod dump;
mod isolation;
mod outline;
mod schema;
mod settings;
mod smoke;
mod world;
