//! The response: what is done about it.

pub mod preview;
pub mod routing;
pub mod rules;
