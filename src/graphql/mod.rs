//! The GraphQL machinery: from the descriptions of the nouns to types, plans, statements and answers. Knows no noun.

mod coerce;
mod common_types;
pub mod connection;
pub mod cost;
pub mod document;
pub mod documents;
pub mod failure;
pub mod filter;
pub mod freeze;
pub mod guard;
pub mod input;
pub mod limits;
pub mod load;
pub mod merge;
pub mod mutate;
mod noun_types;
mod payload;
pub mod plan;
pub mod render;
pub mod root;
pub mod scalars;
pub mod scan;
pub mod set;
pub mod shape;
pub mod slice;
pub mod types;
pub mod variables;
