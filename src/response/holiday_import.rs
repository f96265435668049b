//! The mutation `businessCalendarImportHolidays`, which reads holidays from an iCalendar document.

use std::collections::HashSet;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use entity::{
    Permission, business_calendar,
    holiday::{CALENDAR_ID, DATE, NAME, NOUN},
    id::{self, BusinessCalendarId},
    kind::Date,
};
use icalendar::parser::{Component, Property, read_calendar_simple, unfold};
use rrule::{RRuleSet, Tz};

use super::holiday::{MOST_HOLIDAYS, RULES};
use crate::{
    Result, UserError,
    error::Code,
    graphql::{
        slice::{Done, Mutation},
        typed::{
            fields::{Planned, PlannedMutationFn, Planning},
            input::{Input, RefTo},
        },
    },
    store::{
        ExternalId, Tx,
        writing::draft::{Draft, Mode, Outcome, Target},
    },
    text::{is_blank, refused_in_name, trim},
};

/// Maximum length of a document in bytes.
const MAX_BYTES: usize = 1024 * 1024;
/// Maximum depth of components in components: the parser calls itself for each.
const MAX_DEPTH: usize = 8;
/// Maximum number of events of a document.
const MAX_EVENTS: usize = 5_000;
/// Maximum number of recurring events of a document: one that never comes is looked for long.
const MAX_RECURRING: usize = 100;
/// Maximum number of days that recurring events of a document may come to, wanted or not.
const MAX_DAYS: usize = 100_000;
/// Maximum number of days between `from` and `to`: ten years.
const MAX_SPAN: i64 = 3_653;
/// Maximum length of the name of a holiday, in characters.
const MAX_NAME: usize = 200;
/// Maximum length of the `UID` of an event, in characters.
const MAX_UID: usize = 200;
/// First year of events: those that recur are counted from it.
const FIRST_YEAR: i32 = 1900;
/// System of the external ids of imported holidays.
const SYSTEM: &str = "icalendar";
/// Rule parts of recurring days; others divide days.
const PARTS: [&str; 11] = [
    "FREQ",
    "INTERVAL",
    "COUNT",
    "UNTIL",
    "WKST",
    "BYMONTH",
    "BYMONTHDAY",
    "BYDAY",
    "BYYEARDAY",
    "BYWEEKNO",
    "BYSETPOS",
];
/// Frequencies of recurring days.
const FREQUENCIES: [&str; 4] = ["YEARLY", "MONTHLY", "WEEKLY", "DAILY"];

/// The mutation `businessCalendarImportHolidays`.
pub(super) const IMPORT: Mutation = Mutation {
    name: "businessCalendarImportHolidays",
    doc: "Adds the all-day events of an iCalendar document (RFC 5545) to the holidays of a calendar, those that recur on each \
          of their days. Each holiday gets an external id of the system `icalendar` from the calendar, the day and the UID \
          of the event, so that a repeated import changes what was renamed and nothing else. Events with a time of day, and \
          those that are cancelled, are left out; holidays that the document no longer contains stay.",
    permissions: &[Permission::ResponseWrite],
    run: &PlannedMutationFn::new(plan, |tx, plan| Box::pin(run(tx, plan))),
};

/// Which holidays to import into which calendar.
#[derive(Input)]
struct BusinessCalendarImportHolidays {
    /// The calendar.
    by: RefTo<BusinessCalendarId>,
    /// First day that is wanted.
    from: Date,
    /// Last day that is wanted, at most ten years after the first. Up to 1,000 holidays are imported.
    to: Date,
    /// The document, up to 1 MiB and 5,000 events, of which 100 may recur.
    document: String,
}

/// Holidays to write.
struct Plan {
    calendar: RefTo<BusinessCalendarId>,
    holidays: Vec<Day>,
}

/// A holiday of a document.
#[derive(Debug, PartialEq, Eq)]
struct Day {
    date: NaiveDate,
    name: String,
    uid: String,
}

/// What is wrong with a document, or with an event of it: its place, the code and the message.
type Mistake = (Option<usize>, Code, String);

fn plan(input: BusinessCalendarImportHolidays, Planning { computation, .. }: Planning<'_>) -> Result<Planned<Plan>> {
    let BusinessCalendarImportHolidays { by: calendar, from, to, document } = input;
    let refuse = |code, field: &str, message: &str| Ok(Err(vec![UserError::new(code, field, message)]));
    if to.days() - from.days() > MAX_SPAN || to < from {
        return refuse(Code::OutOfRange, "to", "must be from 0 to 3,653 days after from");
    }
    let (Some(from), Some(to)) = (from.day(), to.day()) else {
        return refuse(Code::Invalid, "from", "is no date");
    };
    Ok(match read(&document, from, to, || computation.check())? {
        Ok(holidays) => Ok(Plan { calendar, holidays }),
        Err(mistakes) => Err(mistakes
            .into_iter()
            .map(|(event, code, message)| {
                let mut path = vec!["document".to_owned()];
                path.extend(event.into_iter().flat_map(|event| ["events".to_owned(), event.to_string()]));
                UserError { code, message, path }
            })
            .collect()),
    })
}

