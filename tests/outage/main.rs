//! The second test binary: runs the real program with failures around it, on SQLite or on the PostgreSQL of
//! `RAPPORT_TEST_POSTGRES`. PostgreSQL tests need its server programs; injected faults need debug assertions.

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
