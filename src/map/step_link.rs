//! Step links: without its LOOP links a journey has no circle.

use std::collections::HashSet;

use entity::{
    id::{self, JourneyId},
    step,
    step_link::{Column, Entity, FROM_ID, JOURNEY_ID, KIND, NOUN, StepLinkKind, TO_ID},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, prelude::Uuid};

use super::{graph::Graph, same_parent::require_same_parent};
use crate::{
    Result,
    error::Code,
    graphql::slice::Module,
    store::{
        Tx,
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
        child_of: Some(ChildOf { relation: "journey", position: None, most: 5_000 }),
        ..Hooks::NONE
    },
    ..Module::new(&NOUN)
};

/// A line that circles are looked for in.
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
    // The journeys are locked, for links are parts of them: nobody else closes a circle with what is read here.
    let known = Entity::find().filter(Column::JourneyId.is_in(journeys)).filter(Column::Kind.ne(StepLinkKind::Loop));
    let known: Vec<Line> = tx
        .all_unchecked(known)
        .await?
        .into_iter()
        .map(|row| Line { from: row.from_id.0, to: row.to_id.0, id: row.id.0 })
        .collect();
    // First all lines of the call leave: together they may be right although one after the other they are not. That
    // fails if the old place of a refused one has been taken from it; then they are judged one after the other.
    let circles = circles(&known, drafts, true).or_else(|| circles(&known, drafts, false)).unwrap_or_default();
    for (place, circle) in circles {
        let draft = &mut drafts[place];
        let field = if draft.gives(TO_ID) {
            "toRef"
        } else if draft.gives(FROM_ID) {
            "fromRef"
        } else {
            "kind"
        };
        let path: Vec<String> = circle.into_iter().map(|step| id::encode(step::NOUN.prefix, step)).collect();
        let message = format!("only a LOOP link may close a cycle: {}", path.join(" → "));
        draft.refuse(Code::Cycle, field, message);
    }
    Ok(())
}

/// Whether a draft may change which lines there are.
fn is_structural(draft: &Draft) -> bool {
    let changes = draft.gives(KIND) || draft.gives(FROM_ID) || draft.gives(TO_ID);
    draft.errors.is_empty() && (draft.is_new() || changes)
}

/// The line that a draft wants, unless it is a LOOP.
fn wanted(draft: &Draft) -> Option<Line> {
    let is_loop = draft.get(KIND) == Some(StepLinkKind::Loop);
    let (from, to) = draft.get(FROM_ID).zip(draft.get(TO_ID))?;
    (!is_loop).then_some(Line { from: from.0, to: to.0, id: draft.id })
}

/// The drafts that would close a circle, each with its steps. `None` if a refused one cannot stay what it was.
fn circles(known: &[Line], drafts: &[Draft], leaves_first: bool) -> Option<Vec<(usize, Vec<Uuid>)>> {
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
        let circle = line.and_then(|line| graph.circle(line.from, line.to));
        let stays = if circle.is_some() { before } else { line };
        refused.extend(circle.map(|circle| (place, circle)));
        if let Some(line) = stays {
            if leaves_first && before == Some(line) && graph.circle(line.from, line.to).is_some() {
                return None;
            }
            graph.add(line.from, line.to, line.id);
        }
    }
    Some(refused)
}
