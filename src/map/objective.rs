//! Objectives: those that conflict stay of different owners.

use std::collections::HashMap;

use entity::{
    objective::{Entity, NOUN},
    objective_conflict::{self, Column},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, prelude::Uuid};

use super::evidence::{backed, level};
use crate::{
    Result,
    error::Code,
    graphql::slice::{Computed, Module, Resolved, ResolvedByRow, ReturnType},
    store::{
        Scope, Tx,
        statement::cell::{Cell, given},
        writing::{
            draft::Draft,
            write::{ChildOf, Hooks},
        },
    },
};

/// Most objectives, and most conflicts, of one point.
pub(super) const MAX: usize = 1_000;

/// The slice.
pub const SLICE: Module = Module {
    rules: Hooks {
        prepare: |tx, drafts| Box::pin(prepare(tx, drafts)),
        // Whoever changes objectives or conflicts of a point does so one after the other: both rules look at both.
        child_of: Some(ChildOf { relation: "point", position: None, most: MAX }),
        ..Hooks::NONE
    },
    computed: &[
        level::<Entity>(),
        Computed {
            name: "conflicts",
            doc: "Conflicts that involve it, oldest first.",
            arguments: &[],
            shows: ReturnType::List(&objective_conflict::NOUN),
            run: |scope, _, ids| Box::pin(conflicts(scope, ids)),
        },
    ],
    ..backed::<Entity>()
};

async fn conflicts(scope: &Scope, ids: &[Uuid]) -> Result<ResolvedByRow> {
    let mut found: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for column in ["first_id", "second_id"] {
        // Every row is wanted: their number has a limit for each point.
        let rows = scope.cells(&objective_conflict::NOUN, &["id", column], column, ids, ids.len() * MAX).await?;
        for (conflict, objective) in rows.iter().filter_map(|row| row[0].id().zip(row[1].id())) {
            found.entry(objective).or_default().push(conflict);
        }
    }
    let in_order = |mut conflicts: Vec<Uuid>| {
        conflicts.sort_unstable();
        conflicts.into_iter().map(Resolved::Row).collect()
    };
    Ok(found.into_iter().map(|(objective, conflicts)| (objective, in_order(conflicts))).collect())
}

/// Whose each of these objectives is.
pub(super) async fn owners(tx: &Tx, ids: &[Uuid]) -> Result<HashMap<Uuid, Cell>> {
    let columns = [given(&NOUN, "id", Cell::Null).0, given(&NOUN, "owner", Cell::Null).0];
    let rows = tx.by_ids_unchecked(&NOUN, &columns, ids).await?;
    Ok(rows.into_iter().filter_map(|mut row| Some((row[0].id()?, row.pop()?))).collect())
}

/// Whether a draft gives an objective to another owner.
fn moves(draft: &Draft) -> bool {
    let before = draft.current.as_ref().map(|row| row.get("owner"));
    draft.errors.is_empty() && before.is_some_and(|before| before != draft.get("owner"))
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
    let sides: Vec<(Uuid, Uuid)> = conflicts.iter().map(|row| (row.first_id.0, row.second_id.0)).collect();
    let ids: Vec<Uuid> = sides.iter().flat_map(|(first, second)| [*first, *second]).collect();
    let before = owners(tx, &ids).await?;
    loop {
        let mut after = before.clone();
        after.extend(drafts.iter().filter(|draft| moves(draft)).map(|draft| (draft.id, draft.get("owner").clone())));
        let is_alike = |id: Uuid| {
            let own = |(first, second): &&(Uuid, Uuid)| *first == id || *second == id;
            sides.iter().filter(own).any(|(first, second)| after.get(first) == after.get(second))
        };
        let mut is_settled = true;
        for draft in drafts.iter_mut().filter(|draft| moves(draft) && is_alike(draft.id)) {
            draft.refuse(Code::Invalid, "owner", "an objective it conflicts with has this owner");
            is_settled = false;
        }
        // One that stays because it was refused may stand in the way of another.
        if is_settled {
            return Ok(());
        }
    }
}
