//! Copy tests: variants of a message compared, and winners that other mediums have not seen.

use std::collections::{BTreeMap, HashMap, HashSet};

use async_graphql::Value;
use entity::{Noun, Permission, medium, message, message_variant};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, prelude::Uuid};

use super::{
    copy_types::{ARM, CANDIDATE, CANDIDATES, COMPARISON, COPY_TEST, UNTRIED},
    proportion::{CONFIDENCE, Estimate, Proportion},
};
use crate::{
    Error, Result,
    graphql::{
        mutation::input::Input,
        slice::{Argument, Computed, ComputedObject, Query, Resolved, ResolvedByRow, ReturnType},
    },
    store::{
        Scope,
        statement::{
            builder::Alias,
            cell::{Cell, CellKind},
            tenant_check::TenantCheck,
        },
    },
};

/// What is computed.
const DEFINITION: &str = "Difference of the proportions respondedCount / sentCount of two variants, with Newcombe's \
                          score interval (1998, method 10) made of the two Wilson score intervals.";
/// Most variants that are looked at for one answer.
const MAX_VARIANTS: usize = 100_000;
/// Most pairs of a message, or candidates, in one answer.
const MAX: i64 = 1_000;
/// How many when the caller does not say.
const DEFAULT: i64 = 100;

/// The objects of the answers.
pub const OBJECTS: &[&Noun] = &[&COPY_TEST, &COMPARISON, &ARM, &CANDIDATES, &CANDIDATE, &UNTRIED];

/// The fields of a message.
pub const OF_MESSAGE: &[Computed] = &[Computed {
    name: "copyTest",
    doc: "Pairwise comparison of its variants within each medium, without archived variants.",
    arguments: &[
        Argument {
            name: "acrossMediums",
            ty: "Boolean",
            default: Some("false"),
            doc: "Whether to compare variants of different mediums too. Their audiences may differ as much as their \
                  texts.",
        },
        Argument { name: "first", ty: "Int", default: Some("100"), doc: "Maximum number of pairs, 1 to 1,000." },
    ],
    shows: ReturnType::One(&COPY_TEST),
    run: |scope, input, ids| Box::pin(copy_tests(scope, input, ids)),
}];

/// The query.
pub const RECYCLE: Query = Query {
    name: "recycleCandidates",
    doc: "Lists message variants that won in their medium, with the mediums in which the message has not been tried.",
    arguments: &[
        Argument {
            name: "messageRef",
            ty: "MessageRef",
            default: None,
            doc: "Restricts the list to this message. \
            Defaults to all messages.",
        },
        Argument { name: "first", ty: "Int", default: Some("100"), doc: "Maximum number of candidates, 1 to 1,000." },
    ],
    answer: &CANDIDATES,
    permissions: &[Permission::MapRead],
    run: |scope, input| Box::pin(recycle(scope, input)),
};

/// A variant as it is counted.
#[derive(Clone, Debug)]
struct Variant {
    id: Uuid,
    message: Uuid,
    medium: Uuid,
    sent: i64,
    responded: i64,
    is_archived: bool,
}

impl Variant {
    const fn proportion(&self) -> Option<Proportion> {
        Proportion::new(self.responded, self.sent)
    }

    /// By how much it is better than another one; `None` where either was sent to nobody.
    fn minus(&self, other: &Self) -> Option<Estimate> {
        Some(self.proportion()?.minus(other.proportion()?))
    }

    fn beats(&self, other: &Self) -> bool {
        self.minus(other).is_some_and(|difference| difference.lower > 0.0)
    }
}

