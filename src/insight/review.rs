//! Reviews: how much of them is answered, and which are stale.

use std::collections::{BTreeSet, HashMap};

use entity::{
    Noun, Permission, interaction_point,
    noun::StringEnum,
    organization, review_answer,
    review_question::{self, ReviewComponent},
    step,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, prelude::Uuid};

use super::{
    proportion::Proportion,
    review_types::{DUE, ITEM, JOURNEY_REVIEW, POINT_REVIEW},
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
            builder::{Alias, Sql},
            cell::{Cell, CellKind},
            tenant_check::TenantCheck,
        },
    },
};

/// Most rows that are read to compute one field.
const MAX_ROWS: usize = 500_000;
/// Most questions of a point, or points, in one answer.
const MAX: i64 = 1_000;
/// How many when the caller does not say.
const DEFAULT: i64 = 100;
/// A day in milliseconds.
const DAY: i64 = 86_400_000;
/// Answers beside the points.
const ANSWER: Alias = Alias::nested('a', 1);

/// The objects of the answers.
pub const OBJECTS: &[&Noun] = &[&POINT_REVIEW, &JOURNEY_REVIEW, &ITEM, &DUE];

/// The fields of an interaction point.
pub const OF_POINT: &[Computed] = &[
    Computed {
        name: "review",
        doc: "Progress of its review, and whether the review is stale.",
        arguments: &[],
        shows: ReturnType::One(&POINT_REVIEW),
        run: |scope, _, ids| Box::pin(of_points(scope, ids)),
    },
    Computed {
        name: "reviewItems",
        doc: "The review form: the active questions by component and position, each with the current answer at this \
              point.",
        arguments: &[
            Argument {
                name: "component",
                ty: "ReviewComponent",
                default: None,
                doc: "Restricts the form to questions of this component. Defaults to all components.",
            },
            Argument {
                name: "first",
                ty: "Int",
                default: Some("100"),
                doc: "Maximum number of questions, 1 to 1,000.",
            },
        ],
        shows: ReturnType::List(&ITEM),
        run: |scope, input, ids| Box::pin(items(scope, input, ids)),
    },
];

/// The fields of a journey.
pub const OF_JOURNEY: &[Computed] = &[Computed {
    name: "review",
    doc: "Progress of the reviews of the interaction points of its steps.",
    arguments: &[],
    shows: ReturnType::One(&JOURNEY_REVIEW),
    run: |scope, _, ids| Box::pin(of_journeys(scope, ids)),
}];

/// The query.
pub const REVIEWS_DUE: Query = Query {
    name: "reviewsDue",
    doc: "Lists interaction points that were never reviewed or whose newest answer is older than their review \
          cadence. Archived points are omitted.",
    arguments: &[Argument {
        name: "first",
        ty: "Int",
        default: Some("100"),
        doc: "Maximum number of points, 1 to \
        1,000.",
    }],
    answer: &DUE,
    permissions: &[Permission::MapRead],
    run: |scope, input| Box::pin(due(scope, input)),
};

/// How many the caller wants.
fn wanted(input: &Input) -> Result<i64> {
    let first = input.int("first")?.unwrap_or(DEFAULT);
    if (1..=MAX).contains(&first) { Ok(first) } else { Err(Error::BadInput(format!("first must be from 1 to {MAX}"))) }
}

/// What was found of the review of a point.
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

/// Which points are looked at.
#[derive(Clone, Copy)]
enum Which<'a> {
    Of(&'a [Uuid]),
    Stale { first: i64 },
}

/// The active questions, by component and place.
async fn questions(scope: &Scope) -> Result<Vec<review_question::Model>> {
    let active = review_question::Entity::find().filter(review_question::Column::ArchivedAt.is_null());
    let mut active = scope.all(active).await?;
    let order = |component: ReviewComponent| {
        ReviewComponent::TYPE.values.iter().position(|(name, _)| *name == component.name())
    };
    active.sort_by_key(|question| (order(question.component), question.position, question.id));
    Ok(active)
}

