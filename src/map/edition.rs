//! Editions: publishing a journey stores a snapshot of it, which `journeyDiff` compares with another edition or with
//! the current state.

use entity::{
    Permission, expectation,
    id::{JourneyEditionId, JourneyId},
    influencer, interaction_point,
    journey::{self, JourneyStatus, STATUS, Transition},
    journey_edition::{self, Column, DOCUMENT, Entity, ID, JOURNEY_ID, Model, NUMBER, PUBLISHED_AT, PUBLISHED_BY},
    medium, stage, step, step_link,
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder,
    prelude::{ChronoUnixTimestampMillis, Uuid},
};
use serde_json::Value;

use super::diff::{Change, ChangeKind, changes};
use crate::{
    Error, Result,
    error::Code,
    graphql::{
        execution::snapshot::freeze,
        slice::Query,
        typed::{
            fields::QueryFn,
            input::{Input, RefTo},
            output::Output,
        },
    },
    store::{
        Connection, Scope, Tx,
        writing::{
            aggregate::Aggregate,
            draft::{Draft, Mode, Target},
            write::Hooks,
        },
    },
};

/// Maximum number of rows in an edition.
const MAX_ROWS: usize = 10_000;
/// Maximum length of an edition's document in bytes.
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

/// The rows that an edition contains.
pub(super) static JOURNEY: Aggregate = Aggregate {
    noun: &journey::NOUN,
    parts: &[("stages", Some(&STAGE)), ("steps", Some(&STEP)), ("links", Some(&STEP_LINK))],
};

/// The query `journeyDiff`.
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

/// Returns the document of the journey's current state, or `None` if the journey has more than [`MAX_ROWS`] rows.
async fn current<C: Connection>(scope: &Scope<C>, journey: Uuid) -> Result<Option<Value>> {
    let loaded = scope.load_aggregate(&JOURNEY, &[journey], MAX_ROWS).await?;
    Ok((loaded.count() <= MAX_ROWS).then(|| freeze(&loaded)))
}

/// Cancels the transition of drafts that publish an already published journey without changes since its last edition.
pub(super) async fn compare_with_latest(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    for draft in drafts.iter_mut().filter(|draft| draft.does(Transition::Publish)) {
        let was_published =
            draft.current.as_ref().is_some_and(|journey| journey.get(STATUS) == Some(JourneyStatus::Published));
        let before = if was_published { latest(tx, draft.id).await?.map(|edition| edition.document) } else { None };
        if before.is_some() && before == current(tx, draft.id).await?.map(|now| now.to_string()) {
            draft.transition = None;
        } else {
            draft.changed_relations.push("editions");
        }
    }
    Ok(())
}

async fn latest(tx: &Tx, journey: Uuid) -> Result<Option<Model>> {
    tx.one(Entity::find().filter(Column::JourneyId.eq(journey)).order_by_desc(Column::Number)).await
}

/// Creates an edition of each journey that a draft publishes. Runs after the journeys are stored, so that the edition
/// contains the status `PUBLISHED`.
pub(super) async fn publish(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    for journey in drafts.iter_mut().filter(|draft| draft.does(Transition::Publish)) {
        let document = current(tx, journey.id).await?.map(|document| document.to_string());
        let Some(document) = document.filter(|document| document.len() <= MAX_BYTES) else {
            journey.refuse(Code::TooLong, "by", "the journey is too large for an edition");
            continue;
        };
        let mut draft = Draft::new(&journey_edition::NOUN, Target::New, Mode::CreateOnly);
        draft.set(NUMBER, latest(tx, journey.id).await?.map_or(1, |edition| edition.number + 1));
        draft.set(DOCUMENT, document);
        draft.set(PUBLISHED_AT, ChronoUnixTimestampMillis(tx.now()));
        draft.set(PUBLISHED_BY, tx.actor().subject.clone());
        draft.set(JOURNEY_ID, journey.id);
        tx.write(&journey_edition::NOUN, &Hooks::NONE, &mut [draft], true).await?;
    }
    Ok(())
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
