//! Structs in and structs out: what slices declare of the API besides nouns.

pub mod fields;
pub mod input;
pub mod kinds;
pub mod output;
pub mod reader;
