//! Messages, with mutations that replace all points that use a message and all evidence that supports it.

use entity::message::Entity;

use super::evidence::backed;
use crate::graphql::slice::Module;

/// GraphQL module of messages.
pub const SLICE: Module = backed::<Entity>();
