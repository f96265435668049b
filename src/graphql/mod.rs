//! The GraphQL layer: derives types, plans, statements and responses from noun descriptions. It refers to no specific
//! noun.

pub mod documents;
pub mod execution;
pub mod failure;
pub mod mutation;
pub mod planning;
pub mod slice;
pub mod syntax;
pub mod typed;
pub mod types;
pub mod values;
