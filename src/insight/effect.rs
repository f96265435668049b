//! `improvement { effect }`: the met rate and the complaints before and after an improvement, in equal windows.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    assessment::{self, AssessmentOutcome},
    expectation,
    feedback_record::{self, FeedbackKind},
    improvement::{self, ImprovementStatus},
    interaction::{self, InteractionStatus},
    noun::{Relationship, StringEnum},
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use super::{
    effect_types::{Counts, Effect, EffectArguments, Window},
    proportion::{CONFIDENCE, Proportion},
};
use crate::{
    Error, Result,
    graphql::{
        slice::Computed,
        typed::fields::{ByRow, ComputedFn},
    },
    store::{
        Scope,
        statement::builder::{Alias, Sql},
    },
};

/// Definition of the measure, as the API returns it.
const DEFINITION: &str = "Association, not cause: expectation met rate (assessments MET or EXCEEDED / verified) and \
                          complaints at the points of the improvement, before startedAt and after doneAt, in windows of \
                          equal length.";
/// Number of verified assessments below which a window is small.
const SMALL: i64 = 30;
/// Maximum number of improvements whose effects one field counts.
const MOST: usize = 100;

/// The field `effect` of an improvement.
pub(super) const OF_IMPROVEMENT: Computed = Computed {
    name: "effect",
    doc: "Compares the time before it began (startedAt, or doneAt if that is unknown) with the time since doneAt, at its \
          points and those of its expectations; both windows are equally long. What is found is an association, not a \
          cause. Null unless the improvement is DONE. Fails with BAD_USER_INPUT for more than 100 improvements.",
    run: &ComputedFn::new(|scope, input, ids| Box::pin(effects(scope, input, ids))),
};

/// A window of one improvement, and its points.
struct Span<'a> {
    place: usize,
    is_after: bool,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    points: &'a [Uuid],
}

/// Counts by the place of the improvement, whether the window is after it, and whether the points are its own: how many
/// were counted, and out of how many.
type Found = HashMap<(usize, bool, bool), (i64, i64)>;

async fn effects(scope: &Scope, input: EffectArguments, ids: &[Uuid]) -> Result<ByRow<Option<Effect>>> {
    scope.may_read(&assessment::NOUN)?;
    scope.may_read(&feedback_record::NOUN)?;
    let columns = (improvement::ID, improvement::STATUS, improvement::STARTED_AT, improvement::DONE_AT);
    let rows = scope.select_by_ids(columns, ids).await?;
    let done: Vec<(Uuid, DateTime<Utc>, DateTime<Utc>)> = rows
        .into_iter()
        .filter(|(_, status, ..)| *status == ImprovementStatus::Done)
        .filter_map(|(id, _, started, done)| Some((id.0, started.or(done)?.0, done?.0)))
        .collect();
    if done.len() > MOST {
        return Err(Error::BadInput(format!("effects of at most {MOST} improvements are counted at once")));
    }
    let mut effects: ByRow<Option<Effect>> = ids.iter().map(|id| (*id, None)).collect();
    if done.is_empty() {
        return Ok(effects);
    }
    let points = points(scope, &done.iter().map(|(id, ..)| *id).collect::<Vec<_>>()).await?;
    let mut spans: Vec<Span> = Vec::with_capacity(done.len() * 2);
    for (place, (id, began, done)) in done.iter().enumerate() {
        let length = TimeDelta::days(input.days).min(scope.now() - *done).max(TimeDelta::zero());
        let points = points.get(id).map_or(&[][..], Vec::as_slice);
        spans.push(Span { place, is_after: false, from: *began - length, to: *began, points });
        spans.push(Span { place, is_after: true, from: *done, to: *done + length, points });
    }
    let met = read(scope, &spans, met).await?;
    let complained = read(scope, &spans, complained).await?;
    for pair in spans.chunks(2) {
        let [before, after] = pair else { continue };
        let (id, ..) = done[before.place];
        effects.insert(id, Some(effect(before, after, &met, &complained)));
    }
    Ok(effects)
}

fn effect(before: &Span<'_>, after: &Span<'_>, met: &Found, complained: &Found) -> Effect {
    let rate = |span: &Span<'_>, is_own: bool| {
        let (part, whole) = met.get(&(span.place, span.is_after, is_own)).copied().unwrap_or_default();
        (part, whole, Proportion::new(part, whole))
    };
    let counts = |span: &Span<'_>, is_own: bool| {
        let (met_count, n, rate) = rate(span, is_own);
        let found = complained.get(&(span.place, span.is_after, is_own)).copied().unwrap_or_default();
        let (complaint_count, feedback_count) = found;
        let estimate = rate.map(Proportion::estimate);
        Counts {
            n,
            met_count,
            met_rate: estimate.map(|found| found.value),
            lower: estimate.map(|found| found.lower),
            upper: estimate.map(|found| found.upper),
            complaint_count,
            feedback_count,
        }
    };
    let window = |span: &Span<'_>| Window {
        starts_at: ChronoUnixTimestampMillis(span.from),
        ends_at: ChronoUnixTimestampMillis(span.to),
        own: counts(span, true),
        others: counts(span, false),
    };
    let (_, n_before, rate_before) = rate(before, true);
    let (_, n_after, rate_after) = rate(after, true);
    let difference = rate_after.zip(rate_before).map(|(after, before)| after.minus(before));
    Effect {
        measure: "improvement_effect".to_owned(),
        measure_version: 1,
        definition: DEFINITION.to_owned(),
        confidence: CONFIDENCE,
        is_small: n_before < SMALL || n_after < SMALL,
        before: window(before),
        after: window(after),
        difference: difference.map(|found| found.value),
        lower: difference.map(|found| found.lower),
        upper: difference.map(|found| found.upper),
    }
}

