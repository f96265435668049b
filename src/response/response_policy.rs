//! Response policies: their calendars reach what they promise.

use chrono::TimeDelta;
use entity::{
    Col,
    response_policy::{
        ACKNOWLEDGE_MINUTES, CALENDAR_ID, FIRST_RESPONSE_MINUTES, NEXT_RESPONSE_MINUTES, NOUN, RESOLUTION_MINUTES,
    },
};

use super::deadline::Calendars;
use crate::{
    Result,
    error::Code,
    graphql::slice::Module,
    store::{
        Tx,
        statement::cell::Column,
        writing::{draft::Draft, write::Hooks},
    },
};

/// GraphQL module of response policies.
pub const SLICE: Module =
    Module { rules: Hooks { prepare: |tx, drafts| Box::pin(check(tx, drafts)), ..Hooks::NONE }, ..Module::new(&NOUN) };

const MINUTES: [Col<Option<i64>>; 4] =
    [ACKNOWLEDGE_MINUTES, FIRST_RESPONSE_MINUTES, NEXT_RESPONSE_MINUTES, RESOLUTION_MINUTES];

/// Refuses minutes that the calendar does not reach.
async fn check(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
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
