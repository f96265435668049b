//! An event log that is written piece by piece, with a bounded number of rows in memory.

use entity::{customer, journey};
use sea_orm::prelude::Uuid;
use serde_json::Value;

use super::{
    EventLogFormat, EventLogQuery, ocel,
    read::{self, Activities, ObjectType},
    xes,
};
use crate::{
    Result,
    store::{
        Scope,
        statement::{cell::Cell, filter::Predicate},
    },
};

/// Number of events, of objects and of events of one customer read at a time, which bounds the memory of a log.
const AT_A_TIME: usize = 100;
/// Number of customers whose events are read at a time.
const CUSTOMERS: usize = 25;

/// A log that is being written. It holds no transaction between two pieces.
pub struct EventLog {
    activities: Activities,
    filter: Predicate,
    next: Place,
}

/// Where the next piece of a log begins.
#[derive(Clone, Debug)]
enum Place {
    /// The traces of the customers after this one.
    Traces(Option<Uuid>),
    /// The events of this customer after a position.
    Trace(Uuid, Vec<Cell>),
    /// The events after a position.
    Events(Option<Vec<Cell>>),
    /// The objects of the type at this place after one of them, and whether one of any type was written before.
    Objects(usize, Option<Uuid>, bool),
    /// After the last piece.
    End,
}

/// A piece of a log, and where the next one begins.
type Piece = (String, Place);

impl EventLog {
    /// Reads the journey, and returns the log with its first piece; `None` if there is no such journey.
    pub async fn begin(scope: &Scope, query: &EventLogQuery) -> Result<Option<(Self, String)>> {
        let journeys = scope.select_by_ids((journey::ID, journey::TITLE), &[query.journey]).await?;
        let Some((_, title)) = journeys.into_iter().next() else { return Ok(None) };
        let activities = read::activities(scope, query.journey).await?;
        let filter = read::filter(&activities, query.between);
        let (first, next) = match query.format {
            EventLogFormat::Xes => (xes::begin(&title), Place::Traces(None)),
            EventLogFormat::Ocel => (ocel::begin(&activities), Place::Events(None)),
        };
        Ok(Some((Self { activities, filter, next }, first)))
    }

    /// Returns the next piece; `None` after the last one. After an error, it can be read again.
    pub async fn next(&mut self, scope: &Scope) -> Result<Option<String>> {
        let (piece, next) = match self.next.clone() {
            Place::Traces(after) => self.traces(scope, after).await?,
            Place::Trace(customer, after) => self.trace(scope, customer, after).await?,
            Place::Events(after) => self.events(scope, after).await?,
            Place::Objects(kind, after, has_some) => self.objects(scope, kind, after, has_some).await?,
            Place::End => return Ok(None),
        };
        self.next = next;
        Ok(Some(piece))
    }

    /// Writes the traces of the next customers, up to one that is too long for a piece.
    async fn traces(&self, scope: &Scope, after: Option<Uuid>) -> Result<Piece> {
        let kind = ObjectType::of(customer::ID, None);
        let (customers, has_more) = read::objects(scope, &kind, &self.filter, after, CUSTOMERS).await?;
        let customers: Vec<Uuid> = customers.into_iter().map(|customer| customer.id).collect();
        let mut events = read::events_of(scope, &customers, &self.filter, None, AT_A_TIME).await?;
        let names = read::names(scope, events.values().flat_map(|(events, _)| events)).await?;
        let mut out = String::new();
        for customer in &customers {
            let Some((events, has_more)) = events.remove(customer) else { continue };
            xes::begin_trace(&mut out, *customer);
            for event in &events {
                xes::event(&mut out, event, &self.activities, &names);
            }
            if let Some(last) = events.last().filter(|_| has_more) {
                return Ok((out, Place::Trace(*customer, last.position())));
            }
            out.push_str(xes::END_OF_TRACE);
        }
        if let Some(last) = customers.last().filter(|_| has_more) {
            return Ok((out, Place::Traces(Some(*last))));
        }
        out.push_str(xes::END);
        Ok((out, Place::End))
    }

    /// Writes the next events of a long trace.
    async fn trace(&self, scope: &Scope, customer: Uuid, after: Vec<Cell>) -> Result<Piece> {
        let mut events = read::events_of(scope, &[customer], &self.filter, Some(after), AT_A_TIME).await?;
        let (events, has_more) = events.remove(&customer).unwrap_or_default();
        let names = read::names(scope, events.iter()).await?;
        let mut out = String::new();
        for event in &events {
            xes::event(&mut out, event, &self.activities, &names);
        }
        if let Some(last) = events.last().filter(|_| has_more) {
            return Ok((out, Place::Trace(customer, last.position())));
        }
        out.push_str(xes::END_OF_TRACE);
        Ok((out, Place::Traces(Some(customer))))
    }

    /// Writes the next events.
    async fn events(&self, scope: &Scope, after: Option<Vec<Cell>>) -> Result<Piece> {
        let is_first = after.is_none();
        let (events, has_more) = read::events(scope, &self.filter, after, AT_A_TIME).await?;
        let mut out = joined(events.iter().map(|event| ocel::event(event, &self.activities)), !is_first);
        if let Some(last) = events.last().filter(|_| has_more) {
            return Ok((out, Place::Events(Some(last.position()))));
        }
        out.push_str(ocel::OBJECTS);
        Ok((out, Place::Objects(0, None, false)))
    }

    /// Writes the next objects.
    async fn objects(&self, scope: &Scope, place: usize, after: Option<Uuid>, has_some: bool) -> Result<Piece> {
        let types = ocel::types();
        let Some(kind) = types.get(place) else { return Ok((ocel::END.to_owned(), Place::End)) };
        let (objects, has_more) = read::objects(scope, kind, &self.filter, after, AT_A_TIME).await?;
        let has_any = has_some || !objects.is_empty();
        let out = joined(objects.iter().map(|object| ocel::object(kind.noun, object)), has_some);
        let last = objects.last().map(|object| object.id).filter(|_| has_more);
        let place = if last.is_some() { place } else { place + 1 };
        Ok((out, Place::Objects(place, last, has_any)))
    }
}

/// Writes items of a JSON list, after a comma if others precede them.
fn joined(items: impl Iterator<Item = Value>, has_others: bool) -> String {
    let mut out = String::new();
    for (place, item) in items.enumerate() {
        if place > 0 || has_others {
            out.push_str(",\n");
        }
        out.push_str(&item.to_string());
    }
    out
}
