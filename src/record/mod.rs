//! What did happen: customers, their erasure and what is handed to them of what is known about them.

pub mod customer;
pub mod export;
