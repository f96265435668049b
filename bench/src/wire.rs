//! Formats and parses ids and times in Rapport's format, for the servers that are compared with it.

use chrono::{DateTime, SecondsFormat};
use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Formats an id with the prefix of its type.
pub fn id(prefix: &str, id: Uuid) -> String {
    let mut text = String::with_capacity(prefix.len() + 27);
    text.push_str(prefix);
    text.push('_');
    let bits = id.as_u128();
    text.extend((0..26).rev().map(|place| char::from(ALPHABET[(bits >> (place * 5)) as usize & 31])));
    text
}

/// Parses an id with a prefix.
pub fn uuid(text: &str) -> Option<Uuid> {
    let (_, digits) = text.rsplit_once('_')?;
    if digits.len() != 26 {
        return None;
    }
    let bits = digits
        .bytes()
        .try_fold(0_u128, |bits, digit| Some(bits << 5 | ALPHABET.iter().position(|known| *known == digit)? as u128))?;
    Some(Uuid::from_u128(bits))
}

/// Formats epoch milliseconds as RFC 3339.
pub fn instant(millis: i64) -> String {
    DateTime::from_timestamp_millis(millis)
        .map(|at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
        .unwrap_or_default()
}

/// Parses RFC 3339 to epoch milliseconds.
pub fn millis(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp_millis())
}
