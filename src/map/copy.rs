//! Copies of journeys, steps and interaction points, with what belongs to them.

use entity::{
    Noun, Permission, assumption, desired_result, expectation, interaction_point,
    journey::{self, JourneyStatus},
    objective, objective_conflict, stage, step, step_link,
};

use super::{EXPECTED_VERSION, step as step_slice};
use crate::{
    Error, Result, UserError,
    graphql::{
        mutation::input::{Input, accept},
        slice::{Argument, Done, Mutation, Run},
    },
    store::{
        Tx,
        statement::{
            cell::{Cell, Column, Record, columns},
            typed::assign,
        },
        writing::{
            aggregate::Aggregate,
            draft::{Draft, Mode, Outcome, Target},
            write::NewRow,
        },
    },
};

/// Most rows of one copy.
const MAX: usize = 10_000;

static STAGE: Aggregate = Aggregate { noun: &stage::NOUN, parts: &[] };
static STEP: Aggregate = Aggregate { noun: &step::NOUN, parts: &[] };
static STEP_LINK: Aggregate = Aggregate { noun: &step_link::NOUN, parts: &[] };
static EXPECTATION: Aggregate = Aggregate { noun: &expectation::NOUN, parts: EVIDENCE };
static ASSUMPTION: Aggregate = Aggregate { noun: &assumption::NOUN, parts: EVIDENCE };
static OBJECTIVE: Aggregate = Aggregate { noun: &objective::NOUN, parts: EVIDENCE };
static CONFLICT: Aggregate = Aggregate { noun: &objective_conflict::NOUN, parts: &[] };
static DESIRED_RESULT: Aggregate = Aggregate { noun: &desired_result::NOUN, parts: EVIDENCE };

/// The evidence behind an element stays where it is, and stands behind the copy, too.
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

/// The mutation that copies a journey.
pub(super) const JOURNEY_COPY: Mutation = Mutation {
    name: "journeyCopy",
    doc: "Copies a journey with its stages, steps and links as a draft. The copy uses the same points; external ids \
          and editions are not copied. Fails with TOO_LONG above 10,000 rows.",
    permissions: &[Permission::MapWrite, Permission::MapRead],
    input: &[
        Argument { name: "id", ty: "ID!", default: None, doc: "The journey." },
        Argument {
            name: "title",
            ty: "String",
            default: None,
            doc: "Title of the copy. Defaults to the title of the original.",
        },
        Argument {
            name: "includesNested",
            ty: "Boolean",
            default: Some("false"),
            doc: "Whether to copy nested journeys too.",
        },
        EXPECTED_VERSION,
    ],
    run: Run::Direct(|tx, input| Box::pin(copy_journey(tx, input))),
};

/// The mutation that copies a step.
pub(super) const STEP_COPY: Mutation = Mutation {
    name: "stepCopy",
    doc: "Copies a step within its journey, without its links.",
    permissions: &[Permission::MapWrite, Permission::MapRead],
    input: &[
        Argument { name: "id", ty: "ID!", default: None, doc: "The step." },
        Argument {
            name: "position",
            ty: "Int",
            default: None,
            doc: "Position of the copy. Defaults to the position after the original.",
        },
        EXPECTED_VERSION,
    ],
    run: Run::Direct(|tx, input| Box::pin(copy_step(tx, input))),
};

/// The mutation that copies an interaction point.
pub(super) const POINT_COPY: Mutation = Mutation {
    name: "interactionPointCopy",
    doc: "Copies an interaction point with its mediums, influencers, expectations, assumptions, objectives and their \
          conflicts, desired results, offers and evidence. Archived rows, external ids, feedback, messages, \
          review answers and the ranking history are not copied. Fails with TOO_LONG above 10,000 rows.",
    permissions: &[Permission::MapWrite, Permission::MapRead],
    input: &[
        Argument { name: "id", ty: "ID!", default: None, doc: "The interaction point." },
        Argument {
            name: "name",
            ty: "String",
            default: None,
            doc: "Name of the copy. Defaults to the name of the original.",
        },
        EXPECTED_VERSION,
    ],
    run: Run::Direct(|tx, input| Box::pin(copy_point(tx, input))),
};

async fn copy_journey(tx: &Tx, input: &Input<'_>) -> Result<Done> {
    let includes_nested = input.get("includesNested") == Some(&async_graphql::Value::Boolean(true));
    copy(tx, input, if includes_nested { &NESTED } else { &JOURNEY }, "title", |noun| {
        let is_journey = noun.table == journey::NOUN.table;
        if is_journey { vec![assign(journey::STATUS, JourneyStatus::Draft)] } else { Vec::new() }
    })
    .await
}

async fn copy_point(tx: &Tx, input: &Input<'_>) -> Result<Done> {
    let done = copy(tx, input, &POINT, "name", |_| Vec::new()).await?;
    if let Ok((copy, _)) = &done {
        super::expectation::record_initial(tx, *copy).await?;
    }
    Ok(done)
}

/// Copies a row and what belongs to it, the row under the name of the input field `named`, if it is given.
async fn copy(
    tx: &Tx,
    input: &Input<'_>,
    whole: &'static Aggregate,
    named: &str,
    adjust: impl Fn(&'static Noun) -> NewRow,
) -> Result<Done> {
    let noun = whole.noun;
    let name = match new_value(input, noun, named)? {
        Ok(name) => name,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    let (id, version) = (input.id("id", noun)?, input.int("expectedVersion")?);
    let root = match tx.lock_one(noun, noun.write, id, version).await? {
        Ok(record) => record.id(),
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    let adjust = |noun: &'static Noun, record: &Record| {
        let mut values = adjust(noun);
        values.extend(name.clone().filter(|_| record.id() == root));
        values
    };
    Ok(match tx.copy(whole, root, MAX, adjust).await? {
        Ok(id) => Ok((id, Outcome::Created)),
        Err(mistake) => Err(vec![mistake]),
    })
}

/// A value of the input for a column of the noun.
fn new_value(
    input: &Input,
    noun: &'static Noun,
    name: &str,
) -> Result<std::result::Result<Option<(Column, Cell)>, UserError>> {
    let Some(value) = input.present(name) else { return Ok(Ok(None)) };
    let field = noun.field(name).ok_or_else(|| Error::internal("a copy's input names a field of its noun"))?;
    Ok(accept(field, value)?.map(|cell| Some((Column::of(field), cell))))
}

async fn copy_step(tx: &Tx, input: &Input<'_>) -> Result<Done> {
    let (noun, rules) = (&step::NOUN, &step_slice::RULES);
    let place = match new_value(input, noun, "position")? {
        Ok(place) => place,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    let (id, version) = (input.id("id", noun)?, input.int("expectedVersion")?);
    tx.lock_parent(noun, rules.child_of.as_ref(), id).await?;
    let original = match tx.lock_one(noun, noun.write, id, version).await? {
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
