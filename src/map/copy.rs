//! Mutations that copy journeys, steps and interaction points together with their dependent rows.

use entity::{
    Col, Permission, assumption, desired_result, expectation,
    id::{InteractionPointId, JourneyId, StepId},
    interaction_point, journey, objective, objective_conflict, stage, step, step_link,
};

use super::step as step_slice;
use crate::{
    Result,
    graphql::{
        mutation::draft::accepted,
        slice::{Done, Mutation},
        typed::{
            fields::MutationFn,
            input::{Input, RefTo},
        },
    },
    store::{
        Tx,
        statement::cell::{Column, Record, columns},
        writing::{
            aggregate::Aggregate,
            draft::{Draft, Mode, Outcome, Reference, Target},
        },
    },
};

/// Maximum number of rows in one copy.
const MAX: usize = 10_000;

static STAGE: Aggregate = Aggregate { noun: &stage::NOUN, parts: &[] };
static STEP: Aggregate = Aggregate { noun: &step::NOUN, parts: &[] };
static STEP_LINK: Aggregate = Aggregate { noun: &step_link::NOUN, parts: &[] };
static EXPECTATION: Aggregate = Aggregate { noun: &expectation::NOUN, parts: EVIDENCE };
static ASSUMPTION: Aggregate = Aggregate { noun: &assumption::NOUN, parts: EVIDENCE };
static OBJECTIVE: Aggregate = Aggregate { noun: &objective::NOUN, parts: EVIDENCE };
static CONFLICT: Aggregate = Aggregate { noun: &objective_conflict::NOUN, parts: &[] };
static DESIRED_RESULT: Aggregate = Aggregate { noun: &desired_result::NOUN, parts: EVIDENCE };

/// Evidence rows are not copied: the copied element links to the same evidence.
const EVIDENCE: &[(&str, Option<&Aggregate>)] = &[("evidence", None)];

static JOURNEY: Aggregate = Aggregate {
    noun: &journey::NOUN,
    parts: &[("stages", Some(&STAGE)), ("steps", Some(&STEP)), ("links", Some(&STEP_LINK))],
};

static NESTED: Aggregate = Aggregate {
    noun: &journey::NOUN,
    parts: &[
        ("stages", Some(&STAGE)),
        ("steps", Some(&STEP)),
        ("links", Some(&STEP_LINK)),
        ("children", Some(&NESTED)),
    ],
};

static POINT: Aggregate = Aggregate {
    noun: &interaction_point::NOUN,
    parts: &[
        ("mediums", None),
        ("influencers", None),
        ("offers", None),
        ("evidence", None),
        ("expectations", Some(&EXPECTATION)),
        ("assumptions", Some(&ASSUMPTION)),
        ("objectives", Some(&OBJECTIVE)),
        ("objectiveConflicts", Some(&CONFLICT)),
        ("desiredResults", Some(&DESIRED_RESULT)),
    ],
};

/// The mutation `journeyCopy`.
pub(super) const JOURNEY_COPY: Mutation = Mutation {
    name: "journeyCopy",
    doc: "Copies a journey with its stages, steps and links as a draft. The copy uses the same points; external ids \
          and editions are not copied. Fails with TOO_LONG above 10,000 rows.",
    permissions: &[Permission::MapWrite, Permission::MapRead],
    run: &MutationFn::new(|tx, input| Box::pin(copy_journey(tx, input))),
};

/// Which journey to copy, and how.
#[derive(Input)]
pub(super) struct JourneyCopy {
    /// The journey.
    by: RefTo<JourneyId>,
    /// Title of the copy. Defaults to the title of the original.
    title: Option<String>,
    /// Whether to copy nested journeys too.
    #[input(default)]
    includes_nested: bool,
    /// The version you read; the mutation fails with CONFLICT if the row has changed since.
    expected_version: Option<i64>,
}

/// The mutation `stepCopy`.
pub(super) const STEP_COPY: Mutation = Mutation {
    name: "stepCopy",
    doc: "Copies a step within its journey, without its links.",
    permissions: &[Permission::MapWrite, Permission::MapRead],
    run: &MutationFn::new(|tx, input| Box::pin(copy_step(tx, input))),
};

