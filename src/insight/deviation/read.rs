//! Reads a plan, and what customers did.

use std::collections::HashSet;

use entity::{
    Noun, customer, id::JourneyId, interaction, interaction_point, medium, noun::Relationship, step, step_link,
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use super::{
    compare::{Mediums, Visit},
    plan::{Plan, PlannedLink, PlannedStep},
};
use crate::{
    Error, Result,
    record::completed::completed,
    record::time_range::TimeRange,
    store::{
        Scope,
        paging::page::{PageQuery, Selection, Term},
        statement::{
            cell::{Cell, Column},
            filter::{Comparison, Predicate},
            template::PlanSize,
            typed::Columns,
        },
    },
};

/// Maximum number of interactions to compare.
const MAX_INTERACTIONS: usize = 100_000;
/// Number of interactions read at a time.
const AT_A_TIME: usize = 25_000;
/// Maximum number of steps of a journey, of its links, and of the mediums of an organization.
const MAX_ROWS: usize = 100_000;
/// Maximum number of mediums of a point.
const MAX_MEDIUMS: usize = 1_000;

/// Whose interactions are compared.
pub(super) enum People {
    All,
    Customer(Uuid),
    Account(Uuid),
    Segment(String),
}

/// Reads the steps and links of a journey.
pub(super) async fn plan(scope: &Scope, journey: JourneyId) -> Result<Plan> {
    let columns = (step::POSITION, step::ID, step::POINT_ID);
    let mut steps = scope.select(columns, step::JOURNEY_ID, &[journey.0], MAX_ROWS).await?;
    steps.sort_unstable();
    let columns = (step_link::FROM_ID, step_link::TO_ID, step_link::KIND);
    let links = scope.select(columns, step_link::JOURNEY_ID, &[journey.0], MAX_ROWS).await?;
    let steps = steps.into_iter().map(|(_, id, point)| PlannedStep { id: id.0, point: point.0 });
    let links = links.into_iter().map(|(from, to, kind)| PlannedLink { from: from.0, to: to.0, kind });
    Ok(Plan::new(steps.collect(), &links.collect::<Vec<_>>()))
}

/// Reads the mediums of the points of a plan, and the categories of all mediums.
pub(super) async fn mediums(scope: &Scope, plan: &Plan) -> Result<Mediums> {
    let points: HashSet<Uuid> = plan.steps.iter().map(|step| step.point).collect();
    let points: Vec<Uuid> = points.into_iter().collect();
    let query = PageQuery {
        filter: Predicate::always(),
        order: vec![Term::new(medium::ID.into(), false)],
        after: None,
        before: None,
        limit: MAX_MEDIUMS,
        looks_ahead: false,
        is_backward: false,
    };
    let selection = Selection::new(&medium::NOUN, Vec::new(), Vec::new(), &PlanSize::default());
    let pages = scope.children(&selection, &query, relation(&interaction_point::NOUN, "mediums")?, &points).await?;
    let ids = |rows: Vec<Vec<Cell>>| rows.iter().filter_map(|row| row.first()?.id()).collect();
    let of_points = pages.into_iter().map(|(point, page)| (point, ids(page.rows)));
    let rows = scope.select_all((medium::ID, medium::PARENT_ID), MAX_ROWS).await?;
    if rows.len() > MAX_ROWS {
        return Err(Error::BadInput(format!("there are more than {MAX_ROWS} mediums")));
    }
    let parents = rows.into_iter().filter_map(|(id, parent)| Some((id.0, parent?.0)));
    Ok(Mediums::new(of_points.collect(), parents.collect()))
}

/// Reads completed interactions of people, at the points of the map and outside them. Err above [`MAX_INTERACTIONS`].
pub(super) async fn visits(scope: &Scope, people: People, between: TimeRange) -> Result<Vec<Visit>> {
    let columns = (
        interaction::ID,
        interaction::OCCURRED_AT,
        interaction::SCHEDULED_AT,
        interaction::POINT_ID,
        interaction::MEDIUM_ID,
        interaction::CUSTOMER_ID,
    );
    let order = [interaction::OCCURRED_AT.into(), interaction::ID.into()];
    let mut query = PageQuery {
        filter: filter(people, between)?,
        order: order.map(|column: Column| Term::new(column, false)).into(),
        after: None,
        before: None,
        limit: AT_A_TIME,
        looks_ahead: true,
        is_backward: false,
    };
    let selection = Selection::new(&interaction::NOUN, columns.columns(), Vec::new(), &PlanSize::default());
    let mut visits: Vec<Visit> = Vec::new();
    loop {
        let page = scope.page(&selection, &query).await?;
        let rows = page.rows.iter().filter_map(|cells| columns.row(cells));
        visits.extend(rows.filter_map(|(id, at, scheduled, point, medium, customer)| {
            let millis = |at: ChronoUnixTimestampMillis| at.0.timestamp_millis();
            Some(Visit {
                customer: customer?.0,
                at: millis(at?),
                id: id.0,
                scheduled: scheduled.map(millis),
                point: point.map(|point| point.0),
                medium: medium.map(|medium| medium.0),
            })
        }));
        let last = visits.last().map(|last| vec![Cell::Int(last.at), Cell::Id(last.id)]);
        match last.filter(|_| page.has_more) {
            None => return Ok(visits),
            Some(_) if visits.len() >= MAX_INTERACTIONS => {
                let message = format!("there are more than {MAX_INTERACTIONS} interactions: narrow `between`");
                return Err(Error::BadInput(message));
            }
            after => query.after = after,
        }
    }
}

fn filter(people: People, between: TimeRange) -> Result<Predicate> {
    let is = |column: Column, comparison| Predicate::Column(column, comparison);
    let is_known = |column: Column| Predicate::Not(Box::new(is(column, Comparison::IsNull)));
    let mut all = completed(between.millis());
    let customers = |column: Column, value| -> Result<Predicate> {
        let inside = Box::new(is(column, Comparison::Eq(value)));
        Ok(Predicate::Some(relation(&interaction::NOUN, "customer")?, inside))
    };
    all.push(match people {
        People::All => is_known(interaction::CUSTOMER_ID.into()),
        People::Customer(id) => is(interaction::CUSTOMER_ID.into(), Comparison::Eq(Cell::Id(id))),
        People::Account(id) => customers(customer::ACCOUNT_ID.into(), Cell::Id(id))?,
        People::Segment(segment) => customers(customer::SEGMENT.into(), Cell::Text(segment))?,
    });
    Ok(Predicate::All(all))
}

fn relation(noun: &'static Noun, name: &str) -> Result<&'static Relationship> {
    noun.relation(name).ok_or_else(|| Error::internal(format!("{} has no {name}", noun.name)))
}
