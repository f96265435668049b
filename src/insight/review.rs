//! Reviews: computes their progress and finds stale ones.

use std::collections::{BTreeSet, HashMap};

use entity::{
    Permission,
    id::{InteractionPointId, ReviewAnswerId, ReviewQuestionId},
    interaction_point,
    noun::StringEnum,
    organization, review_answer,
    review_question::{self, ReviewComponent},
    step,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, prelude::Uuid};

use super::{
    proportion::Proportion,
    review_types::{DueArguments, ItemsArguments, JourneyReview, PointReview, ReviewItem, ReviewsDue},
};
use crate::{
    Error, Result,
    graphql::{
        slice::{Computed, Query},
        typed::{
            fields::{ByRow, ComputedFn, QueryFn},
            output::{count, instant},
        },
    },
    store::{
        Scope,
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind},
        },
    },
};

/// Maximum number of rows that are read to compute a field.
const MAX_ROWS: usize = 500_000;
/// A day in milliseconds.
const DAY: i64 = 86_400_000;
/// Alias of the answers of a point.
const ANSWER: Alias = Alias::nested('a', 1);

/// The field `review` of a point.
pub(super) const OF_POINT: Computed = Computed {
    name: "review",
    doc: "Progress of its review, and whether the review is stale.",
    run: &ComputedFn::new(|scope, (), ids| Box::pin(of_points(scope, ids))),
};

/// The field `reviewItems` of a point.
pub(super) const ITEMS_OF_POINT: Computed = Computed {
    name: "reviewItems",
    doc: "The review form: the active questions by component and position, each with the current answer at this \
          point.",
    run: &ComputedFn::new(|scope, input, ids| Box::pin(items(scope, input, ids))),
};

/// The field `review` of a journey.
pub(super) const OF_JOURNEY: Computed = Computed {
    name: "review",
    doc: "Progress of the reviews of the interaction points of its steps.",
    run: &ComputedFn::new(|scope, (), ids| Box::pin(of_journeys(scope, ids))),
};

/// The query `reviewsDue`.
pub(super) const REVIEWS_DUE: Query = Query {
    name: "reviewsDue",
    doc: "Lists interaction points that were never reviewed or whose newest answer is older than their review \
          cadence. Archived points are omitted.",
    permissions: &[Permission::MapRead],
    run: &QueryFn::new(|scope, input| Box::pin(due(scope, input))),
};

/// State of the review of a point: cadence in days, time of the newest answer in epoch milliseconds, number of answered
/// questions.
struct Reviewed {
    point: Uuid,
    cadence: Option<i64>,
    newest: Option<i64>,
    answered: i64,
}

impl Reviewed {
    fn due_at(&self) -> Option<i64> {
        Some(self.newest? + self.cadence? * DAY)
    }

    fn is_stale(&self, now: i64) -> bool {
        self.newest.is_none() || self.due_at().is_some_and(|due| due < now)
    }
}

/// Point, cadence, newest answer, answered questions, number of points.
type ReviewedRow = (InteractionPointId, Option<i64>, Option<i64>, i64, i64);

/// The points to read.
#[derive(Clone, Copy)]
enum PointSelection<'a> {
    Of(&'a [Uuid]),
    Stale { first: i64 },
}

/// Returns the active questions, sorted by component and position.
async fn questions(scope: &Scope) -> Result<Vec<review_question::Model>> {
    let active = review_question::Entity::find().filter(review_question::Column::ArchivedAt.is_null());
    let mut active = scope.all(active).await?;
    let order = |component: ReviewComponent| {
        ReviewComponent::TYPE.values.iter().position(|(name, _)| *name == component.name())
    };
    active.sort_by_key(|question| (order(question.component), question.position, question.id));
    Ok(active)
}

/// Returns the number of active questions, the reviews of points, and the total number of such points.
async fn reviewed(scope: &Scope, which: PointSelection<'_>) -> Result<(usize, Vec<Reviewed>, i64)> {
    scope.may_read(&interaction_point::NOUN)?;
    scope.may_read(&review_answer::NOUN)?;
    let active: Vec<Uuid> = questions(scope).await?.into_iter().map(|question| question.id.0).collect();
    let own = scope.select_by_ids((organization::REVIEW_CADENCE_DAYS,), &[scope.organization().0]).await?;
    let cadence = own.first().and_then(|(days,)| *days).map_or(Cell::Null, Cell::Int);
    // Text: a window over correlated counts, of which the first page is read.
    let mut sql = scope.sql();
    sql.push("SELECT g.tenant, g.id, g.cadence, g.newest, g.answered, COUNT(*) OVER (PARTITION BY g.tenant) FROM (");
    sql.push("SELECT t.organization_id AS tenant, t.id AS id, COALESCE(t.review_cadence_days, ");
    sql.cell(&cadence, CellKind::Int).push(") AS cadence, (SELECT MAX(").column(ANSWER, "answered_at").push(")");
    answers(&mut sql, scope);
    sql.push(") AS newest, (SELECT COUNT(DISTINCT ").column(ANSWER, "question_id").push(")");
    answers(&mut sql, scope);
    sql.push(" AND ")
        .is_one_of(ANSWER, "question_id", &active)
        .push(") AS answered FROM interaction_point AS t WHERE ");
    sql.filter_tenant(Alias::ROW, &interaction_point::NOUN, scope.organization()).push(" AND ");
    match which {
        PointSelection::Of(points) => drop(sql.is_one_of(Alias::ROW, "id", points).push(") AS g")),
        PointSelection::Stale { first } => {
            sql.push("t.archived_at IS NULL) AS g WHERE g.newest IS NULL OR g.newest + g.cadence * ").bind(DAY);
            sql.push(" < ").bind(scope.now().timestamp_millis()).push(" ORDER BY g.newest IS NOT NULL, ");
            sql.push("g.newest + g.cadence * ").bind(DAY).push(", g.id LIMIT ").bind(first);
        }
    }
    let rows: Vec<ReviewedRow> = scope.read_tuples(sql.finish()).await?;
    let count = rows.first().map_or(0, |(.., count)| *count);
    let reviewed =
        |(point, cadence, newest, answered, _): ReviewedRow| Reviewed { point: point.0, cadence, newest, answered };
    Ok((active.len(), rows.into_iter().map(reviewed).collect(), count))
}

