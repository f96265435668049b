//! Objectives: two objectives in conflict must keep different owners.

use std::collections::HashMap;

use entity::{
    id::{ObjectiveConflictId, ObjectiveId},
    objective::{Entity, ID, OWNER, ObjectiveOwner},
    objective_conflict::{self, Column},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, prelude::Uuid};

use super::evidence::{backed, level};
use crate::{
    Result,
    error::Code,
    graphql::{
        slice::{Computed, Module},
        typed::fields::{ByRow, ComputedFn},
    },
    store::{
        Scope, Tx,
        writing::{
            draft::Draft,
            write::{ChildOf, Hooks},
        },
    },
};

/// Maximum number of objectives, and of conflicts, of one point.
pub(super) const MAX: usize = 1_000;

/// GraphQL module of objectives.
pub const SLICE: Module = Module {
    rules: Hooks {
        prepare: |tx, drafts| Box::pin(prepare(tx, drafts)),
        // The lock on the point serializes changes to its objectives and conflicts: the rules of both nouns read both.
        child_of: Some(ChildOf { relation: "point", position: None, most: MAX }),
        ..Hooks::NONE
    },
    computed: &[
        level::<Entity>(),
        Computed {
            name: "conflicts",
            doc: "Conflicts that involve it, oldest first.",
            run: &ComputedFn::new(|scope, (), ids| Box::pin(conflicts(scope, ids))),
        },
    ],
    ..backed::<Entity>()
};

async fn conflicts(scope: &Scope, ids: &[Uuid]) -> Result<ByRow<Vec<ObjectiveConflictId>>> {
    let mut found: ByRow<Vec<ObjectiveConflictId>> = HashMap::new();
    for side in [objective_conflict::FIRST_ID, objective_conflict::SECOND_ID] {
        // This limit never cuts off rows: a point has at most `MAX` conflicts.
        let rows = scope.select((objective_conflict::ID, side), side, ids, ids.len() * MAX).await?;
        for (conflict, objective) in rows {
            found.entry(objective.0).or_default().push(conflict);
        }
    }
    for conflicts in found.values_mut() {
        conflicts.sort_unstable();
    }
    Ok(found)
}

/// Returns the owner of each of these objectives.
pub(super) async fn owners(tx: &Tx, ids: &[Uuid]) -> Result<HashMap<ObjectiveId, ObjectiveOwner>> {
    Ok(tx.select_by_ids_unchecked((ID, OWNER), ids).await?.into_iter().collect())
}

/// Returns whether a draft changes the owner of an existing objective.
fn moves(draft: &Draft) -> bool {
    let before = draft.current.as_ref().map(|row| row.get(OWNER));
    draft.errors.is_empty() && before.is_some_and(|before| before != draft.get(OWNER))
}

async fn prepare(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    let moved: Vec<Uuid> = drafts.iter().filter(|draft| moves(draft)).map(|draft| draft.id).collect();
    if moved.is_empty() {
        return Ok(());
    }
    let is_side = Condition::any()
        .add(Column::FirstId.is_in(moved.iter().copied()))
        .add(Column::SecondId.is_in(moved.iter().copied()));
    let conflicts = tx.all_unchecked(objective_conflict::Entity::find().filter(is_side)).await?;
    let sides: Vec<(ObjectiveId, ObjectiveId)> = conflicts.iter().map(|row| (row.first_id, row.second_id)).collect();
    let ids: Vec<Uuid> = sides.iter().flat_map(|(first, second)| [first.0, second.0]).collect();
    let before = owners(tx, &ids).await?;
    loop {
        let mut after = before.clone();
        let moving = drafts.iter().filter(|draft| moves(draft));
        after.extend(moving.filter_map(|draft| Some((ObjectiveId(draft.id), draft.get(OWNER)?))));
        let is_alike = |id: ObjectiveId| {
            let own = |(first, second): &&(ObjectiveId, ObjectiveId)| *first == id || *second == id;
            sides.iter().filter(own).any(|(first, second)| after.get(first) == after.get(second))
        };
        let mut is_settled = true;
        for draft in drafts.iter_mut().filter(|draft| moves(draft) && is_alike(ObjectiveId(draft.id))) {
            draft.refuse(Code::Invalid, "owner", "an objective it conflicts with has this owner");
            is_settled = false;
        }
        // A refused objective keeps its old owner, which may now equal the new owner of another one: check again.
        if is_settled {
            return Ok(());
        }
    }
}
