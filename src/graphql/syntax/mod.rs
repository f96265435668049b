//! Parses GraphQL documents: tokens, grammar and strings.

pub mod lex;
pub mod parse;
pub mod scan;
pub(in crate::graphql) mod strings;
