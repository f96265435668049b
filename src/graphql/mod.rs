//! The GraphQL machinery: from the descriptions of the nouns to types, plans, statements and answers. Knows no noun.

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