/// Returns the holidays of a document from one day to another, each once, or what is wrong with it. `check` stops it.
fn read(
    document: &str,
    from: NaiveDate,
    to: NaiveDate,
    check: impl Fn() -> Result<()>,
) -> Result<std::result::Result<Vec<Day>, Vec<Mistake>>> {
    let whole = |code, message: String| Ok(Err(vec![(None, code, message)]));
    if document.len() > MAX_BYTES {
        return whole(Code::TooLong, format!("the document exceeds {MAX_BYTES} bytes"));
    }
    let text = unfold(crate::text::without_byte_order_mark(document));
    if is_deep(&text) {
        return whole(Code::Invalid, format!("components are nested more than {MAX_DEPTH} deep"));
    }
    let Ok(roots) = read_calendar_simple(&text) else {
        return whole(Code::Invalid, "the document is no iCalendar".to_owned());
    };
    let calendars: Vec<&Component<'_>> =
        roots.iter().filter(|root| is_named(root.name.as_str(), "VCALENDAR")).collect();
    if calendars.is_empty() {
        return whole(Code::Invalid, "the document is no iCalendar: it has no VCALENDAR".to_owned());
    }
    let inner = calendars.into_iter().flat_map(|calendar| &calendar.components);
    let events: Vec<&Component<'_>> = inner.filter(|inner| is_named(inner.name.as_str(), "VEVENT")).collect();
    if events.len() > MAX_EVENTS {
        return whole(Code::TooLong, format!("the document has more than {MAX_EVENTS} events"));
    }
    if events.iter().filter(|event| property(event, "RRULE").is_some()).count() > MAX_RECURRING {
        return whole(Code::TooLong, format!("the document has more than {MAX_RECURRING} recurring events"));
    }
    let (mut holidays, mut mistakes) = (Vec::new(), Vec::new());
    let (mut seen, mut budget) = (HashSet::new(), MAX_DAYS);
    for (place, event) in events.into_iter().enumerate() {
        check()?;
        match days(event, to, &mut budget) {
            Ok(days) => {
                let wanted = days.into_iter().filter(|day| (from..=to).contains(&day.date));
                holidays.extend(wanted.filter(|day| seen.insert((day.uid.clone(), day.date))));
            }
            Err((code, message)) => mistakes.push((Some(place), code, message)),
        }
        if holidays.len() > MOST_HOLIDAYS {
            return whole(Code::TooLong, format!("the document has more than {MOST_HOLIDAYS} holidays in these years"));
        }
    }
    Ok(if mistakes.is_empty() { Ok(holidays) } else { Err(mistakes) })
}

/// Returns whether components are nested deeper than the parser may go.
fn is_deep(text: &str) -> bool {
    let mut depth = 0_usize;
    text.split(['\n', '\r']).any(|line| {
        let starts_with = |word: &str| line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
        if starts_with("BEGIN:") {
            depth += 1;
        } else if starts_with("END:") {
            depth = depth.saturating_sub(1);
        }
        depth > MAX_DEPTH
    })
}

fn is_named(name: &str, wanted: &str) -> bool {
    name.eq_ignore_ascii_case(wanted)
}

/// Returns the days of an event until `to`; none for one with a time of day, or one that is cancelled.
fn days(event: &Component<'_>, to: NaiveDate, budget: &mut usize) -> std::result::Result<Vec<Day>, (Code, String)> {
    let invalid = |message: &str| (Code::Invalid, message.to_owned());
    if value(event, "STATUS").is_some_and(|status| is_named(status, "CANCELLED")) {
        return Ok(Vec::new());
    }
    let start = property(event, "DTSTART").ok_or_else(|| (Code::Required, "the event has no DTSTART".to_owned()))?;
    if start.val.as_str().contains('T') {
        return Ok(Vec::new());
    }
    let is_no_date = || invalid("DTSTART and DTEND of an all-day event are dates such as 20260131, from 1900 on");
    let first = date(start.val.as_str()).ok_or_else(is_no_date)?;
    // The end is exclusive; without one, the event takes a day.
    let length = match value(event, "DTEND") {
        None => 1,
        Some(end) => (date(end).ok_or_else(is_no_date)? - first).num_days().max(1),
    };
    let name = property(event, "SUMMARY").map_or_else(|| "".into(), |summary| summary.val.to_owned().unescape_text());
    let name = trim(name.as_str()).to_owned();
    if is_blank(&name) {
        return Err((Code::Required, "the event has no SUMMARY".to_owned()));
    }
    if name.chars().count() > MAX_NAME {
        return Err((Code::TooLong, format!("SUMMARY has more than {MAX_NAME} characters")));
    }
    let uid = trim(value(event, "UID").unwrap_or(&name)).to_owned();
    if uid.chars().count() > MAX_UID {
        return Err((Code::TooLong, format!("UID has more than {MAX_UID} characters")));
    }
    if is_blank(&uid) || refused_in_name(&uid).is_some() || refused_in_name(&name).is_some() {
        return Err(invalid("SUMMARY and UID are one line of visible characters"));
    }
    let firsts = match value(event, "RRULE") {
        None => vec![first],
        Some(rule) => recurring(first, rule, to, budget).ok_or_else(|| {
            invalid("RRULE is no rule of days that this server can follow, or one that comes to too many of them")
        })?,
    };
    let excluded = event.properties.iter().filter(|known| is_named(known.name.as_str(), "EXDATE"));
    let excluded: HashSet<NaiveDate> =
        excluded.flat_map(|known| known.val.as_str().split(',')).filter_map(date).collect();
    let mut days = Vec::new();
    for first in firsts.into_iter().filter(|first| !excluded.contains(first)) {
        for date in first.iter_days().take_while(|date| *date <= to && (*date - first).num_days() < length) {
            *budget = budget.checked_sub(1).ok_or_else(|| invalid("the events take too many days"))?;
            days.push(Day { date, name: name.clone(), uid: uid.clone() });
        }
    }
    Ok(days)
}

