//! Editions: a journey is frozen by publishing it, and compared with others or with what it is now.

use entity::{
    Permission,
    event::EventOperation,
    expectation,
    id::{JourneyEditionId, JourneyId},
    influencer, interaction_point,
    journey::{self, JourneyStatus},
    journey_edition::{self, Column, DOCUMENT, Entity, ID, JOURNEY_ID, NUMBER, PUBLISHED_AT, PUBLISHED_BY},
    medium, stage, step, step_link,
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder,
    prelude::{ChronoUnixTimestampMillis, Uuid},
};
use serde_json::Value;

use super::diff::{Change, ChangeKind, changes};
use crate::{
    Error, Result, UserError,
    error::Code,
    graphql::{
        execution::snapshot::freeze,
        slice::{Done, Mutation, Query},
        typed::{
            fields::{MutationFn, QueryFn},
            input::{IdOf, Input, RefTo},
            output::Output,
        },
    },
    store::{
        Connection, Scope, Tx,
        statement::{cell::Cell, typed::assign},
        writing::{
            aggregate::Aggregate,
            draft::{Draft, Mode, Outcome, Target},
            write::Hooks,
        },
    },
};

/// Most rows of an edition.
const MAX_ROWS: usize = 10_000;
/// Longest document of an edition in bytes.
const MAX_BYTES: usize = 4 * 1024 * 1024;

static MEDIUM: Aggregate = Aggregate { noun: &medium::NOUN, parts: &[] };
static INFLUENCER: Aggregate = Aggregate { noun: &influencer::NOUN, parts: &[] };
static EXPECTATION: Aggregate = Aggregate { noun: &expectation::NOUN, parts: &[] };
static STAGE: Aggregate = Aggregate { noun: &stage::NOUN, parts: &[] };
static STEP_LINK: Aggregate = Aggregate { noun: &step_link::NOUN, parts: &[] };
static STEP: Aggregate = Aggregate { noun: &step::NOUN, parts: &[("point", Some(&POINT))] };

static POINT: Aggregate = Aggregate {
    noun: &interaction_point::NOUN,
    parts: &[("mediums", Some(&MEDIUM)), ("influencers", Some(&INFLUENCER)), ("expectations", Some(&EXPECTATION))],
};

/// What an edition holds.
pub(super) static JOURNEY: Aggregate = Aggregate {
    noun: &journey::NOUN,
    parts: &[("stages", Some(&STAGE)), ("steps", Some(&STEP)), ("links", Some(&STEP_LINK))],
};

/// The mutation that publishes.
pub(super) const PUBLISH: Mutation = Mutation {
    name: "journeyPublish",
    doc: "Publishes a journey as its next edition, a snapshot of its stages, steps, links, and points with their \
          mediums, influencers and expectations. The outcome is UNCHANGED if the latest edition is equal. Fails \
          with INVALID for an archived journey, with TOO_LONG above 10,000 rows or 4 MiB.",
    permissions: &[Permission::MapWrite, Permission::MapRead],
    run: &MutationFn::new(|tx, input| Box::pin(publish(tx, input))),
};

/// Which journey to publish.
#[derive(Input)]
pub(super) struct Publish {
    /// The journey.
    id: IdOf<JourneyId>,
    /// The version you read; the mutation fails with CONFLICT if the row has changed since.
    expected_version: Option<i64>,
}

/// The query that compares.
pub(super) const DIFF: Query = Query {
    name: "journeyDiff",
    doc: "Compares two editions of a journey, or an edition with its current state.",
    permissions: &[Permission::MapRead],
    run: &QueryFn::new(|scope, input| Box::pin(compare(scope, input))),
};

/// Which editions to compare.
#[derive(Input)]
pub(super) struct DiffArguments {
    /// The older edition.
    from: RefTo<JourneyEditionId>,
    /// The newer edition, of the same journey. Defaults to the current state of the journey.
    to: Option<RefTo<JourneyEditionId>>,
}

/// Changes between two states of a journey.
#[derive(Output)]
#[output(read = MapRead)]
pub(super) struct JourneyDiff {
    /// The journey.
    journey_id: JourneyId,
    /// The older edition.
    from_edition_id: JourneyEditionId,
    /// The newer edition; null for the current state of the journey.
    to_edition_id: Option<JourneyEditionId>,
    /// The changes: first of the journey, then of stages, steps, links and points.
    changes: Vec<JourneyChange>,
}

/// Change to an element between two editions.
#[derive(Output)]
#[output(read = MapRead)]
struct JourneyChange {
    /// Kind of change.
    kind: ChangeKind,
    /// Type of the element, for example Step.
    r#type: String,
    /// Id of the element, for `node`.
    element_id: String,
    /// Name of the element, if it has one.
    name: Option<String>,
    /// Names of the fields that differ; empty for added and removed elements.
    fields: Vec<String>,
}

