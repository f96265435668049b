//! Calendar dates.

use chrono::{Datelike as _, NaiveDate};

use super::{Mistake, Scalar, Storage, Stored};

/// A calendar day without a time zone: number of days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i64);

/// Number of days from chrono's epoch, the first day of the year 1, to 1970-01-01.
const EPOCH: i64 = 719_163;

impl Date {
    /// Description of the scalar.
    pub const SCALAR: &'static Scalar = &Scalar {
        name: "Date",
        doc: "A calendar day without a time zone in ISO 8601 format, years 1 to 9999, for example `2026-01-31`.",
        specified_by: Some("https://www.rfc-editor.org/rfc/rfc3339#section-5.6"),
        wanted: "a date of the years 1 to 9999, such as \"2026-01-31\"",
        storage: Storage::Int { json: |days| format!("\"{}\"", Self(days)) },
        accepts_numbers: false,
        has_range: true,
        parse: |text| Self::parse(text).map(|date| Stored::Int(date.0)).ok_or(Mistake::Form),
    };

    /// Parses a date such as `2026-01-31` of the years 1 to 9999.
    pub fn parse(text: &str) -> Option<Self> {
        let is_in_form = text.len() == 10
            && text
                .bytes()
                .enumerate()
                .all(|(at, byte)| if [4, 7].contains(&at) { byte == b'-' } else { byte.is_ascii_digit() });
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        (is_in_form && day.year() > 0).then(|| Self::of(day))
    }

    /// Converts from a chrono date.
    pub fn of(day: NaiveDate) -> Self {
        Self(i64::from(day.num_days_from_ce()) - EPOCH)
    }

    /// Returns the number of days from 1970-01-01.
    pub const fn days(self) -> i64 {
        self.0
    }

    /// Converts to a chrono date; `None` if it is out of range.
    pub fn day(self) -> Option<NaiveDate> {
        NaiveDate::from_num_days_from_ce_opt(i32::try_from(self.0 + EPOCH).ok()?)
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.day().map_or(Ok(()), |day| write!(out, "{}", day.format("%Y-%m-%d")))
    }
}

column!(Date, i64);
