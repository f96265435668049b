//! Comments on cases: each has the subject of whoever wrote it.

use std::future::{Ready, ready};

use entity::case_comment::{NOUN, SUBJECT, WRITTEN_AT};

use crate::{
    Result,
    graphql::slice::Module,
    record::past::refuse_future,
    store::{
        Tx,
        writing::{
            draft::Draft,
            write::{ChildOf, Hooks},
        },
    },
};

/// Maximum number of comments on a case.
const MOST: usize = 10_000;

/// GraphQL module of comments on cases.
pub const SLICE: Module = Module {
    rules: Hooks {
        prepare: |tx, drafts| Box::pin(sign(tx, drafts)),
        child_of: Some(ChildOf { relation: "case", position: None, most: MOST }),
        ..Hooks::NONE
    },
    ..Module::new(&NOUN)
};

fn sign(tx: &Tx, drafts: &mut [Draft]) -> Ready<Result<()>> {
    for draft in drafts {
        if draft.is_new() {
            draft.set(SUBJECT, tx.actor().subject.clone());
        }
        refuse_future(tx, draft, WRITTEN_AT);
    }
    ready(Ok(()))
}
