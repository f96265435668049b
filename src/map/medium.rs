//! Mediums stay a tree.

use std::collections::HashMap;

use entity::medium::{Entity, NOUN};
use sea_orm::{EntityTrait, prelude::Uuid};

use crate::{
    Result,
    error::Code,
    graphql::slice::Slice,
    store::{Tx, draft::Draft, write::Rules},
};

/// The slice.
pub const SLICE: Slice = Slice {
    rules: Rules { prepare: |tx, drafts| Box::pin(stay_a_tree(tx, drafts)), ..Rules::NONE },
    ..Slice::new(&NOUN)
};

/// Refuses each parent that would close a circle, given those before it. Two writers cannot close one together:
/// each first takes the organization's lock.
async fn stay_a_tree(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    if drafts.iter().all(|draft| draft.is_new() || !draft.gives("parent_id")) {
        return Ok(());
    }
    tx.lock_organization().await?;
    let rows = tx.all_unpermitted(Entity::find()).await?;
    let mut parents: HashMap<Uuid, Option<Uuid>> =
        rows.into_iter().map(|row| (row.id.0, row.parent_id.map(|parent| parent.0))).collect();
    for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty() && draft.gives("parent_id")) {
        let parent = draft.get("parent_id").id();
        let mut above = parent;
        while let Some(id) = above.filter(|id| *id != draft.id) {
            above = parents.get(&id).copied().flatten();
        }
        if above.is_some() {
            draft.refuse(Code::Cycle, "parentRef", "a medium cannot stand below itself");
        } else {
            parents.insert(draft.id, parent);
        }
    }
    Ok(())
}
