//! Erasing a person: what is about them, what is hidden at once, the steps, and the ledger.

pub(in crate::store) mod erase;
pub(in crate::store) mod erased;
pub mod ledger;
pub(in crate::store) mod mask;
pub mod open_attributes;
pub(in crate::store) mod requests;
pub(in crate::store) mod subject_rows;
