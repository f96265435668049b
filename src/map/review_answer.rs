//! Answers of reviews: each says who gave it and when.

use entity::review_answer::NOUN;

use crate::{
    graphql::slice::Module,
    store::{
        Tx,
        statement::cell::Cell,
        writing::{draft::Draft, write::Hooks},
    },
};

/// The slice.
pub const SLICE: Module = Module {
    rules: Hooks {
        prepare: |tx, drafts| {
            Box::pin(async {
                for draft in drafts {
                    sign(tx, draft);
                }
                Ok(())
            })
        },
        ..Hooks::NONE
    },
    ..Module::new(&NOUN)
};

/// Puts the caller's name and the time under an answer that is new or says something else.
fn sign(tx: &Tx, draft: &mut Draft) {
    let before = draft.current.as_ref().map(|row| row.get("text"));
    if before != Some(draft.get("text")) {
        draft.set("answered_at", Cell::Int(tx.now().timestamp_millis()));
        draft.set("author", Cell::Text(tx.actor().subject.clone()));
    }
}
