//! Journeys: nested as a tree; publishing creates an edition; mutations set the order of all stages or steps at once.

use entity::{
    Permission,
    id::{JourneyId, NounId, StageId, StepId},
    journey::{NOUN, PARENT_ID},
};

use super::{
    copy::JOURNEY_COPY, edition, flow, sketch, stage as stage_slice, step as step_slice, tree::refuse_circles,
};
use crate::{
    Result,
    graphql::{
        slice::{Done, Module, Mutation},
        typed::{
            fields::MutationFn,
            input::{Input, RefTo},
        },
    },
    store::{
        Tx,
        writing::{
            draft::{Draft, Outcome, Reference},
            write::{ChildOf, Hooks},
        },
    },
};

/// GraphQL module of journeys.
pub const SLICE: Module = Module {
    rules: Hooks {
        prepare: |tx, drafts| Box::pin(prepare(tx, drafts)),
        written: |tx, drafts| Box::pin(edition::publish(tx, drafts)),
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
    by: RefTo<JourneyId>,
    /// All its stages in the new order, without duplicates.
    stages: Vec<RefTo<StageId>>,
    /// The version you read; the mutation fails with CONFLICT if the row has changed since.
    expected_version: Option<i64>,
}

/// The new order of a journey's steps.
#[derive(Input)]
struct OrderSteps {
    /// The journey.
    by: RefTo<JourneyId>,
    /// All its steps in the new order, without duplicates.
    steps: Vec<RefTo<StepId>>,
    /// The version you read; the mutation fails with CONFLICT if the row has changed since.
    expected_version: Option<i64>,
}

async fn prepare(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    edition::compare_with_latest(tx, drafts).await?;
    refuse_circles(tx, drafts, PARENT_ID).await
}

async fn order_stages(tx: &Tx, input: &OrderStages) -> Result<Done> {
    let journey = (&input.by.reference, input.expected_version);
    order(tx, journey, &input.stages, &stage_slice::PART_OF, "stages").await
}

async fn order_steps(tx: &Tx, input: &OrderSteps) -> Result<Done> {
    let journey = (&input.by.reference, input.expected_version);
    order(tx, journey, &input.steps, &step_slice::PART_OF, "steps").await
}

async fn order<T: NounId>(
    tx: &Tx,
    (named, version): (&Reference, Option<i64>),
    wanted: &[RefTo<T>],
    child_of: &ChildOf,
    relation: &'static str,
) -> Result<Done> {
    let journey = match tx.lock_one(&NOUN, NOUN.write, named, version).await? {
        Ok(journey) => journey,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    let id = journey.id();
    let wanted: Vec<Reference> = wanted.iter().map(|known| known.reference.clone()).collect();
    let wanted = tx.row_ids(T::NOUN, &wanted).await?;
    Ok(match tx.order_parts((&NOUN, journey), T::NOUN, child_of, &wanted, relation).await? {
        Ok(true) => Ok((id, Outcome::Updated)),
        Ok(false) => Ok((id, Outcome::Unchanged)),
        Err(mistake) => Err(vec![mistake]),
    })
}
