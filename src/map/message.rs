//! Messages: where they are used, and what stands behind them, is set whole.

use entity::message::Entity;

use super::evidence::backed;
use crate::graphql::slice::Module;

/// The slice.
pub const SLICE: Module = Module { sets: &["points", "evidence"], ..backed::<Entity>() };
