//! Members: none is back before leaving.

use std::future::{Ready, ready};

use entity::member::{AWAY_FROM_AT, AWAY_UNTIL_AT, NOUN};

use crate::{
    Result,
    error::Code,
    graphql::slice::Module,
    record::past::refuse_before,
    store::writing::{draft::Draft, write::Hooks},
};

/// GraphQL module of members.
pub const SLICE: Module =
    Module { rules: Hooks { prepare: |_, drafts| Box::pin(check(drafts)), ..Hooks::NONE }, ..Module::new(&NOUN) };

fn check(drafts: &mut [Draft]) -> Ready<Result<()>> {
    for draft in drafts {
        refuse_before(draft, AWAY_UNTIL_AT, AWAY_FROM_AT);
        if draft.get(AWAY_UNTIL_AT).is_some() && draft.get(AWAY_FROM_AT).is_none() {
            let field = if draft.gives(AWAY_UNTIL_AT) { "awayUntilAt" } else { "awayFromAt" };
            draft.refuse(Code::Invalid, field, "a member who is back at a time is away from a time: give awayFromAt");
        }
    }
    ready(Ok(()))
}
