//! Conflicts between two objectives: both must belong to the same point and have different owners.

use entity::{
    Col,
    id::ObjectiveId,
    objective,
    objective_conflict::{FIRST_ID, NOUN, POINT_ID, SECOND_ID},
};
use sea_orm::prelude::Uuid;

use super::objective::{MAX, owners};
use crate::{
    Result,
    error::Code,
    graphql::slice::Module,
    store::{
        Tx,
        writing::{
            draft::Draft,
            same_parent::require_same_parent,
            write::{ChildOf, Hooks},
        },
    },
};

/// GraphQL module of objective conflicts.
pub const SLICE: Module = Module {
    rules: Hooks {
        prepare: |tx, drafts| Box::pin(prepare(tx, drafts)),
        child_of: Some(ChildOf { relation: "point", position: None, most: MAX }),
        ..Hooks::NONE
    },
    ..Module::new(&NOUN)
};

async fn prepare(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    require_same_parent(tx, drafts, POINT_ID, (objective::ID, objective::POINT_ID), [FIRST_ID, SECOND_ID]).await?;
    let is_new = |draft: &&mut Draft| draft.errors.is_empty() && draft.is_new();
    let sides = |draft: &Draft| draft.get(FIRST_ID).zip(draft.get(SECOND_ID));
    let named: Vec<Uuid> = drafts
        .iter_mut()
        .filter(is_new)
        .filter_map(|draft| sides(draft))
        .flat_map(|(one, other)| [one.0, other.0])
        .collect();
    // The point is locked because `child_of` names it, so no other transaction can change these owners meanwhile.
    let owners = owners(tx, &named).await?;
    for draft in drafts.iter_mut().filter(is_new) {
        let owner = |side: Col<ObjectiveId>| draft.get(side).and_then(|id| owners.get(&id));
        if owner(FIRST_ID) == owner(SECOND_ID) {
            draft.refuse(Code::Invalid, "secondRef", "both objectives have the same owner");
        }
    }
    Ok(())
}