/// The ids of the active questions, and the reviews of points with how many such points there are.
async fn reviewed(scope: &Scope, which: Which<'_>) -> Result<(usize, Vec<Reviewed>, i64)> {
    scope.may_read(&interaction_point::NOUN)?;
    scope.may_read(&review_answer::NOUN)?;
    let active: Vec<Uuid> = questions(scope).await?.into_iter().map(|question| question.id.0).collect();
    let own = scope.select_by_ids((organization::REVIEW_CADENCE_DAYS,), &[scope.organization().0]).await?;
    let cadence = own.first().and_then(|(days,)| *days).map_or(Cell::Null, Cell::Int);
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
    sql.filter_tenant(TenantCheck::ReviewedPoints, Alias::ROW, interaction_point::NOUN.tenant, scope.organization())
        .push(" AND ");
    match which {
        Which::Of(points) => drop(sql.is_one_of(Alias::ROW, "id", points).push(") AS g")),
        Which::Stale { first } => {
            sql.push("t.archived_at IS NULL) AS g WHERE g.newest IS NULL OR g.newest + g.cadence * ").bind(DAY);
            sql.push(" < ").bind(scope.now().timestamp_millis()).push(" ORDER BY g.newest IS NOT NULL, ");
            sql.push("g.newest + g.cadence * ").bind(DAY).push(", g.id LIMIT ").bind(first);
        }
    }
    let kinds = [CellKind::Id, CellKind::Int, CellKind::Int, CellKind::Int, CellKind::Int];
    let rows = scope.read_rows(sql.finish(), &kinds).await?;
    let count = rows.first().and_then(|row| row[4].int()).unwrap_or(0);
    let found = rows.iter().filter_map(|row| {
        let answered = row[3].int()?;
        Some(Reviewed { point: row[0].id()?, cadence: row[1].int(), newest: row[2].int(), answered })
    });
    Ok((active.len(), found.collect(), count))
}

/// The rest of a statement over the answers of a point, but for its closing bracket.
fn answers(sql: &mut Sql, scope: &Scope) {
    sql.push(" FROM review_answer AS ").alias(ANSWER).push(" WHERE ");
    sql.filter_tenant(TenantCheck::ReviewAnswers, ANSWER, "organization_id", scope.organization()).push(" AND ");
    sql.same_tenant(
        TenantCheck::ReviewAnswersRow,
        (ANSWER, "organization_id"),
        (Alias::ROW, interaction_point::NOUN.tenant),
    );
    sql.push(" AND ").column(ANSWER, "point_id").push(" = ").column(Alias::ROW, "id");
}

