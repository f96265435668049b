//! The GraphQL machinery. Knows no noun.
pub mod document;
pub mod failure;
pub mod merge;
pub mod shape;
pub mod variables;
