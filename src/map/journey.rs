//! Journeys: a tree, with a status that follows what is done to them, and parts whose orders are set whole.

use entity::{
    Permission,
    id::{JourneyId, NounId, StageId, StepId},
    journey::{JourneyStatus, NOUN, PARENT_ID, STATUS},
    journey_edition,
};

use super::{copy::JOURNEY_COPY, edition, flow, sketch, stage as stage_slice, step as step_slice, tree::stay_a_tree};
use crate::{
    Result,
    graphql::{
        slice::{Done, Module, Mutation},
        typed::{
            fields::MutationFn,
            input::{IdOf, Input},
        },
    },
    store::{
        Tx,
        statement::{cell::Record, typed::assign},
        writing::{
            draft::{Draft, Outcome},
            write::{ChildOf, Hooks, NewRow},
        },
    },
};

/// The slice.
pub const SLICE: Module = Module {
    rules: Hooks {
        prepare: |tx, drafts| Box::pin(prepare(tx, drafts)),
        archiving: |tx, journey, is_archived| Box::pin(archiving(tx, journey, is_archived)),
        ..Hooks::NONE
    },
    mutations: &[
        Mutation {
            name: "journeyOrderStages",
            doc: "Sets the order of all stages of a journey at once.",
            permissions: &[Permission::MapWrite],
            run: &MutationFn::new(|tx, input| Box::pin(order_stages(tx, input))),
        },
        Mutation {
            name: "journeyOrderSteps",
            doc: "Sets the order of all steps of a journey at once.",
            permissions: &[Permission::MapWrite],
            run: &MutationFn::new(|tx, input| Box::pin(order_steps(tx, input))),
        },
        JOURNEY_COPY,
        edition::PUBLISH,
        sketch::QUICK,
        sketch::FROM_OUTLINE,
        sketch::APPLY,
        sketch::IMPORT,
    ],
    computed: flow::OF_JOURNEY,
    ..Module::new(&NOUN)
};

/// The new order of a journey's stages.
#[derive(Input)]
struct OrderStages {
    /// The journey.
    id: IdOf<JourneyId>,
    /// All its stages in the new order, without duplicates.
    stage_ids: Vec<IdOf<StageId>>,
    /// The version you read; the mutation fails with CONFLICT if the row has changed since.
    expected_version: Option<i64>,
}

/// The new order of a journey's steps.
#[derive(Input)]
struct OrderSteps {
    /// The journey.
    id: IdOf<JourneyId>,
    /// All its steps in the new order, without duplicates.
    step_ids: Vec<IdOf<StepId>>,
    /// The version you read; the mutation fails with CONFLICT if the row has changed since.
    expected_version: Option<i64>,
}

async fn prepare(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    for draft in drafts.iter_mut().filter(|draft| draft.is_new()) {
        draft.set(STATUS, JourneyStatus::Draft);
    }
    stay_a_tree(tx, drafts, PARENT_ID).await
}

/// Out of the archive, a journey is what it was: published, if it ever was.
async fn archiving(tx: &Tx, journey: &Record, is_archived: bool) -> Result<NewRow> {
    let status = if is_archived {
        JourneyStatus::Archived
    } else if tx.count_of(journey_edition::JOURNEY_ID, journey.id()).await? > 0 {
        JourneyStatus::Published
    } else {
        JourneyStatus::Draft
    };
    Ok(vec![assign(STATUS, status)])
}

async fn order_stages(tx: &Tx, input: &OrderStages) -> Result<Done> {
    let journey = (input.id, input.expected_version);
    order(tx, journey, &input.stage_ids, &stage_slice::PART_OF, ("stageIds", "stages")).await
}

async fn order_steps(tx: &Tx, input: &OrderSteps) -> Result<Done> {
    let journey = (input.id, input.expected_version);
    order(tx, journey, &input.step_ids, &step_slice::PART_OF, ("stepIds", "steps")).await
}

async fn order<T: NounId>(
    tx: &Tx,
    (id, version): (IdOf<JourneyId>, Option<i64>),
    wanted: &[IdOf<T>],
    child_of: &ChildOf,
    (argument, relation): (&'static str, &'static str),
) -> Result<Done> {
    let journey = match tx.lock_one(&NOUN, NOUN.write, id.uuid(), version).await? {
        Ok(journey) => journey,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    let id = journey.id();
    let wanted: Vec<_> = wanted.iter().map(IdOf::uuid).collect();
    Ok(match tx.order_parts((&NOUN, journey), T::NOUN, child_of, &wanted, (argument, relation)).await? {
        Ok(true) => Ok((id, Outcome::Updated)),
        Ok(false) => Ok((id, Outcome::Unchanged)),
        Err(mistake) => Err(vec![mistake]),
    })
}
