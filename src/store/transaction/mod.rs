//! Parts of a transaction besides its rows: events, idempotency, cached reads and the commit.

pub(in crate::store) mod commit;
pub mod event;
pub mod history;
pub(in crate::store) mod idempotency;
pub(in crate::store) mod row_cache;
pub mod transact;
pub(in crate::store) mod unit_of_work;