fn relation(name: &str) -> Result<&'static Relationship> {
    improvement::NOUN.relation(name).ok_or_else(|| Error::internal(format!("improvements have no {name}")))
}

/// Returns the points of each improvement: its own, and those of its expectations.
async fn points(scope: &Scope, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<Uuid>>> {
    let mut points: HashMap<Uuid, BTreeSet<Uuid>> = HashMap::new();
    for line in scope.lines(relation("points")?, ids).await? {
        points.entry(line.from).or_default().insert(line.to);
    }
    let lines = scope.lines(relation("expectations")?, ids).await?;
    let expectations: BTreeSet<Uuid> = lines.iter().map(|line| line.to).collect();
    let expectations: Vec<Uuid> = expectations.into_iter().collect();
    let columns = (expectation::ID, expectation::POINT_ID);
    let rows = scope.select_by_ids_unchecked(columns, &expectations).await?;
    let of: HashMap<Uuid, Uuid> = rows.into_iter().map(|(id, point)| (id.0, point.0)).collect();
    for line in lines {
        points.entry(line.from).or_default().extend(of.get(&line.to));
    }
    Ok(points.into_iter().map(|(id, points)| (id, points.into_iter().collect())).collect())
}

/// Counts in all spans with one statement.
async fn read(scope: &Scope, spans: &[Span<'_>], count: fn(&mut Sql, &Scope, &Span<'_>)) -> Result<Found> {
    // Text: a union of counts, each with its own limits of time and points.
    let mut sql = scope.sql();
    for (place, span) in spans.iter().enumerate() {
        sql.push(if place > 0 { " UNION ALL SELECT " } else { "SELECT " });
        count(&mut sql, scope, span);
    }
    let rows: Vec<(i64, i64, i64, i64, i64)> = scope.read_tuples(sql.finish()).await?;
    let mut found = Found::new();
    for (place, is_after, is_own, part, whole) in rows {
        found.insert((usize::try_from(place).unwrap_or_default(), is_after == 1, is_own == 1), (part, whole));
    }
    Ok(found)
}

/// Appends the tenant, the place of the span, whether it is after the improvement, and whether the point is its own.
fn keys(sql: &mut Sql, alias: Alias, span: &Span<'_>) {
    sql.column(alias, "organization_id").push(", CAST(").number(span.place).push(" AS BIGINT), CAST(");
    sql.number(usize::from(span.is_after)).push(" AS BIGINT), CAST(CASE WHEN ");
    sql.is_one_of(alias, interaction::POINT_ID.name(), span.points).push(" THEN 1 ELSE 0 END AS BIGINT)");
}

/// Appends the condition that a column is in the span, and the grouping by the keys.
fn inside(sql: &mut Sql, (alias, column): (Alias, &'static str), span: &Span<'_>) {
    sql.push(" AND ").column(alias, interaction::POINT_ID.name()).push(" IS NOT NULL AND ");
    sql.column(alias, column).push(" >= ").bind(span.from.timestamp_millis()).push(" AND ");
    sql.column(alias, column).push(" < ").bind(span.to.timestamp_millis()).push(" GROUP BY 1, 2, 3, 4");
}

/// Counts what met expectations, out of what was verified.
fn met(sql: &mut Sql, scope: &Scope, span: &Span<'_>) {
    keys(sql, Alias::LINK, span);
    sql.push(", CAST(SUM(CASE WHEN t.outcome IN (").bind(AssessmentOutcome::Met.name()).push(", ");
    sql.bind(AssessmentOutcome::Exceeded.name()).push(") THEN 1 ELSE 0 END) AS BIGINT), COUNT(*) FROM assessment AS t");
    sql.push(" JOIN interaction AS ").alias(Alias::LINK).push(" ON ");
    sql.same_tenant((Alias::LINK, interaction::NOUN.tenant), (Alias::ROW, assessment::NOUN.tenant));
    sql.push(" AND ").column(Alias::LINK, "id").push(" = t.interaction_id WHERE ");
    sql.filter_tenant(Alias::ROW, &assessment::NOUN, scope.organization());
    sql.push(" AND t.outcome <> ").bind(AssessmentOutcome::Unverified.name()).push(" AND ");
    sql.column(Alias::LINK, interaction::STATUS.name()).push(" = ").bind(InteractionStatus::Completed.name());
    inside(sql, (Alias::LINK, interaction::OCCURRED_AT.name()), span);
}

/// Counts complaints, out of all feedback.
fn complained(sql: &mut Sql, scope: &Scope, span: &Span<'_>) {
    keys(sql, Alias::ROW, span);
    sql.push(", CAST(SUM(CASE WHEN t.kind = ")
        .bind(FeedbackKind::Complaint.name())
        .push(" THEN 1 ELSE 0 END) AS BIGINT)");
    sql.push(", COUNT(*) FROM feedback_record AS t WHERE ");
    sql.filter_tenant(Alias::ROW, &feedback_record::NOUN, scope.organization());
    inside(sql, (Alias::ROW, feedback_record::RECEIVED_AT.name()), span);
}
