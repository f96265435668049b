//! Step links: the links of a journey other than LOOP links must not form a cycle.

use std::collections::HashSet;

use entity::{
    id::{self, JourneyId},
    step,
    step_link::{Column, Entity, FROM_ID, JOURNEY_ID, KIND, NOUN, StepLinkKind, TO_ID},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, prelude::Uuid};

use super::graph::Graph;
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

/// GraphQL module of step links.
pub const SLICE: Module = Module {
    rules: Hooks {
        prepare: |tx, drafts| Box::pin(prepare(tx, drafts)),
        child_of: Some(ChildOf { relation: "journey", position: None, most: 5_000 }),
        ..Hooks::NONE
    },
    ..Module::new(&NOUN)
};

/// A link as an edge of the graph that is checked for cycles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Line {
    from: Uuid,
    to: Uuid,
    id: Uuid,
}

async fn prepare(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    require_same_parent(tx, drafts, JOURNEY_ID, (step::ID, step::JOURNEY_ID), [FROM_ID, TO_ID]).await?;
    let journeys: HashSet<JourneyId> =
        drafts.iter().filter(|draft| is_structural(draft)).filter_map(|draft| draft.get(JOURNEY_ID)).collect();
    if journeys.is_empty() {
        return Ok(());
    }
    // The journeys are locked because `child_of` names them, so no other transaction can change these links meanwhile.
    let known = Entity::find().filter(Column::JourneyId.is_in(journeys)).filter(Column::Kind.ne(StepLinkKind::Loop));
    let known: Vec<Line> = tx
        .all_unchecked(known)
        .await?
        .into_iter()
        .map(|row| Line { from: row.from_id.0, to: row.to_id.0, id: row.id.0 })
        .collect();
    // The first attempt removes the old edges of all drafts before it adds the new ones: a set of changes can be valid
    // as a whole although an intermediate state is not. If a refused draft cannot get its old edge back without a
    // cycle, the second attempt checks the drafts one after the other.
    let cycles = cycles(&known, drafts, true).or_else(|| cycles(&known, drafts, false)).unwrap_or_default();
    for (place, cycle) in cycles {
        let draft = &mut drafts[place];
        let field = if draft.gives(TO_ID) {
            "toRef"
        } else if draft.gives(FROM_ID) {
            "fromRef"
        } else {
            "kind"
        };
        let path: Vec<String> = cycle.into_iter().map(|step| id::encode(step::NOUN.prefix, step)).collect();
        let message = format!("only a LOOP link may close a cycle: {}", path.join(" → "));
        draft.refuse(Code::Cycle, field, message);
    }
    Ok(())
}

/// Returns whether a draft may change the edges of the graph.
fn is_structural(draft: &Draft) -> bool {
    let changes = draft.gives(KIND) || draft.gives(FROM_ID) || draft.gives(TO_ID);
    draft.errors.is_empty() && (draft.is_new() || changes)
}

/// Returns the edge that a draft adds, or `None` for a LOOP link.
fn wanted(draft: &Draft) -> Option<Line> {
    let is_loop = draft.get(KIND) == Some(StepLinkKind::Loop);
    let (from, to) = draft.get(FROM_ID).zip(draft.get(TO_ID))?;
    (!is_loop).then_some(Line { from: from.0, to: to.0, id: draft.id })
}

/// Returns the index of each draft that would close a cycle, with the steps of the cycle. `leaves_first` removes the
/// old edges of all drafts first; the result is then `None` if restoring the old edge of a refused draft, or keeping
/// that of an unchanged one, would close a cycle.
fn cycles(known: &[Line], drafts: &[Draft], leaves_first: bool) -> Option<Vec<(usize, Vec<Uuid>)>> {
    let old = |draft: &Draft| known.iter().find(|line| line.id == draft.id).copied();
    let mut graph = Graph::default();
    for line in known {
        graph.add(line.from, line.to, line.id);
    }
    let structural = || drafts.iter().enumerate().filter(|(_, draft)| is_structural(draft));
    if leaves_first {
        for line in structural().filter_map(|(_, draft)| old(draft)) {
            graph.remove(line.from, line.id);
        }
    }
    let mut refused = Vec::new();
    for (place, draft) in structural() {
        let before = old(draft);
        if let Some(line) = before {
            graph.remove(line.from, line.id);
        }
        let line = wanted(draft);
        let cycle = line.and_then(|line| graph.cycle(line.from, line.to));
        let stays = if cycle.is_some() { before } else { line };
        refused.extend(cycle.map(|cycle| (place, cycle)));
        if let Some(line) = stays {
            if leaves_first && before == Some(line) && graph.cycle(line.from, line.to).is_some() {
                return None;
            }
            graph.add(line.from, line.to, line.id);
        }
    }
    Some(refused)
}
