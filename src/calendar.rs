//! Time buckets: hours, days, weeks, months, quarters or years in the calendar of a time zone.

use chrono::{
    DateTime, Datelike, Days, MappedLocalTime, Months, NaiveDate, NaiveTime, Offset, TimeDelta, TimeZone, Utc,
};
use chrono_tz::{GapInfo, Tz};
use entity::organization::Weekday;

entity::string_enum! {
    /// Unit of a time bucket, in the calendar of a time zone.
    BucketUnit as "BucketUnit" {
        /// A full hour of local time.
        Hour = "HOUR",
        /// A local day. It has 23 or 25 hours when the clocks change.
        Day = "DAY",
        /// Seven local days, from the first day of the organization's week.
        Week = "WEEK",
        /// A calendar month.
        Month = "MONTH",
        /// Three calendar months, from January, April, July or October.
        Quarter = "QUARTER",
        /// A calendar year.
        Year = "YEAR",
    }
}

/// Seconds per hour.
const HOUR: i64 = 3_600;

/// Returns the starts, in epoch milliseconds, of the contiguous half-open buckets that cover `from..=to`, followed by
/// the end of the last bucket. `None` if there are more than `most` buckets. A `to` before `from` counts as `from`.
pub fn boundaries(
    unit: BucketUnit,
    zone: Tz,
    week_start: Weekday,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    most: usize,
) -> Option<Vec<i64>> {
    let calendar = Calendar { unit, zone, week_start };
    let to = to.max(from);
    let mut edge = calendar.start_of_bucket(from)?;
    let mut edges = vec![edge.timestamp_millis()];
    while edge <= to {
        if edges.len() > most {
            return None;
        }
        edge = calendar.next(edge)?;
        edges.push(edge.timestamp_millis());
    }
    Some(edges)
}

/// Returns the first instant of a local day: midnight, the first of two midnights, or the end of a gap that contains it.
pub fn start_of_day(zone: Tz, date: NaiveDate) -> Option<DateTime<Utc>> {
    let midnight = date.and_time(NaiveTime::MIN);
    let start = match zone.from_local_datetime(&midnight) {
        MappedLocalTime::Single(start) | MappedLocalTime::Ambiguous(start, _) => start,
        MappedLocalTime::None => GapInfo::new(&midnight, &zone)?.end?,
    };
    Some(start.to_utc())
}

struct Calendar {
    unit: BucketUnit,
    zone: Tz,
    week_start: Weekday,
}

impl Calendar {
    /// Returns the start of the bucket that contains `at`.
    fn start_of_bucket(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // Starting before the longest possible bucket and walking forward needs only one rule for where buckets begin.
        let mut edge = self.next(at.checked_sub_signed(self.longest())?)?;
        loop {
            let next = self.next(edge)?;
            if next > at {
                return Some(edge);
            }
            edge = next;
        }
    }

    /// An upper bound for the length of a bucket, even where a change of the clock or of the date line repeats a day.
    const fn longest(&self) -> TimeDelta {
        match self.unit {
            BucketUnit::Hour => TimeDelta::hours(3),
            BucketUnit::Day => TimeDelta::days(3),
            BucketUnit::Week => TimeDelta::days(9),
            BucketUnit::Month => TimeDelta::days(33),
            BucketUnit::Quarter => TimeDelta::days(94),
            BucketUnit::Year => TimeDelta::days(368),
        }
    }

    /// Returns the first start of a bucket after `at`. `None` past the end of the calendar.
    fn next(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.unit == BucketUnit::Hour {
            return self.next_hour(at.timestamp());
        }
        let mut date = self.first_date(at.with_timezone(&self.zone).date_naive())?;
        loop {
            date = self.following(date)?;
            let start = start_of_day(self.zone, date)?;
            // A day that the date line skips starts at the same instant as the next day, and so is not a bucket.
            if start > at {
                return Some(start);
            }
        }
    }

    /// Returns the first date of the unit that contains `date`.
    fn first_date(&self, date: NaiveDate) -> Option<NaiveDate> {
        match self.unit {
            BucketUnit::Hour | BucketUnit::Day => Some(date),
            BucketUnit::Week => {
                let into_week = date.weekday().days_since(weekday(self.week_start));
                date.checked_sub_days(Days::new(into_week.into()))
            }
            BucketUnit::Month => date.with_day(1),
            BucketUnit::Quarter => NaiveDate::from_ymd_opt(date.year(), date.month0() / 3 * 3 + 1, 1),
            BucketUnit::Year => NaiveDate::from_ymd_opt(date.year(), 1, 1),
        }
    }

    /// Returns the first date of the next unit.
    fn following(&self, first: NaiveDate) -> Option<NaiveDate> {
        match self.unit {
            BucketUnit::Hour | BucketUnit::Day => first.checked_add_days(Days::new(1)),
            BucketUnit::Week => first.checked_add_days(Days::new(7)),
            BucketUnit::Month => first.checked_add_months(Months::new(1)),
            BucketUnit::Quarter => first.checked_add_months(Months::new(3)),
            BucketUnit::Year => first.checked_add_months(Months::new(12)),
        }
    }

    /// Returns the first whole hour on the local clock after `second`, or the instant at which the clock skips one.
    fn next_hour(&self, second: i64) -> Option<DateTime<Utc>> {
        let offset_before = offset(self.zone, second)?;
        let hour = next_whole_hour(second + offset_before) - offset_before;
        if offset(self.zone, hour)? == offset_before {
            return DateTime::from_timestamp(hour, 0);
        }
        let change = change(self.zone, second, hour)?;
        let was = change + offset_before;
        let is = change + offset(self.zone, change)?;
        let skipped = was <= is - is.rem_euclid(HOUR);
        let starts = if is.rem_euclid(HOUR) == 0 || skipped { change } else { change + next_whole_hour(is) - is };
        DateTime::from_timestamp(starts, 0)
    }
}

/// Returns the offset of the local clock from UTC, in seconds.
pub(crate) fn offset(zone: Tz, second: i64) -> Option<i64> {
    let at = DateTime::from_timestamp(second, 0)?.naive_utc();
    Some(zone.offset_from_utc_datetime(&at).fix().local_minus_utc().into())
}

/// Returns the first second in `before + 1..=after` whose offset differs from that of `before`; that of `after` must.
pub(crate) fn change(zone: Tz, mut before: i64, mut after: i64) -> Option<i64> {
    let known = offset(zone, before)?;
    while after - before > 1 {
        let middle = before.midpoint(after);
        if offset(zone, middle)? == known {
            before = middle;
        } else {
            after = middle;
        }
    }
    Some(after)
}

const fn next_whole_hour(local: i64) -> i64 {
    local - local.rem_euclid(HOUR) + HOUR
}

const fn weekday(day: Weekday) -> chrono::Weekday {
    match day {
        Weekday::Monday => chrono::Weekday::Mon,
        Weekday::Tuesday => chrono::Weekday::Tue,
        Weekday::Wednesday => chrono::Weekday::Wed,
        Weekday::Thursday => chrono::Weekday::Thu,
        Weekday::Friday => chrono::Weekday::Fri,
        Weekday::Saturday => chrono::Weekday::Sat,
        Weekday::Sunday => chrono::Weekday::Sun,
    }
}

#[cfg(test)]
#[path = "calendar_tests.rs"]
mod tests;
