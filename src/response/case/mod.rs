//! Cases: how they move through the stages, and what is completed on the way.

mod assign;
mod closing;
mod open;
mod opened_by_rule;
mod times;
mod trace;

use entity::{
    Col,
    case::{
        CAUSED_BY_ID, CaseStage, DEPARTMENT_ID, DUPLICATE_OF_ID, ESCALATED_AT, INVESTIGATED_AT, IS_SAFETY_RELEVANT,
        IS_SOLVABLE_AT_FIRST_CONTACT, IS_SOLVED_AT_FIRST_CONTACT, NOT_TOLD_BECAUSE, NOUN, RESOLUTION, STAGE, TOLD_AT,
        TOLD_MEDIUM_ID, TOLD_WHAT, Transition,
    },
    noun::Relationship,
};
use sea_orm::prelude::ChronoUnixTimestampMillis;

use super::{deadline, placed::place};
use crate::{
    Result,
    error::Code,
    graphql::slice::Module,
    map::tree::refuse_circles,
    store::{
        Tx,
        statement::cell::Cell,
        writing::{draft::Draft, write::Hooks},
    },
    text::is_blank,
};

pub use open::OPEN;
pub(super) use opened_by_rule::open_by_rule;
pub use trace::TRACE;

/// Rules of cases.
const RULES: Hooks = Hooks { prepare: |tx, drafts| Box::pin(prepare(tx, drafts)), ..Hooks::NONE };

/// GraphQL module of cases.
pub const SLICE: Module =
    Module { rules: RULES, mutations: &[OPEN], computed: &[TRACE, deadline::CASE_BREACHED_AT], ..Module::new(&NOUN) };

/// Returns the relation of cases to the feedback that they are about.
fn feedback_records() -> &'static Relationship {
    NOUN.relation("feedbackRecords").expect("cases are about feedback")
}

async fn prepare(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    let now = ChronoUnixTimestampMillis(tx.now());
    for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
        times::keep_first(draft);
        times::check(tx, draft);
        if draft.does(Transition::Reopen) && draft.get(INVESTIGATED_AT).is_none() {
            draft.set(INVESTIGATED_AT, Some(now));
        }
        take_up_again(draft);
        if draft.gives(IS_SAFETY_RELEVANT)
            && draft.get(IS_SAFETY_RELEVANT) == Some(true)
            && draft.get(ESCALATED_AT).is_none()
        {
            draft.set(ESCALATED_AT, Some(now));
        }
        if draft.does(Transition::Communicate) && draft.get(TOLD_WHAT).is_none_or(|text| is_blank(&text)) {
            draft.refuse(Code::Required, "toldWhat", "say what the customer was told");
        }
        let is_told = draft.does(Transition::Communicate) || draft.does(Transition::Close);
        if is_told && draft.get(TOLD_WHAT).is_some() && draft.get(TOLD_AT).is_none() {
            draft.set(TOLD_AT, Some(now));
        }
        check_first_contact(draft);
    }
    place(tx, drafts, DEPARTMENT_ID).await?;
    assign::assign(tx, drafts).await?;
    closing::check(tx, drafts).await?;
    refuse_circles(tx, drafts, DUPLICATE_OF_ID).await?;
    refuse_circles(tx, drafts, CAUSED_BY_ID).await?;
    deadline::follow(tx, drafts).await
}

/// Clears how a case ended if it goes back, and what the customer was told if that is to be told anew.
fn take_up_again(draft: &mut Draft) {
    let Some((before, after)) = draft.current.as_ref().and_then(|row| row.get(STAGE)).zip(draft.get(STAGE)) else {
        return;
    };
    if before == CaseStage::Closed && after != CaseStage::Closed {
        clear(draft, RESOLUTION);
        clear(draft, DUPLICATE_OF_ID);
    }
    if before.rank() > after.rank() && after.rank() < CaseStage::Communicated.rank() {
        clear(draft, TOLD_WHAT);
        clear(draft, TOLD_AT);
        clear(draft, TOLD_MEDIUM_ID);
        clear(draft, NOT_TOLD_BECAUSE);
    }
}

/// Sets a column to null unless the caller sets it.
pub(super) fn clear<T>(draft: &mut Draft, column: Col<T>) {
    if !draft.gives(column) {
        draft.set_cell(column.name(), Cell::Null);
    }
}

fn check_first_contact(draft: &mut Draft) {
    let (could, was) = (draft.get(IS_SOLVABLE_AT_FIRST_CONTACT), draft.get(IS_SOLVED_AT_FIRST_CONTACT));
    if (could, was) == (Some(false), Some(true)) {
        let field =
            if draft.gives(IS_SOLVED_AT_FIRST_CONTACT) { "isSolvedAtFirstContact" } else { "isSolvableAtFirstContact" };
        draft.refuse(Code::Invalid, field, "what was solved at the first contact could be solved there");
    }
}
