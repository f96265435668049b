//! Instants, stored as epoch milliseconds.

use async_graphql::Value;
use chrono::{DateTime, Datelike, SecondsFormat, Timelike};
use entity::noun::Field;

use super::json::write_text;
use crate::{
    Error, Result,
    graphql::{
        mutation::input::{bad, text},
        types::scalars::INSTANT,
    },
    instant::{Moment, date, instant, moment},
    store::statement::{
        cell::{Cell, Column},
        filter::{Comparison, Predicate},
    },
};

/// Reads an instant. A finer fraction than milliseconds is cut off.
pub(super) fn read(name: &str, value: &Value) -> Result<Cell> {
    let at = text(value).and_then(instant).ok_or_else(|| not_an_instant(name, value))?;
    Ok(Cell::Int(at))
}

/// Returns a comparison of filters with an instant; `values` has several values for `in` only. Stored instants have
/// millisecond precision: a given instant with a finer fraction equals no stored instant and lies between two
/// consecutive milliseconds.
pub(in crate::graphql) fn comparison(field: &'static Field, operator: &str, values: &[&Value]) -> Result<Predicate> {
    let test = |test| Predicate::Column(Column::of(field), test);
    let may_be_date = ["gte", "lt"].contains(&operator);
    let read = |value: &&Value| {
        let found = text(value).and_then(|text| moment(text).or_else(|| date(text).filter(|_| may_be_date)));
        found.ok_or_else(|| not_an_instant(&format!("{}.{operator}", field.name), value))
    };
    let moments = values.iter().map(read).collect::<Result<Vec<Moment>>>()?;
    let exact = || moments.iter().filter(|moment| moment.is_exact).map(|moment| Cell::Int(moment.at));
    let equal = || exact().next().map_or_else(|| Predicate::Any(Vec::new()), |at| test(Comparison::Eq(at)));
    let unknown = || Error::BadInput(format!("there is no comparison {operator}"));
    Ok(match operator {
        "in" => test(Comparison::In(exact().collect())),
        "eq" => equal(),
        "neq" => Predicate::Not(Box::new(equal())),
        _ => {
            let Moment { at, is_exact } = *moments.first().ok_or_else(unknown)?;
            let at = Cell::Int(at);
            test(match operator {
                "gte" if is_exact => Comparison::Gte(at),
                "gt" | "gte" => Comparison::Gt(at),
                "lt" if is_exact => Comparison::Lt(at),
                "lt" | "lte" => Comparison::Lte(at),
                _ => return Err(unknown()),
            })
        }
    })
}

/// Returns the error for a value that is not an instant.
fn not_an_instant(name: &str, value: &Value) -> Error {
    let is_date = text(value).and_then(date).is_some();
    let more = if is_date { "; a date alone may stand in the comparisons gte and lt only" } else { "" };
    bad(name, &format!("{INSTANT}{more}"))
}

/// The text for the end of the last time bucket. RFC 3339 has no year 10000, and no stored instant is later than this.
pub const LAST: &str = "9999-12-31T23:59:59.999999999Z";

/// Writes an instant in UTC; null if it is outside the range of the calendar, and [`LAST`] if it is after the year
/// 9999.
pub(super) fn write(json: &mut Vec<u8>, at: i64) {
    let Some(at) = DateTime::from_timestamp_millis(at) else { return json.extend_from_slice(b"null") };
    let Ok(year) = u32::try_from(at.year()) else {
        return write_text(json, &at.to_rfc3339_opts(SecondsFormat::AutoSi, true));
    };
    if year > 9_999 {
        return write_text(json, LAST);
    }
    let millis = at.timestamp_subsec_millis();
    let parts = [
        (b'"', 4, year),
        (b'-', 2, at.month()),
        (b'-', 2, at.day()),
        (b'T', 2, at.hour()),
        (b':', 2, at.minute()),
        (b':', 2, at.second()),
        (b'.', 3, millis),
    ];
    let shown = if millis == 0 { &parts[..6] } else { &parts };
    for (before, digits, number) in shown {
        json.push(*before);
        for place in (0..*digits).rev() {
            let digit = number / 10_u32.pow(place) % 10;
            json.push(b'0' + u8::try_from(digit).expect("a digit is below 10"));
        }
    }
    json.extend_from_slice(b"Z\"");
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Datelike, SecondsFormat, Utc};
    use serde_json::json;

    use super::{LAST, write};

    #[test]
    fn instants_are_those_of_rfc_3339() {
        let leap = 951_782_400_000;
        let edges = [0, -1, 1, 999, 1_000, leap, -62_135_596_800_000, -62_167_219_200_000, -62_167_219_200_001];
        let far = [253_402_300_799_999, 253_402_300_800_000, 1_795_706_615_120, i64::MAX];
        for at in edges.into_iter().chain(far).chain((0..500).map(|day| leap + day * 86_399_001)) {
            let mut written = Vec::new();
            write(&mut written, at);
            let shown = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
            let expected = DateTime::from_timestamp_millis(at)
                .map(|at| if at.year() > 9_999 { LAST.to_owned() } else { shown(at) });
            assert_eq!(String::from_utf8(written).unwrap(), json!(expected).to_string());
        }
    }
}