/// The journey as it is now, or nothing if it is too large for an edition.
async fn current<C: Connection>(scope: &Scope<C>, journey: Uuid) -> Result<Option<Value>> {
    let loaded = scope.load_aggregate(&JOURNEY, &[journey], MAX_ROWS).await?;
    Ok((loaded.count() <= MAX_ROWS).then(|| freeze(&loaded)))
}

async fn publish(tx: &Tx, input: &Publish) -> Result<Done> {
    let noun = &journey::NOUN;
    let (id, version) = (input.id.uuid(), input.expected_version);
    let record = match tx.lock_one(noun, Permission::MapWrite, id, version).await? {
        Ok(record) => record,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    if record.get(journey::ARCHIVED_AT).is_some() {
        let message = "the journey is archived; restore it first";
        return Ok(Err(vec![UserError::new(Code::Invalid, "id", message)]));
    }
    let id = record.id();
    let latest = Entity::find().filter(Column::JourneyId.eq(id)).order_by_desc(Column::Number);
    let latest = tx.one(latest).await?;
    let was_published = record.get(journey::STATUS) == Some(JourneyStatus::Published);
    let (number, before) = latest.map_or((1, None), |edition| (edition.number + 1, Some(edition.document)));
    if was_published && before.is_some() && before == current(tx, id).await?.map(|document| document.to_string()) {
        return Ok(Ok((id, Outcome::Unchanged)));
    }
    // Written first: an edition says of its journey that it is published.
    let mut fields = vec!["editions"];
    if !was_published {
        fields.push("status");
    }
    let now = Cell::Int(tx.now().timestamp_millis());
    let changed = record.changed(&[assign(journey::STATUS, JourneyStatus::Published)], &now);
    tx.put(noun, vec![(changed, fields)], EventOperation::Updated).await?;
    let document = current(tx, id).await?.map(|document| document.to_string());
    let Some(document) = document.filter(|document| document.len() <= MAX_BYTES) else {
        return Ok(Err(vec![UserError::new(Code::TooLong, "id", "the journey is too large for an edition")]));
    };
    let mut draft = Draft::new(&journey_edition::NOUN, Target::New, Mode::CreateOnly);
    draft.set(NUMBER, number);
    draft.set(DOCUMENT, document);
    draft.set(PUBLISHED_AT, ChronoUnixTimestampMillis(tx.now()));
    draft.set(PUBLISHED_BY, tx.actor().subject.clone());
    draft.set(JOURNEY_ID, id);
    tx.write(&journey_edition::NOUN, &Hooks::NONE, &mut [draft], true).await?;
    Ok(Ok((id, Outcome::Updated)))
}

async fn compare(scope: &Scope, input: DiffArguments) -> Result<JourneyDiff> {
    let named = [Some(&input.from), input.to.as_ref()];
    let references = || named.iter().flatten().map(|named| &named.reference);
    let found = scope.references(&journey_edition::NOUN, references()).await?;
    let mut ids = Vec::new();
    for (name, reference) in ["from", "to"].iter().zip(references()) {
        let id = found.get(reference).copied();
        ids.push(id.ok_or_else(|| Error::BadInput(format!("{name}: no such {}", journey_edition::NOUN.name)))?);
    }
    let rows = scope.select((ID, JOURNEY_ID, DOCUMENT), ID, &ids, ids.len()).await?;
    let document = |id: Uuid| -> Result<(JourneyId, Value)> {
        let row = rows.iter().find(|(known, ..)| known.0 == id);
        let parsed = row.and_then(|(_, journey, document)| Some((*journey, serde_json::from_str(document).ok()?)));
        parsed.ok_or_else(|| Error::internal("an edition cannot be read"))
    };
    let (from, to) = (ids[0], ids.get(1).copied());
    let (journey_id, before) = document(from)?;
    let after = match to {
        None => current(scope, journey_id.0).await?,
        Some(to) => {
            let (other, after) = document(to)?;
            if other != journey_id {
                return Err(Error::BadInput("from and to must be editions of the same journey".to_owned()));
            }
            Some(after)
        }
    };
    let after = after.ok_or_else(|| Error::BadInput("the journey is too large to compare".to_owned()))?;
    let changes = move |_: &_| Ok(changes(&before, &after).into_iter().map(JourneyChange::from).collect());
    Ok(JourneyDiff {
        journey_id,
        from_edition_id: from.into(),
        to_edition_id: to.map(JourneyEditionId),
        changes: scope.compute(true, changes).await?,
    })
}

impl From<Change> for JourneyChange {
    fn from(Change { kind, noun, id, name, fields }: Change) -> Self {
        Self { kind, r#type: noun.name.to_owned(), element_id: id, name, fields }
    }
}
