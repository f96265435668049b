//! Conflicts of objectives: both are of the same point, and their owners differ.

use entity::{objective, objective_conflict::NOUN};
use sea_orm::prelude::Uuid;

use super::{
    objective::{MOST, owners},
    within::stay_within,
};
use crate::{
    Result,
    error::Code,
    graphql::slice::Slice,
    store::{
        Tx,
        cell::Cell,
        draft::Draft,
        write::{PartOf, Rules},
    },
};

/// The slice.
pub const SLICE: Slice = Slice {
    rules: Rules {
        prepare: |tx, drafts| Box::pin(prepare(tx, drafts)),
        part_of: Some(PartOf { relation: "point", position: None, most: MOST }),
        ..Rules::NONE
    },
    ..Slice::new(&NOUN)
};

async fn prepare(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    stay_within(tx, drafts, "point", &objective::NOUN, &["first", "second"]).await?;
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