/// The variants of these messages, or of all, by age; those of each message.
async fn variants(scope: &Scope, messages: Option<&[Uuid]>) -> Result<BTreeMap<Uuid, Vec<Variant>>> {
    scope.may_read(&message_variant::NOUN)?;
    let mut sql = scope.sql();
    sql.push(
        "SELECT t.organization_id, t.id, t.message_id, t.medium_id, t.sent_count, t.responded_count, t.archived_at",
    );
    sql.push(" FROM message_variant AS t WHERE ");
    sql.filter_tenant(TenantCheck::Variants, Alias::ROW, message_variant::NOUN.tenant, scope.organization());
    if let Some(messages) = messages {
        sql.push(" AND ").is_one_of(Alias::ROW, "message_id", messages);
    }
    sql.push(" ORDER BY t.message_id, t.id LIMIT ").number(MAX_VARIANTS + 1);
    let kinds = [CellKind::Id, CellKind::Id, CellKind::Id, CellKind::Int, CellKind::Int, CellKind::Int];
    let rows = scope.read_rows(sql.finish(), &kinds).await?;
    if rows.len() > MAX_VARIANTS {
        return Err(Error::BadInput(format!("there are more than {MAX_VARIANTS} variants; name a message")));
    }
    let mut found: BTreeMap<Uuid, Vec<Variant>> = BTreeMap::new();
    for row in rows {
        if let [Cell::Id(id), Cell::Id(message), Cell::Id(medium), Cell::Int(sent), Cell::Int(responded), archived] =
            row.as_slice()
        {
            found.entry(*message).or_default().push(Variant {
                id: *id,
                message: *message,
                medium: *medium,
                sent: *sent,
                responded: *responded,
                is_archived: !archived.is_null(),
            });
        }
    }
    Ok(found)
}

/// How many the caller wants.
fn wanted(input: &Input) -> Result<usize> {
    let first = input.int("first")?.unwrap_or(DEFAULT);
    let first = usize::try_from(first).ok().filter(|_| (1..=MAX).contains(&first));
    first.ok_or_else(|| Error::BadInput(format!("first must be from 1 to {MAX}")))
}

async fn copy_tests(scope: &Scope, input: &Input<'_>, messages: &[Uuid]) -> Result<ResolvedByRow> {
    let is_across = input.get("acrossMediums") == Some(&Value::Boolean(true));
    let first = wanted(input)?;
    let mut found = variants(scope, Some(messages)).await?;
    let mut answers = ResolvedByRow::new();
    for message in messages {
        let mut variants = found.remove(message).unwrap_or_default();
        variants.retain(|variant| !variant.is_archived);
        let pairs = || {
            variants.iter().enumerate().flat_map(|(place, one)| {
                let others = variants[place + 1..].iter().filter(|other| is_across || other.medium == one.medium);
                others.map(move |other| (one, other))
            })
        };
        let comparisons = pairs().take(first).map(|(one, other)| compared(one, other)).collect();
        let cells = vec![
            ("comparison_count", Cell::Int(i64::try_from(pairs().count()).unwrap_or(i64::MAX))),
            ("measure", Cell::Text("copy_test".to_owned())),
            ("measure_version", Cell::Int(1)),
            ("definition", Cell::Text(DEFINITION.to_owned())),
            ("confidence", Cell::Float(CONFIDENCE)),
        ];
        let made = ComputedObject { cells, inside: vec![("comparisons", comparisons)] };
        answers.insert(*message, vec![Resolved::Object(made)]);
    }
    Ok(answers)
}

fn number(number: Option<f64>) -> Cell {
    number.map_or(Cell::Null, Cell::Float)
}

fn compared(one: &Variant, other: &Variant) -> ComputedObject {
    let difference = one.minus(other);
    let winner = if one.beats(other) {
        Cell::Id(one.id)
    } else if other.beats(one) {
        Cell::Id(other.id)
    } else {
        Cell::Null
    };
    ComputedObject {
        cells: vec![
            ("is_same_medium", Cell::Bool(one.medium == other.medium)),
            ("difference", number(difference.map(|found| found.value))),
            ("lower", number(difference.map(|found| found.lower))),
            ("upper", number(difference.map(|found| found.upper))),
            ("winner_id", winner),
        ],
        inside: vec![("one", vec![arm(one)]), ("other", vec![arm(other)])],
    }
}

fn arm(variant: &Variant) -> ComputedObject {
    let estimate = variant.proportion().map(Proportion::estimate);
    ComputedObject {
        cells: vec![
            ("variant_id", Cell::Id(variant.id)),
            ("medium_id", Cell::Id(variant.medium)),
            ("sent_count", Cell::Int(variant.sent)),
            ("responded_count", Cell::Int(variant.responded)),
            ("proportion", number(estimate.map(|found| found.value))),
            ("lower", number(estimate.map(|found| found.lower))),
            ("upper", number(estimate.map(|found| found.upper))),
        ],
        inside: Vec::new(),
    }
}

