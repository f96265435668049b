//! Erasure of a person: the rows about the person, the mask that hides them at once, the steps, and the ledger. Deletion
//! of a whole organization.

pub(in crate::store) mod deletion;
pub(in crate::store) mod erase;
pub(in crate::store) mod erased;
pub mod ledger;
pub(in crate::store) mod mask;
mod merged;
pub mod open_attributes;
pub(in crate::store) mod requests;
pub(in crate::store) mod subject_rows;
