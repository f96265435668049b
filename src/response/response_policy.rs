//! Response policies: what their filters may say, and that their calendars reach what they promise.

use chrono::TimeDelta;
use entity::{
    Col, case,
    response_policy::{
        ACKNOWLEDGE_MINUTES, CALENDAR_ID, FILTER, FIRST_RESPONSE_MINUTES, ID, NEXT_RESPONSE_MINUTES, NOUN,
        RESOLUTION_MINUTES,
    },
};

use super::{
    deadline::Calendars,
    rule_filters::{given_condition, mistakes},
};
use crate::{
    Result,
    error::Code,
    graphql::{
        slice::{Computed, Module},
        typed::fields::ComputedFn,
    },
    store::{
        Tx,
        statement::cell::Column,
        writing::{draft::Draft, external_ids::EXTERNAL_ID, write::Hooks},
    },
};

/// GraphQL module of response policies.
pub const SLICE: Module = Module {
    rules: Hooks { prepare: |tx, drafts| Box::pin(check(tx, drafts)), ..Hooks::NONE },
    computed: &[Computed {
        name: "filterMistake",
        doc: "Why the filter is broken, so that the policy decides about no case unless it is selected: what it asks for no \
              longer exists, or needs a scope that whoever saved it lacked. Null if it is not broken.",
        run: &ComputedFn::new(|scope, (), ids| Box::pin(mistakes(scope, (ID, FILTER), &case::NOUN, ids))),
    }],
    ..Module::new(&NOUN)
};

/// What policies decide about a case: filters that ask for it would ask for what they decide.
const DECIDED: [&str; 2] = [case::RESPONSE_POLICY_ID.name(), case::DUE_AT.name()];

const MINUTES: [Col<Option<i64>>; 4] =
    [ACKNOWLEDGE_MINUTES, FIRST_RESPONSE_MINUTES, NEXT_RESPONSE_MINUTES, RESOLUTION_MINUTES];

async fn check(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    for draft in drafts.iter_mut() {
        check_filter(tx, draft).await?;
    }
    check_minutes(tx, drafts).await
}

/// Refuses a filter that cannot be answered for a case when its clocks start.
async fn check_filter(tx: &Tx, draft: &mut Draft) -> Result<()> {
    let Some(condition) = given_condition(tx, draft, FILTER, &case::NOUN).await? else { return Ok(()) };
    if DECIDED.iter().any(|column| condition.asks_for(column)) {
        draft.refuse(Code::Invalid, "filter", "the policies decide which of them it is, and when the case is due");
    } else if condition.asks_for(EXTERNAL_ID.name) {
        draft.refuse(Code::Invalid, "filter", "external ids are not known before a case is stored");
    }
    Ok(())
}

/// Refuses minutes that the calendar does not reach.
async fn check_minutes(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    let is_concerned = |draft: &Draft| {
        draft.errors.is_empty() && (draft.gives(CALENDAR_ID) || MINUTES.into_iter().any(|column| draft.gives(column)))
    };
    let concerned = drafts.iter().filter(|draft| is_concerned(draft));
    let calendars = Calendars::read(tx, concerned.filter_map(|draft| draft.get(CALENDAR_ID))).await?;
    for draft in drafts.iter_mut().filter(|draft| is_concerned(draft)) {
        // Whether there is such a calendar may be left to the foreign key.
        let Some(time) = draft.get(CALENDAR_ID).and_then(|id| calendars.find(id)) else { continue };
        for column in MINUTES {
            let minutes = draft.get(column).unwrap_or_default();
            if time.after(tx.now(), TimeDelta::minutes(minutes)).is_none() {
                let message = "the calendar does not reach this within ten years; open it longer, or take less";
                draft.refuse(Code::OutOfRange, Column::from(column).field, message);
            }
        }
    }
    Ok(())
}
