//! One test binary: the whole service through its API, on SQLite or on the PostgreSQL that `RAPPORT_TEST_POSTGRES` names.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it says; only bare test functions may by themselves"
)]

mod analysts;
mod api_clients;
mod app;
mod architecture;
mod archived;
mod attacks;
mod attribute_definitions;
mod attributes;
mod audit;
mod bad_input;
mod bulk;
mod canaries;
mod commands;
mod complaints;
mod coverage;
mod database;
mod demo;
mod description;
mod diagrams;
mod document_cache;
mod documents;
mod dump;
mod elements;
mod erasure;
mod erasure_steps;
mod erasure_tags;
mod events;
mod example;
mod explorer;
mod external_ids;
mod filter_reach;
mod filters;
mod fixture;
mod group_pages;
mod groups;
mod idempotency;
mod isolation;
mod issuers;
mod journeys;
mod listing;
mod literals;
mod map_documents;
mod messages;
mod model;
mod mortgage;
mod nulls;
mod outline;
mod paging;
mod pointer;
mod points;
mod preparation;
mod providers;
mod rankings;
mod recovery;
mod residue;
mod reviews;
mod revocation;
mod rollups;
mod row_cache;
mod schema;
mod scopes;
mod server;
mod settings;
mod sketches;
mod spread;
mod start;
mod start_postgres;
mod statements;
mod transactions;
mod vectors;
mod writes;
