//! API fields that slices declare with structs for their input and output.

pub mod fields;
pub mod input;
pub mod kinds;
pub mod output;
pub mod reader;
pub mod subscription;
pub mod union;
