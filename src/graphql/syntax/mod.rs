//! From text to a document: tokens, grammar, strings.

pub mod lex;
pub mod parse;
pub mod scan;
pub(in crate::graphql) mod strings;
