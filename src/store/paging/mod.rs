//! Keyset pagination.

pub mod cursor;
pub mod feed;
pub mod ids;
pub mod page;
pub(crate) mod range;
mod shape;
pub mod timeline;
