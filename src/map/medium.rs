//! Mediums stay a tree.

use entity::medium::NOUN;

use super::tree::stay_a_tree;
use crate::{graphql::slice::Slice, store::write::Rules};

/// The slice.
pub const SLICE: Slice = Slice {
    rules: Rules { prepare: |tx, drafts| Box::pin(stay_a_tree(tx, &NOUN, drafts)), ..Rules::NONE },
    ..Slice::new(&NOUN)
};
