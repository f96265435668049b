//! Coverage: reports gaps in the map of an organization or of one journey, with the mutations that close them.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;
use entity::{
    Col, Noun, Permission, expectation, feedback_record,
    id::{DepartmentId, ExpectationId, InteractionPointId, OfferId},
    interaction_point,
    noun::StringEnum,
    offer, step,
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use super::coverage_types::{Coverage, CoverageArguments, CoverageFinding, CoverageItem, CoverageKey};
use crate::{
    Error, Result,
    graphql::{
        slice::Query,
        typed::{fields::QueryFn, output::count},
    },
    store::{
        Scope,
        statement::{
            cell::Cell,
            filter::{Comparison, Predicate},
            template::Templates,
        },
    },
};

/// Maximum number of points to examine.
const MAX_POINTS: usize = 10_000;
/// Maximum number of expectations to examine.
const MAX_EXPECTATIONS: usize = 100_000;
/// Maximum number of offers to examine.
const MAX_OFFERS: usize = 10_000;

/// The query `coverage`.
pub(super) const COVERAGE: Query = Query {
    name: "coverage",
    doc: "Gaps in the map: for each kind of gap the count, the total, the affected elements and the mutation that \
          fixes them. Archived rows are omitted. Fails with BAD_USER_INPUT above 10,000 points.",
    permissions: &[Permission::MapRead, Permission::RecordRead],
    run: &QueryFn::new(|scope, input| Box::pin(coverage(scope, input))),
};

/// The examined properties of a point.
struct Point {
    id: Uuid,
    is_owned: bool,
}

/// The examined properties of an expectation.
struct Expectation {
    id: Uuid,
    point: Uuid,
    is_ranked: bool,
    is_measured: bool,
}

/// The gaps of one kind.
struct Finding {
    key: CoverageKey,
    of: usize,
    /// Elements with the gap: noun, id and the id of the point they belong to.
    items: Vec<(&'static Noun, Uuid, Option<Uuid>)>,
}

async fn coverage(scope: &Scope, input: CoverageArguments) -> Result<Option<Coverage>> {
    let CoverageArguments { journey_ref, days, first } = input;
    let journey_id = match journey_ref {
        None => None,
        Some(journey) => match journey.find(scope).await? {
            Some(id) => Some(id),
            None => return Ok(None),
        },
    };
    let points = points(scope, journey_id.map(Uuid::from)).await?;
    let findings = findings(scope, &points, journey_id.is_none(), days).await?;
    let findings = findings.iter().map(|finding| shown(finding, first)).collect();
    Ok(Some(Coverage { point_count: count(points.len()), days, journey_id, findings }))
}

/// Returns the points of the organization or of a journey, oldest first, without archived ones.
async fn points(scope: &Scope, journey: Option<Uuid>) -> Result<Vec<Point>> {
    const COLUMNS: (Col<InteractionPointId>, Col<Option<DepartmentId>>, Col<Option<ChronoUnixTimestampMillis>>) =
        (interaction_point::ID, interaction_point::OWNER_ID, interaction_point::ARCHIVED_AT);
    let rows = match journey {
        None => scope.select_all(COLUMNS, MAX_POINTS).await?,
        Some(journey) => {
            let steps = scope.select((step::POINT_ID,), step::JOURNEY_ID, &[journey], MAX_POINTS).await?;
            let ids: HashSet<Uuid> = steps.into_iter().map(|(point,)| point.0).collect();
            let ids: Vec<Uuid> = ids.into_iter().collect();
            scope.select(COLUMNS, interaction_point::ID, &ids, MAX_POINTS).await?
        }
    };
    if rows.len() > MAX_POINTS {
        return Err(Error::BadInput(format!("there are more than {MAX_POINTS} points")));
    }
    let active = rows.into_iter().filter(|(.., archived_at)| archived_at.is_none());
    Ok(active.map(|(id, owner, _)| Point { id: id.0, is_owned: owner.is_some() }).collect())
}

async fn expectations(scope: &Scope, points: &[Uuid]) -> Result<Vec<Expectation>> {
    let columns = (
        expectation::ID,
        expectation::POINT_ID,
        expectation::RANK,
        expectation::TARGET_METRIC,
        expectation::ARCHIVED_AT,
    );
    let rows = scope.select(columns, expectation::POINT_ID, points, MAX_EXPECTATIONS).await?;
    if rows.len() > MAX_EXPECTATIONS {
        return Err(Error::BadInput(format!("the points have more than {MAX_EXPECTATIONS} expectations")));
    }
    let active = rows.into_iter().filter(|(.., archived_at)| archived_at.is_none());
    let expectation = active.map(|(id, point, rank, metric, _)| Expectation {
        id: id.0,
        point: point.0,
        is_ranked: rank.is_some(),
        is_measured: metric.is_some(),
    });
    Ok(expectation.collect())
}

/// Returns all findings, with a fixed number of statements.
async fn findings(scope: &Scope, points: &[Point], is_whole: bool, days: i64) -> Result<Vec<Finding>> {
    let noun = &interaction_point::NOUN;
    let ids: Vec<Uuid> = points.iter().map(|point| point.id).collect();
    let expectations = expectations(scope, &ids).await?;
    let (mut known, mut ranked): (HashMap<Uuid, usize>, HashMap<Uuid, usize>) = (HashMap::new(), HashMap::new());
    for expectation in &expectations {
        *known.entry(expectation.point).or_default() += 1;
        *ranked.entry(expectation.point).or_default() += usize::from(expectation.is_ranked);
    }
    let number = |of: &HashMap<Uuid, usize>, id: Uuid| of.get(&id).copied().unwrap_or_default();
    let lacking = |key, lacks: &dyn Fn(&Point) -> bool| {
        let items = points.iter().filter(|point| lacks(point)).map(|point| (noun, point.id, Some(point.id)));
        Finding { key, of: points.len(), items: items.collect() }
    };
    let with = points.iter().filter(|point| known.contains_key(&point.id)).count();
    let is_unranked = |point: &Point| {
        let count = number(&known, point.id);
        count > 0 && number(&ranked, point.id) < count.min(5)
    };
    let mut findings = vec![
        lacking(CoverageKey::NoExpectations, &|point| !known.contains_key(&point.id)),
        Finding { of: with, ..lacking(CoverageKey::TopFiveNotChosen, &is_unranked) },
    ];
    let since = Cell::Int((scope.now() - TimeDelta::days(days)).timestamp_millis());
    let recent = Predicate::Column(feedback_record::RECEIVED_AT.into(), Comparison::Gte(since));
    for (key, relation, filter) in [
        (CoverageKey::NoInfluencers, "influencers", Predicate::always()),
        (CoverageKey::NoMediums, "mediums", Predicate::always()),
        (CoverageKey::NoOffers, "offers", Predicate::always()),
        (CoverageKey::NoEvidence, "evidence", Predicate::always()),
        (CoverageKey::NoRecentFeedback, "feedbackRecords", recent),
        (CoverageKey::InNoJourney, "steps", Predicate::always()),
    ] {
        if key == CoverageKey::InNoJourney && !is_whole {
            continue;
        }
        let relation = noun.relation(relation).ok_or_else(|| Error::internal("a point has these relations"))?;
        let counts = if ids.is_empty() {
            HashMap::new()
        } else {
            scope.count_children(&filter, relation, &ids, &Templates::default()).await?
        };
        findings.push(lacking(key, &|point| !counts.contains_key(&point.id)));
    }
    findings.push(lacking(CoverageKey::NoOwner, &|point| !point.is_owned));
    let unmeasured = expectations.iter().filter(|known| !known.is_measured);
    findings.push(Finding {
        key: CoverageKey::ExpectationNotMeasured,
        of: expectations.len(),
        items: unmeasured.map(|known| (&expectation::NOUN, known.id, Some(known.point))).collect(),
    });
    if is_whole {
        findings.push(unused_offers(scope).await?);
    }
    let place = |finding: &Finding| CoverageKey::TYPE.values.iter().position(|(name, _)| *name == finding.key.name());
    findings.sort_by_key(place);
    Ok(findings)
}

/// Returns the offers that are linked to no point, without archived ones. Err above [`MAX_OFFERS`] offers.
async fn unused_offers(scope: &Scope) -> Result<Finding> {
    let rows = scope.select_all((offer::ID, offer::ARCHIVED_AT), MAX_OFFERS).await?;
    if rows.len() > MAX_OFFERS {
        return Err(Error::BadInput(format!("there are more than {MAX_OFFERS} offers")));
    }
    let active = rows.into_iter().filter(|(_, archived_at)| archived_at.is_none());
    let offers: Vec<Uuid> = active.map(|(id, _)| id.0).collect();
    let relation = offer::NOUN.relation("interactionPoints");
    let relation = relation.ok_or_else(|| Error::internal("an offer has points"))?;
    let used = if offers.is_empty() {
        HashMap::new()
    } else {
        scope.count_children(&Predicate::always(), relation, &offers, &Templates::default()).await?
    };
    let unused = offers.iter().filter(|id| !used.contains_key(id));
    Ok(Finding {
        key: CoverageKey::OfferAtNoPoint,
        of: offers.len(),
        items: unused.map(|id| (&offer::NOUN, *id, None)).collect(),
    })
}

fn shown(finding: &Finding, first: i64) -> CoverageFinding {
    let key = finding.key.name();
    let definition = CoverageKey::TYPE.values.iter().find(|(name, _)| *name == key).map_or("", |(_, doc)| doc.trim());
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below what a double holds")]
    let share = (finding.of > 0).then(|| finding.items.len() as f64 / finding.of as f64);
    let (mutation, input_field) = finding.key.fix();
    let item = |(noun, id, point): &(&'static Noun, Uuid, Option<Uuid>)| {
        let if_of = |other: &Noun| (noun.table == other.table).then_some(*id);
        CoverageItem {
            r#type: noun.name.to_owned(),
            element_id: *id,
            point_id: point.map(InteractionPointId),
            expectation_id: if_of(&expectation::NOUN).map(ExpectationId),
            offer_id: if_of(&offer::NOUN).map(OfferId),
        }
    };
    let listed = finding.items.iter().take(usize::try_from(first).unwrap_or_default());
    CoverageFinding {
        key: finding.key,
        definition: definition.to_owned(),
        count: count(finding.items.len()),
        of: count(finding.of),
        share,
        mutation: mutation.to_owned(),
        input_field: input_field.to_owned(),
        items: listed.map(item).collect(),
    }
}
