//! Accounts, which form a tree.

use entity::account::{NOUN, PARENT_ID};

use super::merge;
use crate::{graphql::slice::Module, map::tree::refuse_circles, store::writing::write::Hooks};

/// GraphQL module of accounts.
pub const SLICE: Module = Module {
    rules: Hooks { prepare: |tx, drafts| Box::pin(refuse_circles(tx, drafts, PARENT_ID)), ..Hooks::NONE },
    mutations: &merge::OF_ACCOUNTS,
    computed: &[merge::MERGES],
    reports: &[merge::REPORT],
    ..Module::new(&NOUN)
};
