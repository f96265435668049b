//! Expectations: one mutation replaces the top five of a point, and a ranking history records every change.

use std::collections::{BTreeMap, HashMap, HashSet};

use entity::{
    Permission,
    event::EventOperation,
    expectation::{self, Column, Entity, Model, NOUN, POINT_ID, STATEMENT},
    expectation_ranking,
    id::{self, ExpectationId, InteractionPointId},
    interaction_point,
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder,
    prelude::{ChronoUnixTimestampMillis, Uuid},
};
use serde_json::json;

use super::evidence::backed;
use crate::{
    Error, Result, UserError,
    error::Code,
    graphql::{
        slice::{Computed, Done, Module, Mutation},
        typed::{
            fields::{ByRow, ComputedFn, MutationFn},
            input::{Input, RefTo},
            output::Output,
        },
    },
    store::{
        Scope, Tx,
        statement::{
            cell::{Cell, Record},
            typed::assign,
        },
        writing::{
            draft::{Outcome, Reference},
            write::Hooks,
        },
    },
};

/// GraphQL module of expectations.
pub const SLICE: Module = Module {
    rules: Hooks { deleted: |tx, expectations| Box::pin(record_removal(tx, expectations)), ..Hooks::NONE },
    ..backed::<Entity>()
};

/// Computed field of interaction points.
pub(super) const TOP_EXPECTATIONS: Computed = Computed {
    name: "topExpectations",
    doc: "The top five: the ranked expectations that are not archived, most important first. Fewer if fewer are ranked.",
    run: &ComputedFn::new(|scope, (), ids| Box::pin(top(scope, ids))),
};

/// A ranked expectation of an interaction point.
#[derive(Output)]
#[output(read = MapRead)]
struct TopExpectation {
    /// Rank, 1 for the most important, to 5.
    rank: i64,
    /// The expectation.
    expectation: ExpectationId,
}

async fn top(scope: &Scope, points: &[Uuid]) -> Result<ByRow<Vec<TopExpectation>>> {
    let of_points = Entity::find().filter(Column::PointId.is_in(points.iter().copied()));
    let active = of_points.filter(Column::ArchivedAt.is_null());
    let ranked = active.filter(Column::Rank.is_not_null()).order_by_asc(Column::Rank);
    let mut tops: ByRow<Vec<TopExpectation>> = HashMap::new();
    for row in scope.all(ranked).await? {
        let Some(rank) = row.rank else { continue };
        tops.entry(row.point_id.0).or_default().push(TopExpectation { rank, expectation: row.id });
    }
    Ok(tops)
}

/// Maximum number of ranked expectations of a point.
const TOP: usize = 5;

/// The mutation `interactionPointRankExpectations`.
pub(super) const RANK: Mutation = Mutation {
    name: "interactionPointRankExpectations",
    doc: "Replaces the top five expectations of an interaction point, in this order; all other expectations lose \
          their rank.",
    permissions: &[Permission::MapWrite],
    run: &MutationFn::new(|tx, input| Box::pin(rank(tx, input))),
};

/// The new top five of a point.
#[derive(Input)]
pub(super) struct RankInput {
    /// The interaction point.
    by: RefTo<InteractionPointId>,
    /// Up to five expectations of the point, most important first.
    #[input(most = TOP)]
    expectations: Vec<RefTo<ExpectationId>>,
    /// The version you read; the mutation fails with CONFLICT if the row has changed since.
    expected_version: Option<i64>,
}

