//! Review answers: each records its author and the time.

use entity::review_answer::{ANSWERED_AT, AUTHOR, NOUN, TEXT};
use sea_orm::prelude::ChronoUnixTimestampMillis;

use crate::{
    graphql::slice::Module,
    store::{
        Tx,
        writing::{draft::Draft, write::Hooks},
    },
};

/// GraphQL module of review answers.
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

/// Sets the author and the time of an answer that is new or whose text changes.
fn sign(tx: &Tx, draft: &mut Draft) {
    let before = draft.current.as_ref().map(|row| row.get(TEXT));
    if before != Some(draft.get(TEXT)) {
        draft.set(ANSWERED_AT, ChronoUnixTimestampMillis(tx.now()));
        draft.set(AUTHOR, tx.actor().subject.clone());
    }
}
