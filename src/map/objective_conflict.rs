//! Conflicts of objectives: both are of the same point, and their owners differ.

use entity::{objective, objective_conflict::NOUN};
use sea_orm::prelude::Uuid;

use super::{
    objective::{MAX, owners},
    same_parent::require_same_parent,
};
use crate::{
    Result,
    error::Code,
    graphql::slice::Module,
    store::{
        Tx,
        statement::cell::Cell,
        writing::{
            draft::Draft,
            write::{ChildOf, Hooks},
        },
    },
};

/// The slice.
pub const SLICE: Module = Module {
    rules: Hooks {
        prepare: |tx, drafts| Box::pin(prepare(tx, drafts)),
        child_of: Some(ChildOf { relation: "point", position: None, most: MAX }),
        ..Hooks::NONE
    },
    ..Module::new(&NOUN)
};

async fn prepare(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    require_same_parent(tx, drafts, "point", &objective::NOUN, &["first", "second"]).await?;
    let is_new = |draft: &&mut Draft| draft.errors.is_empty() && draft.is_new();
    let sides = |draft: &Draft| draft.get("first_id").id().zip(draft.get("second_id").id());
    let named: Vec<Uuid> = drafts
        .iter_mut()
        .filter(is_new)
        .filter_map(|draft| sides(draft))
        .flat_map(|(one, other)| [one, other])
        .collect();
    // The point is locked, for conflicts and objectives are parts of it: nobody gives one to another owner meanwhile.
    let owners = owners(tx, &named).await?;
    for draft in drafts.iter_mut().filter(is_new) {
        let owner = |column| draft.get(column).id().and_then(|id| owners.get(&id)).and_then(Cell::text);
        if owner("first_id") == owner("second_id") {
            draft.refuse(Code::Invalid, "secondRef", "both objectives are of one owner");
        }
    }
    Ok(())
}
