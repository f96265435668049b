//! Times of day.

use super::{Mistake, Scalar, Storage, Stored};

/// A time on the clock of a place, in minutes since midnight, from 0 to 1,440.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime(i64);

/// Minutes in an hour.
const HOUR: i64 = 60;
/// Minutes in a day.
const DAY: i64 = 24 * HOUR;

impl LocalTime {
    /// The start of a day.
    pub const START: Self = Self(0);
    /// The end of a day.
    pub const END: Self = Self(DAY);

    /// Description of the scalar.
    pub const SCALAR: &'static Scalar = &Scalar {
        name: "LocalTime",
        doc: "A time of day on the clock of a place, in hours and minutes from `00:00` to `24:00`, the end of the day, for example `09:30`.",
        specified_by: None,
        wanted: "a time of day in hours and minutes, such as \"09:30\", up to \"24:00\"",
        storage: Storage::Int { json: |minutes| format!("\"{}\"", Self(minutes)) },
        accepts_numbers: false,
        has_range: true,
        parse: |text| Self::parse(text).map(|time| Stored::Int(time.0)).ok_or(Mistake::Form),
    };

    /// Parses a time such as `09:30`.
    pub fn parse(text: &str) -> Option<Self> {
        let &[tens, ones, b':', ten, one] = text.as_bytes() else { return None };
        let digit = |byte: u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
        let (hours, minutes) = (digit(tens)? * 10 + digit(ones)?, digit(ten)? * 10 + digit(one)?);
        let time = hours * HOUR + minutes;
        (minutes < HOUR && time <= DAY).then_some(Self(time))
    }

    /// Returns the number of minutes since midnight.
    pub const fn minutes(self) -> i64 {
        self.0
    }
}

impl std::fmt::Display for LocalTime {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:02}:{:02}", self.0 / HOUR, self.0 % HOUR)
    }
}

column!(LocalTime, i64);

#[cfg(test)]
mod tests {
    use super::LocalTime;

    #[test]
    fn a_time_of_day_is_written_as_it_is_read() {
        for text in ["00:00", "09:30", "23:59", "24:00"] {
            assert_eq!(LocalTime::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_no_times_of_day() {
        for text in ["", "9:30", "09:3", "09:60", "24:01", "25:00", "-1:00", "09:30:00", "09.30", "０9:30", " 9:30"] {
            assert_eq!(LocalTime::parse(text), None, "{text}");
        }
    }
}