fn property<'a>(event: &'a Component<'a>, name: &str) -> Option<&'a Property<'a>> {
    event.properties.iter().find(|known| is_named(known.name.as_str(), name))
}

fn value<'a>(event: &'a Component<'a>, name: &str) -> Option<&'a str> {
    property(event, name).map(|known| known.val.as_str().trim())
}

/// Reads a date such as `20260131`, or that of an instant.
fn date(text: &str) -> Option<NaiveDate> {
    let day = text.trim().get(..8)?;
    let is_in_form =
        day.bytes().all(|byte| byte.is_ascii_digit()) && text.trim().get(8..9).is_none_or(|rest| rest == "T");
    let number = |range: std::ops::Range<usize>| day.get(range)?.parse::<u32>().ok();
    let day = NaiveDate::from_ymd_opt(number(0..4)?.try_into().ok()?, number(4..6)?, number(6..8)?)?;
    (is_in_form && chrono::Datelike::year(&day) >= FIRST_YEAR).then_some(day)
}

/// Returns the days on which a rule lets an event begin, until `to`; `None` if it is no rule of days, or if it comes to
/// more days than the budget has.
fn recurring(first: NaiveDate, rule: &str, to: NaiveDate, budget: &mut usize) -> Option<Vec<NaiveDate>> {
    let mut parts = Vec::new();
    for part in rule.split(';').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=')?;
        let (name, value) = (name.to_ascii_uppercase(), value.to_ascii_uppercase());
        if !PARTS.contains(&name.as_str()) || name == "FREQ" && !FREQUENCIES.contains(&value.as_str()) {
            return None;
        }
        // All days begin at midnight UTC here, also the last one.
        let value = if name == "UNTIL" { format!("{}T000000Z", date(&value)?.format("%Y%m%d")) } else { value };
        parts.push(format!("{name}={value}"));
    }
    let text = format!("DTSTART:{}T000000Z\nRRULE:{}", first.format("%Y%m%d"), parts.join(";"));
    let end: DateTime<Utc> = to.checked_add_days(Days::new(1))?.and_time(NaiveTime::MIN).and_utc();
    let rules = text.parse::<RRuleSet>().ok()?.limit().before(end.with_timezone(&Tz::UTC));
    let mut days = Vec::new();
    for day in &rules {
        *budget = budget.checked_sub(1)?;
        if day.date_naive() > to {
            break;
        }
        days.push(day.date_naive());
    }
    Some(days)
}

async fn run(tx: &Tx, plan: &Plan) -> Result<Done> {
    let reference = &plan.calendar.reference;
    let locked = tx.lock_one(&business_calendar::NOUN, Permission::ResponseWrite, reference, None).await?;
    let calendar = match locked {
        Ok(calendar) => calendar.id(),
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    let named = id::encode(business_calendar::NOUN.prefix, calendar);
    let drafts = plan.holidays.iter().map(|day| {
        let key = ExternalId { system: SYSTEM.to_owned(), id: format!("{named}/{}/{}", day.date, day.uid) };
        let mut draft = Draft::new(&NOUN, Target::External(key), Mode::Upsert);
        draft.set(DATE, Date::of(day.date));
        draft.set(NAME, day.name.clone());
        draft.set(CALENDAR_ID, BusinessCalendarId(calendar));
        draft.find_words(tx.organization());
        draft
    });
    let mut drafts: Vec<Draft> = drafts.collect();
    let written = tx.write(&NOUN, &RULES, &mut drafts, true).await?;
    let mistakes: Vec<UserError> = written.iter().flat_map(|row| row.errors.clone()).collect();
    if let Some(first) = mistakes.into_iter().next() {
        return Ok(Err(vec![UserError::new(first.code, "document", first.message)]));
    }
    let is_unchanged = written.iter().all(|row| row.outcome == Outcome::Unchanged);
    Ok(Ok((calendar, if is_unchanged { Outcome::Unchanged } else { Outcome::Updated })))
}

#[cfg(test)]
#[path = "holiday_import_tests.rs"]
mod tests;
