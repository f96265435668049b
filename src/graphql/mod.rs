//! The GraphQL machinery. Knows no noun.
pub mod failure;
