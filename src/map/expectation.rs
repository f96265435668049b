//! Expectations: the top five of a point are ranked as a whole, and every change of them is kept.

use std::collections::{HashMap, HashSet};

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
        slice::{Done, Module, Mutation},
        typed::{
            fields::MutationFn,
            input::{Input, RefTo},
        },
    },
    store::{
        Tx,
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

/// The slice.
pub const SLICE: Module = Module {
    rules: Hooks { deleted: |tx, expectation| Box::pin(record_removal(tx, expectation)), ..Hooks::NONE },
    ..backed::<Entity>()
};

/// How many expectations of a point are ranked.
const TOP: usize = 5;

/// The mutation that ranks.
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

/// The top five of points: for each, the ranks of its expectations.
pub(super) type Ranks = HashMap<Uuid, HashMap<Uuid, i64>>;

/// Makes the top five of these points exactly these, all at once. Answers the points and the expectations that
/// changed.
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
    // All that stand or stood in a top five, and not only those that move: the history tells of them all.
    let involved: Vec<Uuid> = rows.iter().filter(is_involved).map(|row| row.id.0).collect();
    let records = tx.lock(&NOUN, &involved).await?;
    if records.len() < involved.len() {
        // One was deleted after it was read: run again.
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
    // Ranks are unique at every moment: all that move are cleared before any is set.
    tx.clear(expectation::RANK, &changing.iter().copied().collect::<Vec<_>>()).await?;
    tx.change(&NOUN, changes).await?;
    let now = Cell::Int(tx.now().timestamp_millis());
    let owners = points.iter().filter_map(|point| owners.remove(point));
    let owners = owners.map(|point| (point.changed(&[], &now), vec!["expectations", "rankings"])).collect();
    tx.put(&interaction_point::NOUN, owners, EventOperation::Updated).await?;
    record_change(tx, &history).await?;
    Ok((points, changing))
}

/// An expectation in the top five of its point.
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

/// A top five by rank.
fn ranked(ranked: impl Iterator<Item = Ranked>) -> Vec<Ranked> {
    let mut ranked: Vec<Ranked> = ranked.collect();
    ranked.sort_unstable_by_key(|ranked| ranked.rank);
    ranked
}

/// Adds to the history of top fives: each point with its top five before and after.
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

/// The top five of a point as it is.
async fn top(tx: &Tx, point: Uuid) -> Result<Vec<Ranked>> {
    let rows = Entity::find().filter(Column::PointId.eq(point)).filter(Column::Rank.is_not_null());
    let rows = tx.all_unchecked(rows.order_by_asc(Column::Rank)).await?;
    let ranked = |row: Model| Some(Ranked { rank: row.rank?, id: row.id.0, statement: row.statement });
    Ok(rows.into_iter().filter_map(ranked).collect())
}

/// Tells of the place that a deleted expectation has left.
async fn record_removal(tx: &Tx, deleted: &Record) -> Result<()> {
    let (Some(gone), Some(point)) = (Ranked::of(deleted), deleted.get(POINT_ID)) else { return Ok(()) };
    let point = point.0;
    let after = top(tx, point).await?;
    let mut before = after.clone();
    before.push(gone);
    before.sort_unstable_by_key(|ranked| ranked.rank);
    record_change(tx, &[(point, before, after)]).await
}

/// Tells of the top five that a copy of a point begins with.
pub(super) async fn record_initial(tx: &Tx, point: Uuid) -> Result<()> {
    begin_all(tx, HashMap::from([(point, top(tx, point).await?)])).await
}

/// Tells of the top fives that new points begin with.
pub(super) async fn begin_all(tx: &Tx, begun: HashMap<Uuid, Vec<Ranked>>) -> Result<()> {
    let begun = begun.into_iter().filter(|(_, top)| !top.is_empty());
    let begun: Vec<_> = begun.map(|(point, top)| (point, Vec::new(), ranked(top.into_iter()))).collect();
    if begun.is_empty() { Ok(()) } else { record_change(tx, &begun).await }
}
