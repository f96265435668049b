//! Business calendars: their time zone, and intervals that do not overlap.

use std::collections::{HashMap, HashSet};

use entity::{
    business_calendar::{self, TIME_ZONE},
    business_interval::{CALENDAR_ID, CLOSES, ID, NOUN, OPENS, WEEKDAY},
    id::BusinessCalendarId,
    kind::LocalTime,
    organization::{self, Weekday},
};
use sea_orm::prelude::Uuid;

use super::holiday_import::IMPORT;
use crate::{
    Result,
    error::Code,
    graphql::slice::Module,
    store::{
        Tx,
        writing::{
            draft::Draft,
            write::{ChildOf, Hooks},
        },
    },
};

/// Maximum number of intervals of a calendar.
pub(super) const MOST_INTERVALS: usize = 100;

/// GraphQL module of business calendars.
pub const CALENDARS: Module = Module {
    rules: Hooks { prepare: |tx, drafts| Box::pin(set_zone(tx, drafts)), ..Hooks::NONE },
    mutations: &[IMPORT],
    ..Module::new(&business_calendar::NOUN)
};

/// GraphQL module of the intervals of business calendars.
pub const INTERVALS: Module = Module {
    rules: Hooks {
        prepare: |tx, drafts| Box::pin(check(tx, drafts)),
        child_of: Some(ChildOf { relation: "calendar", position: None, most: MOST_INTERVALS }),
        ..Hooks::NONE
    },
    ..Module::new(&NOUN)
};

/// Gives calendars without a time zone that of the organization.
async fn set_zone(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    let wants_zone = |draft: &Draft| draft.errors.is_empty() && draft.get(TIME_ZONE).is_none();
    if drafts.iter().any(wants_zone) {
        let own = tx.select_by_ids_unchecked((organization::TIME_ZONE,), &[tx.organization().0]).await?;
        let own = own.into_iter().next().map(|(zone,)| zone).unwrap_or_default();
        for draft in drafts.iter_mut().filter(|draft| wants_zone(draft)) {
            draft.set(TIME_ZONE, own.clone());
        }
    }
    Ok(())
}

/// An interval of a calendar on a day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Interval {
    calendar: BusinessCalendarId,
    weekday: Weekday,
    opens: LocalTime,
    closes: LocalTime,
}

impl Interval {
    fn of(draft: &Draft) -> Option<Self> {
        Some(Self {
            calendar: draft.get(CALENDAR_ID)?,
            weekday: draft.get(WEEKDAY)?,
            opens: draft.get(OPENS)?,
            closes: draft.get(CLOSES)?,
        })
    }

    fn overlaps(&self, other: &Self) -> bool {
        (self.calendar, self.weekday) == (other.calendar, other.weekday)
            && self.opens < other.closes
            && other.opens < self.closes
    }
}

/// Refuses intervals that end before they begin, and those that overlap others of their day. The calendars are locked as
/// the parents of their intervals.
async fn check(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
        if Interval::of(draft).is_some_and(|it| it.closes <= it.opens) {
            let field = if draft.gives(CLOSES) { "closes" } else { "opens" };
            draft.refuse(Code::OutOfRange, field, "closes must be after opens");
        }
    }
    let calendars: HashSet<Uuid> = drafts.iter().filter_map(|draft| draft.get(CALENDAR_ID)).map(Uuid::from).collect();
    let calendars: Vec<Uuid> = calendars.into_iter().collect();
    let columns = (ID, CALENDAR_ID, WEEKDAY, OPENS, CLOSES);
    let stored = tx.select_unchecked(columns, CALENDAR_ID, &calendars, calendars.len() * MOST_INTERVALS).await?;
    let stored = stored
        .into_iter()
        .map(|(id, calendar, weekday, opens, closes)| (Uuid::from(id), Interval { calendar, weekday, opens, closes }));
    let stored: HashMap<Uuid, Interval> = stored.collect();
    // An interval whose change is refused stays as it was, where others may want to be.
    while let Some(place) = overlapping(drafts, &stored) {
        let message = "the interval overlaps another one of the calendar on this day";
        drafts[place].refuse(Code::Invalid, "opens", message);
    }
    Ok(())
}

/// Returns the first draft whose interval overlaps that of an earlier one, or a stored one that stays.
fn overlapping(drafts: &[Draft], stored: &HashMap<Uuid, Interval>) -> Option<usize> {
    let sound = || drafts.iter().enumerate().filter(|(_, draft)| draft.errors.is_empty());
    let moving: HashSet<Uuid> = sound().map(|(_, draft)| draft.id).collect();
    let mut taken: Vec<Interval> =
        stored.iter().filter(|(id, _)| !moving.contains(*id)).map(|(_, interval)| *interval).collect();
    for (place, draft) in sound() {
        let Some(wanted) = Interval::of(draft) else { continue };
        if taken.iter().any(|known| known.overlaps(&wanted)) {
            return Some(place);
        }
        taken.push(wanted);
    }
    None
}
