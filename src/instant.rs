//! Parses instants and dates in the formats of the API.

use chrono::{DateTime, NaiveDate, Utc};

/// An instant, truncated to the milliseconds that are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds since 1970 in UTC, rounded down.
    pub at: i64,
    /// Whether the rounding lost nothing.
    pub is_exact: bool,
}

/// Parses an instant in RFC 3339, years 1 to 9999 in UTC. Returns milliseconds since 1970, rounded down.
pub fn instant(text: &str) -> Option<i64> {
    moment(text).map(|moment| moment.at)
}

/// Like [`instant`], and also reports whether the value was rounded.
pub fn moment(text: &str) -> Option<Moment> {
    let at = DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc);
    if at.timestamp_subsec_nanos() >= 1_000_000_000 {
        // Epoch milliseconds cannot distinguish a leap second from the following second.
        return None;
    }
    // Years with four digits, the only ones that RFC 3339 can represent.
    let years = DateTime::from_timestamp(-62_135_596_800, 0)?..DateTime::from_timestamp(253_402_300_800, 0)?;
    let is_cut = at.timestamp_subsec_nanos() % 1_000_000 != 0 || has_more_digits(text);
    years.contains(&at).then(|| Moment { at: at.timestamp_millis(), is_exact: !is_cut })
}

/// Whether the fraction has nonzero digits beyond nanoseconds, which the parser ignores.
fn has_more_digits(text: &str) -> bool {
    let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
    fraction.bytes().take_while(u8::is_ascii_digit).skip(9).any(|digit| digit != b'0')
}

/// Parses a date such as `2026-01-31`, years 1 to 9999, as midnight in UTC.
pub fn date(text: &str) -> Option<Moment> {
    let is_in_form = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if [4, 7].contains(&at) { byte == b'-' } else { byte.is_ascii_digit() });
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| is_in_form && !text.starts_with("0000"))?;
    Some(Moment { at: date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis(), is_exact: true })
}

#[cfg(test)]
mod tests {
    use super::{Moment, date, moment};

    #[test]
    fn what_is_finer_than_a_millisecond_is_cut_off_and_told() {
        for (text, at, is_exact) in [
            ("1970-01-01T00:00:00.123Z", 123, true),
            ("1970-01-01T00:00:00.123000000000Z", 123, true),
            ("1970-01-01T00:00:00.1234Z", 123, false),
            ("1970-01-01T00:00:00.123000000001Z", 123, false),
            ("1969-12-31T23:59:59.9999Z", -1, false),
            ("1970-01-01T01:00:00.5+01:00", 500, true),
        ] {
            assert_eq!(moment(text), Some(Moment { at, is_exact }), "{text}");
        }
    }

    #[test]
    fn a_date_has_its_form() {
        assert_eq!(date("1970-01-02"), Some(Moment { at: 86_400_000, is_exact: true }));
        for text in [
            "1970-1-2",
            "1970-02-30",
            "0000-01-01",
            "+970-01-01",
            "1970-01-02T",
            "19700102",
            "1970/01/02",
            " 970-01-02",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
    }
}
