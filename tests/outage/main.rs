//! A second test binary: the real program where things go wrong around it, on SQLite or on the PostgreSQL that
//! `RAPPORT_TEST_POSTGRES` names. Needs PostgreSQL's own programs for the latter, and debug assertions for the faults.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it says; only bare test functions may by themselves"
)]

mod away;
mod bodies;
mod cluster;
#[path = "../it/database.rs"]
#[expect(dead_code, reason = "the other test binary uses the rest")]
mod database;
mod drain;
mod fairness;
mod full;
mod overload;
mod panics;

mod server;
mod sockets;
mod workers;
