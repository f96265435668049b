//! Improvements: how they come about, and that whoever contributed is told once they are done.

mod closed;
mod contributors;

use std::future::{Ready, ready};

use entity::{
    improvement::{
        DECLINED_AT, DECLINED_REASON, DONE_AT, ImprovementStatus, NOUN, PLANNED_AT, STARTED_AT, STATUS, Transition,
    },
    noun::Relationship,
};
use sea_orm::prelude::ChronoUnixTimestampMillis;

use super::case::clear;
use crate::{
    Result,
    error::Code,
    graphql::slice::Module,
    record::past::{refuse_before, refuse_future},
    store::{
        Tx,
        writing::{draft::Draft, write::Hooks},
    },
    text::is_blank,
};

pub use contributors::FEEDBACK_RULES;

/// GraphQL module of improvements.
pub const SLICE: Module = Module {
    rules: Hooks {
        prepare: |tx, drafts| Box::pin(prepare(tx, drafts)),
        written: |tx, drafts| Box::pin(contributors::written(tx, drafts)),
        relinked: |tx, relation, id| Box::pin(contributors::relinked(tx, relation, id)),
        ..Hooks::NONE
    },
    computed: &[contributors::VOTES, closed::IS_CLOSED, closed::CLOSED_AT],
    ..Module::new(&NOUN)
};

/// Returns the relation of improvements to the feedback that they are made because of.
fn feedback_records() -> &'static Relationship {
    NOUN.relation("feedbackRecords").expect("improvements are made because of feedback")
}

fn prepare(tx: &Tx, drafts: &mut [Draft]) -> Ready<Result<()>> {
    for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
        let status = draft.get(STATUS);
        if status == Some(ImprovementStatus::Declined)
            && draft.get(DECLINED_REASON).is_none_or(|reason| is_blank(&reason))
        {
            draft.refuse(Code::Required, "declinedReason", "say why it is not going to be made");
        }
        if draft.does(Transition::Reopen) {
            for column in [PLANNED_AT, STARTED_AT, DONE_AT] {
                clear(draft, column);
            }
        }
        if draft.transition.is_some() {
            continue;
        }
        if status == Some(ImprovementStatus::Done) && draft.get(DONE_AT).is_none() {
            draft.set(DONE_AT, Some(ChronoUnixTimestampMillis(tx.now())));
        }
        for at in [PLANNED_AT, STARTED_AT, DONE_AT, DECLINED_AT] {
            refuse_future(tx, draft, at);
        }
        refuse_before(draft, STARTED_AT, PLANNED_AT);
        refuse_before(draft, DONE_AT, STARTED_AT);
    }
    ready(Ok(()))
}
