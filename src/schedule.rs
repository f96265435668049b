//! Schedules: cron expressions in the calendar of a time zone.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;

/// When something recurs: a cron expression of minute, hour, day of month, month and day of week, for example `30 2 * *
/// MON`.
///
/// A fixed time that the clock skips happens when the clock has skipped it; one that the clock repeats happens once.
#[derive(Clone, Debug)]
pub struct Schedule(Cron);

impl Schedule {
    /// Returns the schedule of an expression; `None` if it is not valid.
    pub fn parse(expression: &str) -> Option<Self> {
        Cron::from_str(expression).ok().map(Self)
    }

    /// Returns the first occurrence after an instant, by the clock of a time zone. `None` if there is none, such as for
    /// a 30th of February.
    pub fn next(&self, after: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let next = self.0.find_next_occurrence(&after.with_timezone(&zone), false);
        next.ok().map(|next| next.to_utc())
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