/// Those that are better than another one in their medium, and worse than none.
fn winners(variants: &[Variant]) -> impl Iterator<Item = &Variant> {
    let running = || variants.iter().filter(|variant| !variant.is_archived);
    running().filter(move |one| {
        let rivals = || running().filter(|other| other.medium == one.medium && other.id != one.id);
        rivals().any(|other| one.beats(other)) && !rivals().any(|other| other.beats(one))
    })
}

async fn recycle(scope: &Scope, input: &Input<'_>) -> Result<Resolved> {
    let first = wanted(input)?;
    let named = match input.present("messageRef") {
        None => None,
        Some(value) => {
            let reference = Input::reference("messageRef", value, &message::NOUN)?;
            let found = scope.references(&message::NOUN, std::iter::once(&reference)).await?;
            // One that is not there has no variants.
            Some(found.get(&reference).copied().unwrap_or_default())
        }
    };
    let found = variants(scope, named.as_ref().map(std::slice::from_ref)).await?;
    let mediums = open_mediums(scope).await?;
    let mut candidates: Vec<(&Variant, Vec<Uuid>)> = Vec::new();
    for variants in found.values() {
        let tried: HashSet<Uuid> = variants.iter().map(|variant| variant.medium).collect();
        let untried: Vec<Uuid> = mediums.iter().copied().filter(|medium| !tried.contains(medium)).collect();
        if !untried.is_empty() {
            candidates.extend(winners(variants).map(|winner| (winner, untried.clone())));
        }
    }
    let archived = archived(scope, &candidates).await?;
    candidates.retain(|(winner, _)| !archived.contains(&winner.message));
    let count = i64::try_from(candidates.len()).unwrap_or(i64::MAX);
    candidates.truncate(first);
    Ok(Resolved::Object(ComputedObject {
        cells: vec![("candidate_count", Cell::Int(count))],
        inside: vec![("nodes", candidates.into_iter().map(candidate).collect())],
    }))
}

/// Mediums that are no categories and not in the archive, by name.
async fn open_mediums(scope: &Scope) -> Result<Vec<Uuid>> {
    let open = medium::Entity::find().filter(medium::Column::ArchivedAt.is_null());
    let open = open.order_by_asc(medium::Column::Name).order_by_asc(medium::Column::Id);
    let mediums = scope.all(open).await?;
    let categories: HashSet<Uuid> =
        mediums.iter().filter_map(|medium| medium.parent_id).map(|parent| parent.0).collect();
    Ok(mediums.into_iter().map(|medium| medium.id.0).filter(|id| !categories.contains(id)).collect())
}

/// The messages of candidates that are in the archive.
async fn archived(scope: &Scope, candidates: &[(&Variant, Vec<Uuid>)]) -> Result<HashSet<Uuid>> {
    let mut ids: Vec<Uuid> = candidates.iter().map(|(winner, _)| winner.message).collect();
    ids.dedup();
    let rows = scope.select_by_ids((message::ID, message::ARCHIVED_AT), &ids).await?;
    let known: HashMap<Uuid, bool> = rows.into_iter().map(|(id, archived_at)| (id.0, archived_at.is_none())).collect();
    Ok(ids.into_iter().filter(|id| known.get(id) != Some(&true)).collect())
}

fn candidate((winner, untried): (&Variant, Vec<Uuid>)) -> ComputedObject {
    let medium = |id: Uuid| ComputedObject { cells: vec![("medium_id", Cell::Id(id))], inside: Vec::new() };
    ComputedObject {
        cells: vec![
            ("message_id", Cell::Id(winner.message)),
            ("winner_id", Cell::Id(winner.id)),
            ("medium_id", Cell::Id(winner.medium)),
            ("proportion", number(winner.proportion().map(|found| found.estimate().value))),
        ],
        inside: vec![("untried", untried.into_iter().map(medium).collect())],
    }
}
