//! Keyset pages.

pub mod cursor;
pub mod page;
pub(crate) mod range;
