//! Editions: a journey is frozen by publishing it, and compared with others or with what it is now.

use entity::{
    Permission,
    event::EventOperation,
    expectation, influencer, interaction_point,
    journey::{self, JourneyStatus},
    journey_edition::{self, Column, DOCUMENT, Entity, ID, JOURNEY_ID, NUMBER, PUBLISHED_AT, PUBLISHED_BY},
    medium,
    noun::{Field, Kind, Link, Noun, Relationship, StringEnum, Writable},
    stage, step, step_link,
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    prelude::{ChronoUnixTimestampMillis, Uuid},
};
use serde_json::Value;

use super::{
    EXPECTED_VERSION,
    diff::{Change, ChangeKind, changes},
};
use crate::{
    Error, Result, UserError,
    error::Code,
    graphql::{
        execution::snapshot::freeze,
        mutation::input::Input,
        slice::{Argument, ComputedObject, Done, Mutation, Query, Resolved, Run},
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
    input: &[Argument { name: "id", ty: "ID!", default: None, doc: "The journey." }, EXPECTED_VERSION],
    run: Run::Direct(|tx, input| Box::pin(publish(tx, input))),
};

/// The query that compares.
pub(super) const DIFF: Query = Query {
    name: "journeyDiff",
    doc: "Compares two editions of a journey, or an edition with its current state.",
    arguments: &[
        Argument { name: "from", ty: "JourneyEditionRef!", default: None, doc: "The older edition." },
        Argument {
            name: "to",
            ty: "JourneyEditionRef",
            default: None,
            doc: "The newer edition, of the same journey. Defaults to the current state of the journey.",
        },
    ],
    answer: &DIFFERENCE,
    permissions: &[Permission::MapRead],
    run: |scope, input| Box::pin(compare(scope, input)),
};

/// The objects of the answer.
pub(super) const OBJECTS: &[&Noun] = &[&DIFFERENCE, &CHANGE];

static DIFFERENCE: Noun = Noun {
    name: "JourneyDiff",
    singular: "journeyDiff",
    plural: "journeyDiffs",
    table: "",
    prefix: "",
    doc: "Changes between two states of a journey.",
    tenant: "",
    system: &[],
    read: Some(Permission::MapRead),
    write: Permission::MapWrite,
    fields: &[],
    relations: &[
        Relationship {
            name: "journey",
            target: &journey::NOUN,
            link: Link::One { column: "journey_id", is_nullable: false, writable: Writable::Never },
            doc: "The journey.",
        },
        Relationship {
            name: "fromEdition",
            target: &journey_edition::NOUN,
            link: Link::One { column: "from_id", is_nullable: false, writable: Writable::Never },
            doc: "The older edition.",
        },
        Relationship {
            name: "toEdition",
            target: &journey_edition::NOUN,
            link: Link::One { column: "to_id", is_nullable: true, writable: Writable::Never },
            doc: "The newer edition; null for the current state of the journey.",
        },
        Relationship {
            name: "changes",
            target: &CHANGE,
            link: Link::Embedded { is_list: true },
            doc: "The changes: first of the journey, then of stages, steps, links and points.",
        },
    ],
    operations: &[],
    has_external_ids: false,
};

static CHANGE: Noun = Noun {
    name: "JourneyChange",
    singular: "journeyChange",
    plural: "journeyChanges",
    table: "",
    prefix: "",
    doc: "Change to an element between two editions.",
    tenant: "",
    system: &[],
    read: Some(Permission::MapRead),
    write: Permission::MapWrite,
    fields: &[
        Field::new("kind", "kind", Kind::Enum(ChangeKind::TYPE), "Kind of change."),
        Field::new("type", "type", Kind::Text { max: 64 }, "Type of the element, for example Step."),
        Field::new("elementId", "element_id", Kind::Text { max: 64 }, "Id of the element, for `node`."),
        Field::new("name", "name", Kind::Text { max: 2_000 }, "Name of the element, if it has one.").nullable(),
        Field::new(
            "fields",
            "fields",
            Kind::Names,
            "Names of the fields that differ; empty for added and removed elements.",
        ),
    ],
    relations: &[],
    operations: &[],
    has_external_ids: false,
};

/// The journey as it is now, or nothing if it is too large for an edition.
async fn current<C: Connection>(scope: &Scope<C>, journey: Uuid) -> Result<Option<Value>> {
    let loaded = scope.load_aggregate(&JOURNEY, &[journey], MAX_ROWS).await?;
    Ok((loaded.count() <= MAX_ROWS).then(|| freeze(&loaded)))
}

async fn publish(tx: &Tx, input: &Input<'_>) -> Result<Done> {
    let noun = &journey::NOUN;
    let (id, version) = (input.id("id", noun)?, input.int("expectedVersion")?);
    let record = match tx.lock_one(noun, Permission::MapWrite, id, version).await? {
        Ok(record) => record,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    if record.get(journey::ARCHIVED_AT).is_some() {
        let message = "the journey is archived; restore it first";
        return Ok(Err(vec![UserError::new(Code::Invalid, "id", message)]));
    }
    let id = record.id();
    let latest = Entity::find().filter(Column::JourneyId.eq(id)).order_by_desc(Column::Number).limit(1);
    let latest = tx.all(latest).await?.pop();
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

async fn compare(scope: &Scope, input: &Input<'_>) -> Result<Resolved> {
    let noun = &journey_edition::NOUN;
    let (mut named, mut references) = (Vec::new(), Vec::new());
    for name in ["from", "to"] {
        if let Some(value) = input.present(name) {
            named.push(name);
            references.push(Input::reference(name, value, noun)?);
        }
    }
    let found = scope.references(noun, references.iter()).await?;
    let mut ids = Vec::new();
    for (name, reference) in named.iter().zip(&references) {
        let id = found.get(reference).copied();
        ids.push(id.ok_or_else(|| Error::BadInput(format!("{name}: no such {}", noun.name)))?);
    }
    let rows = scope.select((ID, JOURNEY_ID, DOCUMENT), ID, &ids, ids.len()).await?;
    let document = |id: Uuid| -> Result<(Uuid, Value)> {
        let row = rows.iter().find(|(known, ..)| known.0 == id);
        let parsed = row.and_then(|(_, journey, document)| Some((journey.0, serde_json::from_str(document).ok()?)));
        parsed.ok_or_else(|| Error::internal("an edition cannot be read"))
    };
    let from = ids.first().copied().ok_or_else(|| Error::BadInput("from is required".to_owned()))?;
    let (journey, before) = document(from)?;
    let to = ids.get(1).copied();
    let after = match to {
        None => current(scope, journey).await?,
        Some(to) => {
            let (other, after) = document(to)?;
            if other != journey {
                return Err(Error::BadInput("from and to must be editions of the same journey".to_owned()));
            }
            Some(after)
        }
    };
    let after = after.ok_or_else(|| Error::BadInput("the journey is too large to compare".to_owned()))?;
    let changes = scope.compute(true, move |_| Ok(changes(&before, &after).iter().map(made).collect())).await?;
    Ok(Resolved::Object(ComputedObject {
        cells: vec![
            ("journey_id", Cell::Id(journey)),
            ("from_id", Cell::Id(from)),
            ("to_id", to.map_or(Cell::Null, Cell::Id)),
        ],
        inside: vec![("changes", changes)],
    }))
}

fn made(change: &Change) -> ComputedObject {
    let text = |text: &str| Cell::Text(text.to_owned());
    ComputedObject {
        cells: vec![
            ("kind", text(change.kind.name())),
            ("type", text(change.noun.name)),
            ("element_id", text(&change.id)),
            ("name", change.name.as_deref().map_or(Cell::Null, text)),
            ("fields", Cell::Text(serde_json::json!(change.fields).to_string())),
        ],
        inside: Vec::new(),
    }
}