/// The share that is answered; null where there is nothing to answer.
fn completeness(answered: i64, asked: i64) -> Cell {
    Proportion::new(answered, asked).map_or(Cell::Null, |share| Cell::Float(share.estimate().value))
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn point(review: &Reviewed, questions: i64, now: i64) -> ComputedObject {
    let optional = |number: Option<i64>| number.map_or(Cell::Null, Cell::Int);
    ComputedObject {
        cells: vec![
            ("question_count", Cell::Int(questions)),
            ("answered_count", Cell::Int(review.answered)),
            ("completeness", completeness(review.answered, questions)),
            ("last_answered_at", optional(review.newest)),
            ("cadence_days", optional(review.cadence)),
            ("due_at", optional(review.due_at())),
            ("is_stale", Cell::Bool(review.is_stale(now))),
            ("point_id", Cell::Id(review.point)),
        ],
        inside: Vec::new(),
    }
}

async fn of_points(scope: &Scope, points: &[Uuid]) -> Result<ResolvedByRow> {
    let (questions, found, _) = reviewed(scope, Which::Of(points)).await?;
    let now = scope.now().timestamp_millis();
    let answer = |review: &Reviewed| (review.point, vec![Resolved::Object(point(review, count(questions), now))]);
    Ok(found.iter().map(answer).collect())
}

async fn due(scope: &Scope, input: &Input<'_>) -> Result<Resolved> {
    let first = wanted(input)?;
    let (questions, found, points) = reviewed(scope, Which::Stale { first }).await?;
    let now = scope.now().timestamp_millis();
    Ok(Resolved::Object(ComputedObject {
        cells: vec![("point_count", Cell::Int(points))],
        inside: vec![("nodes", found.iter().map(|review| point(review, count(questions), now)).collect())],
    }))
}

async fn of_journeys(scope: &Scope, journeys: &[Uuid]) -> Result<ResolvedByRow> {
    let steps = scope.select((step::JOURNEY_ID, step::POINT_ID), step::JOURNEY_ID, journeys, MAX_ROWS).await?;
    too_many(steps.len() > MAX_ROWS, "journeys")?;
    let mut points: HashMap<Uuid, BTreeSet<Uuid>> = HashMap::new();
    for (journey, point) in steps {
        points.entry(journey.0).or_default().insert(point.0);
    }
    let all: Vec<Uuid> = points.values().flatten().copied().collect::<BTreeSet<Uuid>>().into_iter().collect();
    let (questions, found, _) = reviewed(scope, Which::Of(&all)).await?;
    let found: HashMap<Uuid, &Reviewed> = found.iter().map(|review| (review.point, review)).collect();
    let now = scope.now().timestamp_millis();
    let answer = |journey: &Uuid| {
        let own: Vec<&Reviewed> =
            points.get(journey).into_iter().flatten().filter_map(|point| found.get(point).copied()).collect();
        let (asked, answered) = (count(questions * own.len()), own.iter().map(|review| review.answered).sum());
        let stale = own.iter().filter(|review| review.is_stale(now)).count();
        let cells = vec![
            ("point_count", Cell::Int(count(own.len()))),
            ("stale_count", Cell::Int(count(stale))),
            ("question_count", Cell::Int(asked)),
            ("answered_count", Cell::Int(answered)),
            ("completeness", completeness(answered, asked)),
        ];
        (*journey, vec![Resolved::Object(ComputedObject { cells, inside: Vec::new() })])
    };
    Ok(journeys.iter().map(answer).collect())
}

async fn items(scope: &Scope, input: &Input<'_>, points: &[Uuid]) -> Result<ResolvedByRow> {
    let component = input.text("component")?.and_then(ReviewComponent::parse);
    let mut questions = questions(scope).await?;
    questions.retain(|question| component.is_none_or(|component| question.component == component));
    questions.truncate(usize::try_from(wanted(input)?).unwrap_or_default());
    let columns = (review_answer::ID, review_answer::POINT_ID, review_answer::QUESTION_ID, review_answer::ANSWERED_AT);
    let rows = scope.select(columns, review_answer::POINT_ID, points, MAX_ROWS).await?;
    too_many(rows.len() > MAX_ROWS, "points")?;
    let mut newest: HashMap<(Uuid, Uuid), (i64, Uuid)> = HashMap::new();
    for (id, point, question, at) in rows {
        let answer = (at.0.timestamp_millis(), id.0);
        let known = newest.entry((point.0, question.0)).or_insert(answer);
        *known = answer.max(*known);
    }
    let item = |point: &Uuid, question: &review_question::Model| {
        let answer = newest.get(&(*point, question.id.0)).map_or(Cell::Null, |(_, id)| Cell::Id(*id));
        let cells = vec![("question_id", Cell::Id(question.id.0)), ("answer_id", answer)];
        Resolved::Object(ComputedObject { cells, inside: Vec::new() })
    };
    let items = |point: &Uuid| (*point, questions.iter().map(|question| item(point, question)).collect());
    Ok(points.iter().map(items).collect())
}

fn too_many(is_too_much: bool, what: &str) -> Result<()> {
    if is_too_much {
        Err(Error::BadInput(format!("the response would be too large; request fewer {what}")))
    } else {
        Ok(())
    }
}
