//! Business time: time that passes only while an organization is at work, on the clock of a time zone.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use entity::{
    kind::{Date, LocalTime},
    organization::Weekday,
};

use crate::calendar::{change, offset};

/// Milliseconds of a second, a minute and a day.
const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 24 * 60 * MINUTE;
/// Days after which a search for business time ends: ten years.
const MOST_DAYS: i64 = 3_653;

/// When an organization is at work. An instant is business time if the local clock then shows a time within an interval
/// of the weekday, on a date that is no holiday. So an hour that the clocks skip does not pass, and one that they repeat
/// passes twice.
#[derive(Clone, Debug)]
pub struct BusinessTime {
    zone: Tz,
    /// The intervals of the days of a week from Monday, in milliseconds since midnight, in order.
    week: [Vec<(i64, i64)>; 7],
    /// Days since 1970-01-01.
    holidays: HashSet<i64>,
}

impl BusinessTime {
    /// Returns the business time of intervals that do not overlap, each with a start and an end on a day of the week.
    /// Without intervals, any time but that of holidays is business time.
    pub fn new(
        zone: Tz,
        intervals: impl IntoIterator<Item = (Weekday, LocalTime, LocalTime)>,
        holidays: impl IntoIterator<Item = Date>,
    ) -> Self {
        let mut week: [Vec<(i64, i64)>; 7] = std::array::from_fn(|_| Vec::new());
        for (weekday, opens, closes) in intervals {
            week[weekday as usize].push((opens.minutes() * MINUTE, closes.minutes() * MINUTE));
        }
        if week.iter().all(Vec::is_empty) {
            week = std::array::from_fn(|_| vec![(0, DAY)]);
        }
        for day in &mut week {
            day.sort_unstable();
        }
        Self { zone, week, holidays: holidays.into_iter().map(Date::days).collect() }
    }

    /// Returns the instant at which this much business time has passed since `from`; `None` if it does not pass within
    /// ten years.
    pub fn after(&self, from: DateTime<Utc>, business: TimeDelta) -> Option<DateTime<Utc>> {
        let mut left = business.num_milliseconds();
        if left <= 0 {
            return Some(from);
        }
        let start = from.timestamp_millis();
        let first = start.div_euclid(DAY);
        for (opens, closes) in (first..=first + MOST_DAYS).flat_map(|day| self.open_on(day)) {
            let opens = opens.max(start);
            let length = (closes - opens).max(0);
            if length >= left {
                return DateTime::from_timestamp_millis(opens + left);
            }
            left -= length;
        }
        None
    }

    /// Returns the latest instant from which this much business time passes until `to`; `None` if it is more than ten years
    /// before.
    pub fn before(&self, to: DateTime<Utc>, business: TimeDelta) -> Option<DateTime<Utc>> {
        let mut left = business.num_milliseconds();
        if left <= 0 {
            return Some(to);
        }
        let end = to.timestamp_millis();
        let last = end.div_euclid(DAY);
        for (opens, closes) in (last - MOST_DAYS..=last).rev().flat_map(|day| self.open_on(day).into_iter().rev()) {
            let closes = closes.min(end);
            let length = (closes - opens).max(0);
            if length >= left {
                return DateTime::from_timestamp_millis(closes - left);
            }
            left -= length;
        }
        None
    }

    /// Returns the business time from an instant to a later one, or that of the last ten years before the later one;
    /// zero if it is not later.
    pub fn between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> TimeDelta {
        let end = to.timestamp_millis();
        let start = from.timestamp_millis().max(end - MOST_DAYS * DAY);
        let days = start.div_euclid(DAY)..=end.div_euclid(DAY);
        let ranges = days.flat_map(|day| self.open_on(day));
        TimeDelta::milliseconds(ranges.map(|(opens, closes)| (closes.min(end) - opens.max(start)).max(0)).sum())
    }

    /// Returns the ranges of business time within a day of UTC, in order.
    fn open_on(&self, day: i64) -> Vec<(i64, i64)> {
        let mut open = Vec::new();
        for (start, end, offset) in self.spans(day * DAY, (day + 1) * DAY) {
            for date in (start + offset).div_euclid(DAY)..=(end - 1 + offset).div_euclid(DAY) {
                if self.holidays.contains(&date) {
                    continue;
                }
                // 1970-01-01 was a Thursday, the fourth day of a week.
                let weekday = usize::try_from((date + 3).rem_euclid(7)).expect("a week has seven days");
                for (opens, closes) in &self.week[weekday] {
                    let midnight = date * DAY - offset;
                    let range = ((midnight + opens).max(start), (midnight + closes).min(end));
                    if range.0 < range.1 {
                        open.push(range);
                    }
                }
            }
        }
        open
    }

    /// Returns the parts of a range in which the local clock does not change, each with its offset from UTC, in
    /// milliseconds.
    fn spans(&self, start: i64, end: i64) -> Vec<(i64, i64, i64)> {
        let mut spans = Vec::new();
        let (mut from, to) = (start / SECOND, end / SECOND);
        while from < to {
            let (Some(now), Some(last)) = (offset(self.zone, from), offset(self.zone, to - 1)) else { break };
            let until = if now == last { to } else { change(self.zone, from, to - 1).unwrap_or(to) };
            spans.push((from * SECOND, until * SECOND, now * SECOND));
            from = until;
        }
        spans
    }
}

#[cfg(test)]
#[path = "business_time_tests.rs"]
mod tests;
