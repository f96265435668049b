//! Answers of reviews: each says who gave it and when.

use entity::review_answer::NOUN;

use crate::{
    graphql::slice::Slice,
    store::{Tx, cell::Cell, draft::Draft, write::Rules},
};

/// The slice.
pub const SLICE: Slice = Slice {
    rules: Rules {
        prepare: |tx, drafts| {
            Box::pin(async {
                for draft in drafts {
                    sign(tx, draft);
                }
                Ok(())
            })
        },
        ..Rules::NONE
    },
    ..Slice::new(&NOUN)
};

/// Puts the caller's name and the time under an answer that is new or says something else.
fn sign(tx: &Tx, draft: &mut Draft) {
    let before = draft.current.as_ref().map(|row| row.get("text"));
    if before != Some(draft.get("text")) {
        draft.set("answered_at", Cell::Int(tx.now().timestamp_millis()));
        draft.set("author", Cell::Text(tx.actor().subject.clone()));
    }
}