/// Appends `FROM` and `WHERE` of a subquery over the answers of a point, without the closing parenthesis.
fn answers(sql: &mut Sql, scope: &Scope) {
    sql.push(" FROM review_answer AS ").alias(ANSWER).push(" WHERE ");
    sql.filter_tenant_again(
        "the answers have the organization of their point",
        ANSWER,
        "organization_id",
        scope.organization(),
    )
    .push(" AND ");
    sql.same_tenant_again(
        "the answers are filtered",
        (ANSWER, "organization_id"),
        (Alias::ROW, interaction_point::NOUN.tenant),
    );
    sql.push(" AND ").column(ANSWER, "point_id").push(" = ").column(Alias::ROW, "id");
}

/// Returns the share of answered questions, or `None` if there are no questions.
fn completeness(answered: i64, asked: i64) -> Option<f64> {
    Proportion::new(answered, asked).map(|share| share.estimate().value)
}

fn point(review: &Reviewed, question_count: i64, now: i64) -> PointReview {
    PointReview {
        question_count,
        answered_count: review.answered,
        completeness: completeness(review.answered, question_count),
        last_answered_at: review.newest.map(instant),
        cadence_days: review.cadence,
        due_at: review.due_at().map(instant),
        is_stale: review.is_stale(now),
        point_id: review.point.into(),
    }
}

async fn of_points(scope: &Scope, points: &[Uuid]) -> Result<ByRow<PointReview>> {
    let (questions, found, _) = reviewed(scope, PointSelection::Of(points)).await?;
    let now = scope.now().timestamp_millis();
    Ok(found.iter().map(|review| (review.point, point(review, count(questions), now))).collect())
}

async fn due(scope: &Scope, DueArguments { first }: DueArguments) -> Result<ReviewsDue> {
    let (questions, found, point_count) = reviewed(scope, PointSelection::Stale { first }).await?;
    let now = scope.now().timestamp_millis();
    Ok(ReviewsDue { point_count, nodes: found.iter().map(|review| point(review, count(questions), now)).collect() })
}

async fn of_journeys(scope: &Scope, journeys: &[Uuid]) -> Result<ByRow<JourneyReview>> {
    let steps = scope.select((step::JOURNEY_ID, step::POINT_ID), step::JOURNEY_ID, journeys, MAX_ROWS).await?;
    too_many(steps.len() > MAX_ROWS, "journeys")?;
    let mut points: HashMap<Uuid, BTreeSet<Uuid>> = HashMap::new();
    for (journey, point) in steps {
        points.entry(journey.0).or_default().insert(point.0);
    }
    let all: Vec<Uuid> = points.values().flatten().copied().collect::<BTreeSet<Uuid>>().into_iter().collect();
    let (questions, found, _) = reviewed(scope, PointSelection::Of(&all)).await?;
    let found: HashMap<Uuid, &Reviewed> = found.iter().map(|review| (review.point, review)).collect();
    let now = scope.now().timestamp_millis();
    let answer = |journey: &Uuid| {
        let own: Vec<&Reviewed> =
            points.get(journey).into_iter().flatten().filter_map(|point| found.get(point).copied()).collect();
        let (asked, answered) = (count(questions * own.len()), own.iter().map(|review| review.answered).sum());
        let review = JourneyReview {
            point_count: count(own.len()),
            stale_count: count(own.iter().filter(|review| review.is_stale(now)).count()),
            question_count: asked,
            answered_count: answered,
            completeness: completeness(answered, asked),
        };
        (*journey, review)
    };
    Ok(journeys.iter().map(answer).collect())
}

async fn items(scope: &Scope, input: ItemsArguments, points: &[Uuid]) -> Result<ByRow<Vec<ReviewItem>>> {
    let ItemsArguments { component, first } = input;
    let mut questions = questions(scope).await?;
    questions.retain(|question| component.is_none_or(|component| question.component == component));
    questions.truncate(usize::try_from(first).unwrap_or_default());
    let columns = (review_answer::ID, review_answer::POINT_ID, review_answer::QUESTION_ID, review_answer::ANSWERED_AT);
    let rows = scope.select(columns, review_answer::POINT_ID, points, MAX_ROWS).await?;
    too_many(rows.len() > MAX_ROWS, "points")?;
    let mut newest: HashMap<(Uuid, ReviewQuestionId), (i64, ReviewAnswerId)> = HashMap::new();
    for (id, point, question, at) in rows {
        let answer = (at.0.timestamp_millis(), id);
        let known = newest.entry((point.0, question)).or_insert(answer);
        *known = answer.max(*known);
    }
    let item = |point: &Uuid, question_id: ReviewQuestionId| {
        let answer_id = newest.get(&(*point, question_id)).map(|(_, id)| *id);
        ReviewItem { question_id, answer_id }
    };
    let items = |point: &Uuid| (*point, questions.iter().map(|question| item(point, question.id)).collect());
    Ok(points.iter().map(items).collect())
}

fn too_many(is_too_much: bool, what: &str) -> Result<()> {
    if is_too_much {
        Err(Error::BadInput(format!("the response would be too large; request fewer {what}")))
    } else {
        Ok(())
    }
}
