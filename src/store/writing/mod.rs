//! Turns drafts into rows: resolve, complete, check, write, delete.

pub mod aggregate;
pub(in crate::store) mod archived;
pub mod attribute_items;
pub(in crate::store) mod copy;
pub(in crate::store) mod defaults;
pub mod delete;
pub mod draft;
pub mod effect_keys;
pub mod expiry;
pub mod external_id_changes;
pub mod external_ids;
pub(in crate::store) mod hooks;
pub(in crate::store) mod lifecycle;
pub mod links;
mod made;
pub mod ordering;
pub(in crate::store) mod output;
pub mod reference;
pub mod related;
pub(in crate::store) mod resolve;
pub mod same_parent;
pub(in crate::store) mod set_items;
mod trial;
mod unique;
pub mod write;
