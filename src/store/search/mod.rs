//! The search: which words stand in which rows. See `docs/architecture/search.md`.

mod documents;
pub(in crate::store) mod fill;
pub mod find;
pub(in crate::store) mod index;
pub mod matching;
pub mod source;
pub mod texts;
pub mod words;
