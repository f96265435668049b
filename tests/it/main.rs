//! One test binary: the whole service through its API, on SQLite or on the PostgreSQL that `RAPPORT_TEST_POSTGRES` names.

mod app;
mod bulk;
mod complaints;
mod database;
mod demo;

mod example;
mod explorer;
mod external_ids;
mod groups;
mod settings;
mod writes;
