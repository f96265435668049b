//! One test binary: the whole service through its API, on SQLite or on the PostgreSQL that `RAPPORT_TEST_POSTGRES` names.

mod app;
mod bulk;
mod database;
mod dump;
mod external_ids;
mod isolation;
mod listing;
mod outline;
mod paging;
mod pointer;
mod schema;
mod scopes;
mod settings;
mod world;
mod writes;
