//! Journeys: a tree, with a status that follows what is done to them, and parts whose orders are set whole.

use entity::{
    Permission,
    journey::{JourneyStatus, NOUN, PARENT_ID, STATUS},
    journey_edition,
    noun::{Noun, StringEnum},
    stage, step,
};

use super::{
    EXPECTED_VERSION, copy::JOURNEY_COPY, diagram, diff::ChangeKind, document, edition, flow, sketch,
    stage as stage_slice, step as step_slice, tree::stay_a_tree,
};
use crate::{
    Result,
    graphql::{
        mutation::input::{Input, text, wire_id},
        slice::{Argument, Done, Module, Mutation, Run},
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

const ID: Argument = Argument { name: "id", ty: "ID!", default: None, doc: "The journey." };

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
            input: &[
                ID,
                Argument {
                    name: "stageIds",
                    ty: "[ID!]!",
                    default: None,
                    doc: "All its stages in the new order, without duplicates.",
                },
                EXPECTED_VERSION,
            ],
            run: Run::Direct(|tx, input| {
                Box::pin(order(tx, input, &stage::NOUN, &stage_slice::PART_OF, ("stageIds", "stages")))
            }),
        },
        Mutation {
            name: "journeyOrderSteps",
            doc: "Sets the order of all steps of a journey at once.",
            permissions: &[Permission::MapWrite],
            input: &[
                ID,
                Argument {
                    name: "stepIds",
                    ty: "[ID!]!",
                    default: None,
                    doc: "All its steps in the new order, without duplicates.",
                },
                EXPECTED_VERSION,
            ],
            run: Run::Direct(|tx, input| {
                Box::pin(order(tx, input, &step::NOUN, &step_slice::PART_OF, ("stepIds", "steps")))
            }),
        },
        JOURNEY_COPY,
        edition::PUBLISH,
        sketch::QUICK,
        sketch::FROM_OUTLINE,
        sketch::APPLY,
        sketch::IMPORT,
    ],
    queries: &[edition::DIFF, document::EXPORT, sketch::TEMPLATES],
    computed: flow::OF_JOURNEY,
    objects: OBJECTS,
    inputs: &[diagram::OPTIONS_INPUT, sketch::INPUT],
    enums: &[ChangeKind::TYPE, diagram::ENUMS[0], diagram::ENUMS[1], sketch::KEYS],
    ..Module::new(&NOUN)
};

const OBJECTS: &[&Noun] = &[
    flow::OBJECTS[0],
    flow::OBJECTS[1],
    flow::OBJECTS[2],
    edition::OBJECTS[0],
    edition::OBJECTS[1],
    document::OBJECTS[0],
    sketch::OBJECTS[0],
    sketch::OBJECTS[1],
    sketch::OBJECTS[2],
];

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

async fn order(
    tx: &Tx,
    input: &Input<'_>,
    noun: &'static Noun,
    child_of: &ChildOf,
    (argument, relation): (&'static str, &'static str),
) -> Result<Done> {
    let (id, version) = (input.id("id", &NOUN)?, input.int("expectedVersion")?);
    let journey = match tx.lock_one(&NOUN, NOUN.write, id, version).await? {
        Ok(journey) => journey,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    let id = journey.id();
    let named = input.list(argument).into_iter();
    let wanted: Vec<_> = named.map(|value| text(value).and_then(|text| wire_id(noun.prefix, text))).collect();
    Ok(match tx.order_parts((&NOUN, journey), noun, child_of, &wanted, (argument, relation)).await? {
        Ok(true) => Ok((id, Outcome::Updated)),
        Ok(false) => Ok((id, Outcome::Unchanged)),
        Err(mistake) => Err(vec![mistake]),
    })
}
