//! Expectations: the top five of a point are ranked as a whole.

use std::collections::{HashMap, HashSet};

use entity::{
    Permission,
    event::EventOperation,
    expectation::{Column, Entity, NOUN},
    interaction_point,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, prelude::Uuid};

use super::{EXPECTED_VERSION, interaction_point::ID};
use crate::{
    Result, UserError,
    error::Code,
    graphql::{
        input::{Input, text, wire_id},
        slice::{Argument, Done, Mutation},
    },
    store::{
        Tx,
        cell::{Cell, Record, given},
        draft::Outcome,
    },
};

/// How many expectations of a point are ranked.
const TOP: usize = 5;

/// The mutation that ranks.
pub(super) const RANK: Mutation = Mutation {
    name: "interactionPointRankExpectations",
    doc: "Makes the top five of an interaction point exactly these, first to last; all others lose their rank.",
    permissions: &[Permission::MapWrite],
    input: &[
        ID,
        Argument {
            name: "expectationIds",
            ty: "[ID!]!",
            default: None,
            doc: "Up to five expectations of the point, the most important first.",
        },
        EXPECTED_VERSION,
    ],
    run: |tx, input| Box::pin(rank(tx, input)),
};

async fn rank(tx: &Tx, input: &Input) -> Result<Done> {
    let point_noun = &interaction_point::NOUN;
    let wanted: Vec<Option<Uuid>> = input
        .list("expectationIds")
        .into_iter()
        .map(|value| text(value).and_then(|text| wire_id(NOUN.prefix, text)))
        .collect();
    if wanted.len() > TOP {
        let mistake = UserError::new(Code::TooLong, "expectationIds", format!("only {TOP} can be ranked"));
        return Ok(Err(vec![mistake]));
    }
    let (id, version) = (input.id("id", point_noun)?, input.int("expectedVersion")?);
    let point = match tx.lock_one(point_noun, Permission::MapWrite, id, version).await? {
        Ok(point) => point,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    let rows = tx.all_unpermitted(Entity::find().filter(Column::PointId.eq(point.id()))).await?;
    let mut ranked: Vec<Uuid> = Vec::new();
    for (index, id) in wanted.into_iter().enumerate() {
        let code = match id {
            Some(id) if ranked.contains(&id) => Code::Invalid,
            Some(id) if rows.iter().any(|row| row.id.0 == id) => {
                ranked.push(id);
                continue;
            }
            _ => Code::NotFound,
        };
        let message = if code == Code::Invalid { "it is given twice" } else { "the point has no such expectation" };
        let path = vec!["expectationIds".to_owned(), index.to_string()];
        return Ok(Err(vec![UserError { code, message: message.to_owned(), path }]));
    }
    let point = point.id();
    let ranks = Ranks::from([(point, ranked.into_iter().zip(1..).collect())]);
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
    let rows = tx.all_unpermitted(Entity::find().filter(Column::PointId.is_in(owners.keys().copied()))).await?;
    let mut wanted: HashMap<Uuid, Option<i64>> = HashMap::new();
    for row in &rows {
        let (point, id) = (row.point_id.0, row.id.0);
        if row.rank != rank(point, id) {
            points.insert(point);
            changing.insert(id);
            wanted.insert(id, rank(point, id));
        }
    }
    if changing.is_empty() {
        return Ok((points, changing));
    }
    let ids: Vec<Uuid> = changing.iter().copied().collect();
    let records = tx.lock(&NOUN, &ids).await?;
    // Ranks are unique at every moment: all that move are cleared before any is set.
    tx.clear(&NOUN, "rank", &ids).await?;
    let changes: Vec<(Record, _)> = records
        .into_values()
        .map(|record| {
            let rank = wanted.get(&record.id()).copied().flatten().map_or(Cell::Null, Cell::Int);
            (record, vec![given(&NOUN, "rank", rank)])
        })
        .collect();
    tx.change(&NOUN, changes).await?;
    let now = Cell::Int(tx.now().timestamp_millis());
    let owners = points.iter().filter_map(|point| owners.remove(point));
    let owners = owners.map(|point| (point.changed(&[], &now), vec!["expectations"])).collect();
    tx.put(&interaction_point::NOUN, owners, EventOperation::Updated).await?;
    Ok((points, changing))
}
