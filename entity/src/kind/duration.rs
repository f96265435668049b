//! Durations.

use jiff::{Span, fmt::temporal::SpanParser};

use super::{Mistake, Scalar, Storage, Stored};

/// A duration independent of the calendar, in milliseconds, from 0 to 36,525 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(i64);

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Maximum in milliseconds: a hundred years.
const MAX: i64 = 36_525 * DAY;

impl Duration {
    /// Description of the scalar.
    pub const SCALAR: &'static Scalar = &Scalar {
        name: "Duration",
        doc: "A duration in ISO 8601 format, for example `P1DT12H` or `PT1.5S`: weeks, days of 24 hours, hours, minutes and seconds, up to 36,525 days, with millisecond precision. Years and months fail with INVALID because their length varies. Responses use days, hours, minutes and seconds.",
        specified_by: Some("https://www.rfc-editor.org/rfc/rfc3339#appendix-A"),
        wanted: "a duration in ISO 8601, such as \"P1DT12H\" or \"PT90M\"",
        storage: Storage::Int { json: |millis| format!("\"{}\"", Self(millis)) },
        accepts_numbers: false,
        has_range: true,
        parse: |text| Self::parse(text).map(|duration| Stored::Int(duration.0)),
    };

    /// Returns the duration with this many milliseconds.
    pub const fn of_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Returns the number of milliseconds.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Parses a duration such as `PT90M`.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        /// Maximum length of the text in bytes; every duration in range is shorter.
        const LONGEST: usize = 64;
        const RANGE: &str = "the duration must be from PT0S to P36525D";
        if text.len() > LONGEST {
            return Err(Mistake::Form);
        }
        let span = SpanParser::new().parse_span(text).map_err(|_| Mistake::Form)?;
        if span.get_years() != 0 || span.get_months() != 0 {
            return Err(Mistake::Refused("years and months differ in length: write days"));
        }
        let fine = i64::from(span.get_microseconds() != 0) + i64::from(span.get_nanoseconds() != 0);
        if fine > 0 {
            return Err(Mistake::Refused("the duration is finer than a millisecond"));
        }
        // The parser's own bounds are far below those of 64 bits.
        let days = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
        let rest = i64::from(span.get_hours()) * HOUR + span.get_minutes() * MINUTE + span.get_seconds() * SECOND;
        let millis = days * DAY + rest + span.get_milliseconds();
        if (0..=MAX).contains(&millis) { Ok(Self(millis)) } else { Err(Mistake::OutOfRange(RANGE)) }
    }
}

impl std::fmt::Display for Duration {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = Span::new()
            .try_days(self.0 / DAY)
            .and_then(|span| span.try_hours(self.0 % DAY / HOUR))
            .and_then(|span| span.try_minutes(self.0 % HOUR / MINUTE))
            .and_then(|span| span.try_seconds(self.0 % MINUTE / SECOND))
            .and_then(|span| span.try_milliseconds(self.0 % SECOND));
        parts.map_or(Ok(()), |span| write!(out, "{span}"))
    }
}

column!(Duration, i64);
