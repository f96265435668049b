//! Mediums, which form a tree.

use entity::medium::{NOUN, PARENT_ID};

use super::tree::refuse_circles;
use crate::{graphql::slice::Module, store::writing::write::Hooks};

/// GraphQL module of mediums.
pub const SLICE: Module = Module {
    rules: Hooks { prepare: |tx, drafts| Box::pin(refuse_circles(tx, drafts, PARENT_ID)), ..Hooks::NONE },
    ..Module::new(&NOUN)
};
