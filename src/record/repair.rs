//! Repairs: the part that failed is a part of the unit.

use entity::{
    repair::{FAILED_AT, NOUN, PART_ID, UNIT_ID},
    unit_part,
};

use super::past::refuse_future;
use crate::{
    Result,
    graphql::slice::Module,
    store::{
        Tx,
        writing::{draft::Draft, same_parent::require_same_parent, write::Hooks},
    },
};

/// GraphQL module of repairs.
pub const SLICE: Module = Module {
    rules: Hooks { prepare: |tx, drafts| Box::pin(prepare(tx, drafts)), ..Hooks::NONE },
    ..Module::new(&NOUN)
};

async fn prepare(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    require_same_parent(tx, drafts, UNIT_ID, (unit_part::ID, unit_part::UNIT_ID), [PART_ID]).await?;
    for draft in drafts {
        refuse_future(tx, draft, FAILED_AT);
    }
    Ok(())
}
