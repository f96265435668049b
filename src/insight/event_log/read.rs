//! Reads the events and objects of a log.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, SecondsFormat};
use entity::{
    Col, Noun, customer, department,
    id::{AccountId, CustomerId, DepartmentId, InteractionId, InteractionPointId, MediumId},
    interaction::{self, InteractionDirection, InteractionPurpose, RelationshipStage},
    interaction_point, medium,
    noun::{Relationship, StringEnum},
    step,
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use crate::{
    Error, Result,
    record::completed::completed,
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

/// Maximum number of steps of a journey.
const MAX_STEPS: usize = 100_000;

/// The name of an activity at each point of a journey.
pub(super) type Activities = HashMap<Uuid, String>;

/// A completed interaction at a point of the journey.
pub(super) struct Event {
    pub id: InteractionId,
    /// When it took place, in epoch milliseconds.
    pub at: i64,
    pub point: InteractionPointId,
    pub medium: Option<MediumId>,
    pub customer: Option<CustomerId>,
    pub account: Option<AccountId>,
    pub department: Option<DepartmentId>,
    pub direction: Option<InteractionDirection>,
    pub purpose: Option<InteractionPurpose>,
    pub stage: Option<RelationshipStage>,
    pub is_automated: bool,
    /// Subject of the member of staff who took part.
    pub resource: Option<String>,
}

/// A type of objects that take part in events.
pub(super) struct ObjectType {
    pub noun: &'static Noun,
    id: Column,
    /// The column of the name, unless it is personal.
    pub name: Option<Column>,
}

impl ObjectType {
    pub fn of<T>(id: Col<T>, name: Option<Column>) -> Self {
        Self { noun: id.noun(), id: id.into(), name }
    }
}

/// A row that took part in an event.
pub(super) struct Object {
    pub id: Uuid,
    pub name: Option<String>,
}

// Columns of an event in two parts: a tuple of columns has at most six.
type FirstColumns = (
    Col<InteractionId>,
    Col<Option<ChronoUnixTimestampMillis>>,
    Col<Option<InteractionPointId>>,
    Col<Option<MediumId>>,
    Col<Option<CustomerId>>,
    Col<Option<AccountId>>,
);
const FIRST: FirstColumns = (
    interaction::ID,
    interaction::OCCURRED_AT,
    interaction::POINT_ID,
    interaction::MEDIUM_ID,
    interaction::CUSTOMER_ID,
    interaction::ACCOUNT_ID,
);
type SecondColumns = (
    Col<Option<DepartmentId>>,
    Col<Option<InteractionDirection>>,
    Col<Option<InteractionPurpose>>,
    Col<Option<RelationshipStage>>,
    Col<bool>,
    Col<Option<String>>,
);
const SECOND: SecondColumns = (
    interaction::DEPARTMENT_ID,
    interaction::DIRECTION,
    interaction::PURPOSE,
    interaction::STAGE,
    interaction::IS_AUTOMATED,
    interaction::STAFF_SUBJECT,
);

impl Event {
    fn of(cells: &[Cell]) -> Option<Self> {
        let (first, rest) = cells.split_at_checked(FIRST.columns().len())?;
        let (id, at, point, medium, customer, account) = FIRST.row(first)?;
        let (department, direction, purpose, stage, is_automated, resource) = SECOND.row(rest)?;
        let (at, point) = (at?.0.timestamp_millis(), point?);
        Some(Self {
            id,
            at,
            point,
            medium,
            customer,
            account,
            department,
            direction,
            purpose,
            stage,
            is_automated,
            resource,
        })
    }

    /// Returns the position of the event in the order of time.
    pub fn position(&self) -> Vec<Cell> {
        vec![Cell::Int(self.at), Cell::Id(self.id.0)]
    }

    /// Returns when it took place in RFC 3339, UTC.
    pub fn time(&self) -> String {
        let at = DateTime::from_timestamp_millis(self.at).unwrap_or_default();
        at.to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// Returns the attributes that both formats have under the same name.
    pub fn attributes(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let direction = self.direction.map(|value| ("direction", value.name()));
        let purpose = self.purpose.map(|value| ("purpose", value.name()));
        direction.into_iter().chain(purpose).chain(self.stage.map(|value| ("stage", value.name())))
    }
}

/// Returns the name of the activity at each point of the journey: the label of the first step that places the point, or
/// else the name of the point.
pub(super) async fn activities(scope: &Scope, journey: Uuid) -> Result<Activities> {
    let columns = (step::POSITION, step::ID, step::POINT_ID, step::LABEL);
    let mut steps = scope.select(columns, step::JOURNEY_ID, &[journey], MAX_STEPS).await?;
    steps.sort_unstable();
    let mut labels: BTreeMap<Uuid, Option<String>> = BTreeMap::new();
    for (_, _, point, label) in steps {
        labels.entry(point.0).or_insert(label);
    }
    let points: Vec<Uuid> = labels.keys().copied().collect();
    let named = scope.select_by_ids((interaction_point::ID, interaction_point::NAME), &points).await?;
    let named = named.into_iter().map(|(point, name)| (point.0, labels.remove(&point.0).flatten().unwrap_or(name)));
    Ok(named.collect())
}

/// Returns the condition on the interactions of a log.
pub(super) fn filter(activities: &Activities, between: (Option<i64>, Option<i64>)) -> Predicate {
    let mut points: Vec<Uuid> = activities.keys().copied().collect();
    points.sort_unstable();
    let points = Comparison::In(points.into_iter().map(Cell::Id).collect());
    let mut all = completed(between);
    all.push(Predicate::Column(interaction::POINT_ID.into(), points));
    Predicate::All(all)
}

/// Returns the next events in the order of time, and whether more follow.
pub(super) async fn events(
    scope: &Scope,
    filter: &Predicate,
    after: Option<Vec<Cell>>,
    most: usize,
) -> Result<(Vec<Event>, bool)> {
    let page = scope.page(&selection(), &in_time(filter, after, most)).await?;
    Ok((read(&page.rows)?, page.has_more))
}

/// Returns the next events of each of the customers in the order of time, and whether more follow.
pub(super) async fn events_of(
    scope: &Scope,
    customers: &[Uuid],
    filter: &Predicate,
    after: Option<Vec<Cell>>,
    most: usize,
) -> Result<HashMap<Uuid, (Vec<Event>, bool)>> {
    let of_customer = interactions_of(&customer::NOUN)?;
    let pages = scope.children(&selection(), &in_time(filter, after, most), of_customer, customers).await?;
    pages.into_iter().map(|(customer, page)| Ok((customer, (read(&page.rows)?, page.has_more)))).collect()
}

fn read(rows: &[Vec<Cell>]) -> Result<Vec<Event>> {
    let event = |cells: &Vec<Cell>| Event::of(cells).ok_or_else(|| Error::internal("an event has no time or point"));
    rows.iter().map(event).collect()
}

fn selection() -> Selection {
    let columns = FIRST.columns().into_iter().chain(SECOND.columns()).collect();
    Selection::new(&interaction::NOUN, columns, Vec::new(), &PlanSize::default())
}

fn in_time(filter: &Predicate, after: Option<Vec<Cell>>, most: usize) -> PageQuery {
    ordered(filter.clone(), &[interaction::OCCURRED_AT.into(), interaction::ID.into()], after, most)
}

fn ordered(filter: Predicate, order: &[Column], after: Option<Vec<Cell>>, limit: usize) -> PageQuery {
    let order = order.iter().map(|column| Term::new(*column, false)).collect();
    PageQuery { filter, order, after, before: None, limit, looks_ahead: true, is_backward: false }
}

/// Returns the next rows of a noun, in the order of ids, that took part in an event, and whether more follow.
pub(super) async fn objects(
    scope: &Scope,
    kind: &ObjectType,
    filter: &Predicate,
    after: Option<Uuid>,
    most: usize,
) -> Result<(Vec<Object>, bool)> {
    let filter = Predicate::Some(interactions_of(kind.noun)?, Box::new(filter.clone()));
    let query = ordered(filter, &[kind.id], after.map(|after| vec![Cell::Id(after)]), most);
    let columns = std::iter::once(kind.id).chain(kind.name).collect();
    let page = scope.page(&Selection::new(kind.noun, columns, Vec::new(), &PlanSize::default()), &query).await?;
    let object = |cells: &Vec<Cell>| {
        Some(Object { id: cells.first()?.id()?, name: kind.name.and_then(|_| cells.get(1)?.text().map(str::to_owned)) })
    };
    Ok((page.rows.iter().filter_map(object).collect(), page.has_more))
}

/// Returns the names of the mediums and departments of events.
pub(super) async fn names<'a>(
    scope: &Scope,
    events: impl Iterator<Item = &'a Event> + Clone,
) -> Result<HashMap<Uuid, String>> {
    let distinct = |ids: &mut Vec<Uuid>| {
        ids.sort_unstable();
        ids.dedup();
    };
    let mut mediums: Vec<Uuid> = events.clone().filter_map(|event| Some(event.medium?.0)).collect();
    let mut departments: Vec<Uuid> = events.filter_map(|event| Some(event.department?.0)).collect();
    distinct(&mut mediums);
    distinct(&mut departments);
    let mediums = scope.select_by_ids((medium::ID, medium::NAME), &mediums).await?;
    let departments = scope.select_by_ids((department::ID, department::NAME), &departments).await?;
    let mediums = mediums.into_iter().map(|(id, name)| (id.0, name));
    Ok(mediums.chain(departments.into_iter().map(|(id, name)| (id.0, name))).collect())
}

fn interactions_of(noun: &'static Noun) -> Result<&'static Relationship> {
    let known = noun.relation("interactions");
    known.ok_or_else(|| Error::internal(format!("{} has no interactions", noun.name)))
}
