//! Answers of reviews: each says who gave it and when.

use entity::review_answer::{ANSWERED_AT, AUTHOR, NOUN, TEXT};
use sea_orm::prelude::ChronoUnixTimestampMillis;

use crate::{
    graphql::slice::Module,
    store::{
        Tx,
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
    let before = draft.current.as_ref().map(|row| row.get(TEXT));
    if before != Some(draft.get(TEXT)) {
        draft.set(ANSWERED_AT, ChronoUnixTimestampMillis(tx.now()));
        draft.set(AUTHOR, tx.actor().subject.clone());
    }
}
