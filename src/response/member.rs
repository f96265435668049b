//! Members: one for each subject, and none is back before leaving.

use entity::member::{AWAY_FROM_AT, AWAY_UNTIL_AT, Column, Entity, NOUN, SUBJECT};

use super::unique::refuse_taken;
use crate::{
    Result,
    error::Code,
    graphql::slice::Module,
    record::past::refuse_before,
    store::{
        Tx,
        writing::{draft::Draft, write::Hooks},
    },
};

/// GraphQL module of members.
pub const SLICE: Module = Module {
    rules: Hooks { prepare: |tx, drafts| Box::pin(prepare(tx, drafts)), ..Hooks::NONE },
    sets: &["departments"],
    ..Module::new(&NOUN)
};

async fn prepare(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    refuse_taken::<Entity>(tx, drafts, SUBJECT, Column::Subject, |row| (row.subject, row.id.0)).await?;
    for draft in drafts {
        refuse_before(draft, AWAY_UNTIL_AT, AWAY_FROM_AT);
        if draft.get(AWAY_UNTIL_AT).is_some() && draft.get(AWAY_FROM_AT).is_none() {
            let field = if draft.gives(AWAY_UNTIL_AT) { "awayUntilAt" } else { "awayFromAt" };
            draft.refuse(Code::Invalid, field, "a member who is back at a time is away from a time: give awayFromAt");
        }
    }
    Ok(())
}