async fn rank(tx: &Tx, input: &RankInput) -> Result<Done> {
    let point_noun = &interaction_point::NOUN;
    let (named, version) = (&input.by.reference, input.expected_version);
    let point = match tx.lock_one(point_noun, Permission::MapWrite, named, version).await? {
        Ok(point) => point,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    let rows = tx.all_unchecked(Entity::find().filter(Column::PointId.eq(point.id()))).await?;
    let mut wanted_order: Vec<Uuid> = Vec::new();
    let wanted: Vec<Reference> = input.expectations.iter().map(|known| known.reference.clone()).collect();
    for (index, id) in tx.row_ids(&NOUN, &wanted).await?.into_iter().enumerate() {
        let code = match id {
            Some(id) if wanted_order.contains(&id) => Code::Invalid,
            Some(id) if rows.iter().any(|row| row.id.0 == id) => {
                wanted_order.push(id);
                continue;
            }
            _ => Code::NotFound,
        };
        let message = if code == Code::Invalid { "duplicate entry" } else { "not an expectation of this point" };
        let path = vec!["expectations".to_owned(), index.to_string()];
        return Ok(Err(vec![UserError { code, message: message.to_owned(), path }]));
    }
    let point = point.id();
    let ranks = Ranks::from([(point, wanted_order.into_iter().zip(1..).collect())]);
    let (changed, _) = set_ranks(tx, &ranks).await?;
    Ok(Ok((point, if changed.is_empty() { Outcome::Unchanged } else { Outcome::Updated })))
}

/// Top fives by point id: the rank of each ranked expectation by its id.
pub(super) type Ranks = HashMap<Uuid, HashMap<Uuid, i64>>;

/// Replaces the top five of each point in `ranks`, and records the changes in the ranking history. Returns the ids of
/// the changed points and of the changed expectations. [`Error::Collision`] if an expectation was deleted concurrently.
pub(super) async fn set_ranks(tx: &Tx, ranks: &Ranks) -> Result<(HashSet<Uuid>, HashSet<Uuid>)> {
    let (mut points, mut changing) = (HashSet::new(), HashSet::new());
    if ranks.is_empty() {
        return Ok((points, changing));
    }
    let mut owners = tx.lock(&interaction_point::NOUN, &ranks.keys().copied().collect::<Vec<_>>()).await?;
    let rank = |point: Uuid, id: Uuid| ranks.get(&point).and_then(|top| top.get(&id)).copied();
    let rows = tx.all_unchecked(Entity::find().filter(Column::PointId.is_in(owners.keys().copied()))).await?;
    for row in rows.iter().filter(|row| row.rank != rank(row.point_id.0, row.id.0)) {
        points.insert(row.point_id.0);
        changing.insert(row.id.0);
    }
    if changing.is_empty() {
        return Ok((points, changing));
    }
    let is_involved = |row: &&Model| {
        points.contains(&row.point_id.0) && (row.rank.is_some() || rank(row.point_id.0, row.id.0).is_some())
    };
    // The history records the whole top five before and after, so expectations that keep their rank are locked too.
    let involved: Vec<Uuid> = rows.iter().filter(is_involved).map(|row| row.id.0).collect();
    let records = tx.lock(&NOUN, &involved).await?;
    if records.len() < involved.len() {
        // An expectation was deleted between the read and the lock.
        return Err(Error::Collision);
    }
    let point_of = |record: &Record| record.get(POINT_ID).map(Uuid::from).unwrap_or_default();
    let history: Vec<(Uuid, Vec<Ranked>, Vec<Ranked>)> = points
        .iter()
        .map(|point| {
            let of_it = || records.values().filter(|record| point_of(record) == *point);
            let after = of_it().filter_map(|record| Ranked::at(record, rank(*point, record.id())?));
            (*point, ranked(of_it().filter_map(Ranked::of)), ranked(after))
        })
        .collect();
    let changes: Vec<(Record, _)> = records
        .into_values()
        .filter(|record| changing.contains(&record.id()))
        .map(|record| {
            let rank = rank(point_of(&record), record.id());
            (record, vec![assign(expectation::RANK, rank)])
        })
        .collect();
    // The UNIQUE constraint on the rank applies to every statement: clear all changing ranks before setting any.
    tx.clear(expectation::RANK, &changing.iter().copied().collect::<Vec<_>>()).await?;
    tx.change(&NOUN, changes).await?;
    let now = Cell::Int(tx.now().timestamp_millis());
    let owners = points.iter().filter_map(|point| owners.remove(point));
    let owners = owners.map(|point| (point.changed(&[], &now), vec!["expectations", "rankings"])).collect();
    tx.put(&interaction_point::NOUN, owners, EventOperation::Updated).await?;
    record_change(tx, &history).await?;
    Ok((points, changing))
}

/// A ranked expectation.
#[derive(Clone, Debug)]
pub(super) struct Ranked {
    pub rank: i64,
    pub id: Uuid,
    pub statement: String,
}

impl Ranked {
    fn of(record: &Record) -> Option<Self> {
        Self::at(record, record.get(expectation::RANK)?)
    }

    fn at(record: &Record, rank: i64) -> Option<Self> {
        Some(Self { rank, id: record.id(), statement: record.get(STATEMENT)? })
    }

    fn shown(&self) -> serde_json::Value {
        json!({ "rank": self.rank, "id": id::encode(NOUN.prefix, self.id), "statement": self.statement })
    }
}

/// Returns the expectations sorted by rank.
fn ranked(ranked: impl Iterator<Item = Ranked>) -> Vec<Ranked> {
    let mut ranked: Vec<Ranked> = ranked.collect();
    ranked.sort_unstable_by_key(|ranked| ranked.rank);
    ranked
}

/// Adds a row to the ranking history for each point, with its top five before and after the change.
async fn record_change(tx: &Tx, changed: &[(Uuid, Vec<Ranked>, Vec<Ranked>)]) -> Result<()> {
    let list = |ranked: &[Ranked]| ranked.iter().map(Ranked::shown).collect::<serde_json::Value>().to_string();
    let row = |(point, before, after): &(Uuid, Vec<Ranked>, Vec<Ranked>)| {
        vec![
            assign(expectation_ranking::RANKED_AT, ChronoUnixTimestampMillis(tx.now())),
            assign(expectation_ranking::SUBJECT, tx.actor().subject.clone()),
            assign(expectation_ranking::BEFORE, list(before)),
            assign(expectation_ranking::AFTER, list(after)),
            assign(expectation_ranking::POINT_ID, *point),
        ]
    };
    tx.make(&expectation_ranking::NOUN, changed.iter().map(row).collect()).await
}

/// Returns the current top fives of points, sorted by rank; points without ranked expectations are omitted.
async fn tops(tx: &Tx, points: impl IntoIterator<Item = Uuid>) -> Result<HashMap<Uuid, Vec<Ranked>>> {
    let rows = Entity::find().filter(Column::PointId.is_in(points)).filter(Column::Rank.is_not_null());
    let mut tops: HashMap<Uuid, Vec<Ranked>> = HashMap::new();
    for row in tx.all_unchecked(rows.order_by_asc(Column::Rank)).await? {
        let ranked = row.rank.map(|rank| Ranked { rank, id: row.id.0, statement: row.statement });
        tops.entry(row.point_id.0).or_default().extend(ranked);
    }
    Ok(tops)
}

/// Records in the ranking history that deleted expectations left the top fives; does nothing if they had no ranks.
async fn record_removal(tx: &Tx, deleted: &[Record]) -> Result<()> {
    let mut gone: BTreeMap<Uuid, Vec<Ranked>> = BTreeMap::new();
    for record in deleted {
        if let (Some(ranked), Some(point)) = (Ranked::of(record), record.get(POINT_ID)) {
            gone.entry(point.0).or_default().push(ranked);
        }
    }
    if gone.is_empty() {
        return Ok(());
    }
    let mut tops = tops(tx, gone.keys().copied()).await?;
    let changes = gone.into_iter().map(|(point, gone)| {
        let after = tops.remove(&point).unwrap_or_default();
        (point, ranked(after.iter().cloned().chain(gone)), after)
    });
    record_change(tx, &changes.collect::<Vec<_>>()).await
}

/// Records in the ranking history the initial top five of a copied point.
pub(super) async fn record_initial(tx: &Tx, point: Uuid) -> Result<()> {
    begin_all(tx, tops(tx, [point]).await?).await
}

/// Records in the ranking history the initial top fives of new points, skipping empty ones.
pub(super) async fn begin_all(tx: &Tx, begun: HashMap<Uuid, Vec<Ranked>>) -> Result<()> {
    let begun = begun.into_iter().filter(|(_, top)| !top.is_empty());
    let begun: Vec<_> = begun.map(|(point, top)| (point, Vec::new(), ranked(top.into_iter()))).collect();
    if begun.is_empty() { Ok(()) } else { record_change(tx, &begun).await }
}