/// Which step to copy, and where to.
#[derive(Input)]
pub(super) struct StepCopy {
    /// The step.
    by: RefTo<StepId>,
    /// Position of the copy. Defaults to the position after the original.
    position: Option<i64>,
    /// The version you read; the mutation fails with CONFLICT if the row has changed since.
    expected_version: Option<i64>,
}

/// The mutation `interactionPointCopy`.
pub(super) const POINT_COPY: Mutation = Mutation {
    name: "interactionPointCopy",
    doc: "Copies an interaction point with its mediums, influencers, expectations, assumptions, objectives and their \
          conflicts, desired results, offers and evidence. Archived rows, external ids, feedback, messages, \
          review answers and the ranking history are not copied. Fails with TOO_LONG above 10,000 rows.",
    permissions: &[Permission::MapWrite, Permission::MapRead],
    run: &MutationFn::new(|tx, input| Box::pin(copy_point(tx, input))),
};

/// Which interaction point to copy.
#[derive(Input)]
pub(super) struct PointCopy {
    /// The interaction point.
    by: RefTo<InteractionPointId>,
    /// Name of the copy. Defaults to the name of the original.
    name: Option<String>,
    /// The version you read; the mutation fails with CONFLICT if the row has changed since.
    expected_version: Option<i64>,
}

async fn copy_journey(tx: &Tx, input: &JourneyCopy) -> Result<Done> {
    let whole = if input.includes_nested { &NESTED } else { &JOURNEY };
    let original = (&input.by.reference, input.expected_version);
    copy(tx, whole, original, (journey::TITLE, input.title.as_deref())).await
}

async fn copy_point(tx: &Tx, input: &PointCopy) -> Result<Done> {
    let original = (&input.by.reference, input.expected_version);
    let name = (interaction_point::NAME, input.name.as_deref());
    let done = copy(tx, &POINT, original, name).await?;
    if let Ok((copy, _)) = &done {
        super::expectation::record_initial(tx, *copy).await?;
    }
    Ok(done)
}

/// Copies a row and its dependent rows. `name`, if given, replaces the value of `column` in the copied root row.
async fn copy(
    tx: &Tx,
    whole: &'static Aggregate,
    (named, version): (&Reference, Option<i64>),
    (column, name): (Col<String>, Option<&str>),
) -> Result<Done> {
    let noun = whole.noun;
    let name = match name.map(|name| accepted(column, name)).transpose()?.transpose() {
        Ok(name) => name,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    let root = match tx.lock_one(noun, noun.write, named, version).await? {
        Ok(record) => record.id(),
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    let adjust = |record: &Record| name.clone().filter(|_| record.id() == root);
    Ok(match tx.copy(whole, root, MAX, adjust).await? {
        Ok(id) => Ok((id, Outcome::Created)),
        Err(mistake) => Err(vec![mistake]),
    })
}

async fn copy_step(tx: &Tx, input: &StepCopy) -> Result<Done> {
    let (noun, rules) = (&step::NOUN, &step_slice::RULES);
    let place = input.position.map(|place| accepted(step::POSITION, place)).transpose()?.transpose();
    let place = match place {
        Ok(place) => place,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    let (id, version) = (tx.named_row(noun, &input.by.reference).await?, input.expected_version);
    tx.lock_parent(noun, rules.child_of.as_ref(), id).await?;
    let original = match tx.lock_one(noun, noun.write, &Reference::Id(id), version).await? {
        Ok(record) => record,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    let mut draft = Draft::new(noun, Target::New, Mode::CreateOnly);
    let own = |column: &Column| noun.system.iter().all(|field| field.column != column.name);
    for column in columns(noun).into_iter().filter(own) {
        draft.set_cell(column.name, original.cell(column.name).clone());
    }
    match place {
        Some((column, place)) => draft.set_cell(column.name, place),
        None => draft.set(step::POSITION, original.get(step::POSITION).unwrap_or_default() + 1),
    }
    let written = tx.write(noun, rules, &mut [draft], true).await?.remove(0);
    Ok(match written.id {
        Some(id) if written.errors.is_empty() => Ok((id, Outcome::Created)),
        _ => Err(written.errors),
    })
}
