//! What the claims of every token must hold, whoever signed it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{Permission, Permissions};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Number, Value};

use crate::error::reason::Reason;

/// No token lives longer.
pub const MAX_LIFETIME: TimeDelta = TimeDelta::hours(24);
/// How far two clocks may differ.
pub const LEEWAY: TimeDelta = TimeDelta::seconds(30);
/// Longest token read, in bytes.
pub const MAX_BYTES: usize = 8 * 1_024;
/// Longest `sub`, `jti` and `client_id`, in characters.
pub(super) const MAX_NAME_LENGTH: usize = 255;

/// When a token counts, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// From when: its `nbf`.
    pub from: i64,
    /// When it was issued: its `iat`.
    pub issued: i64,
    /// Until when: its `exp`.
    pub until: i64,
}

impl Times {
    /// Whether the token counts at `now` and lives no longer than a token may; if not, what is wrong.
    pub fn check(self, now: DateTime<Utc>) -> Result<(), Reason> {
        self.within(now, MAX_LIFETIME)
    }

    /// The same for something that may live for another time.
    pub fn within(self, now: DateTime<Utc>, longest: TimeDelta) -> Result<(), Reason> {
        let (now, leeway) = (now.timestamp(), LEEWAY.num_seconds());
        let life = self.until.checked_sub(self.issued).ok_or(Reason::Lifetime)?;
        if !(1..=longest.num_seconds()).contains(&life) {
            return Err(Reason::Lifetime);
        }
        if now >= self.until.saturating_add(leeway) {
            return Err(Reason::Expired(self.until));
        }
        let begins = self.from.max(self.issued);
        if begins > now.saturating_add(leeway) { Err(Reason::NotYet(begins)) } else { Ok(()) }
    }
}

/// An `aud`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// One.
    One(String),
    /// A list.
    Several(Vec<String>),
}

impl Audience {
    /// Whether it is meant for `wanted`.
    pub fn has(&self, wanted: &str) -> bool {
        match self {
            Self::One(audience) => audience == wanted,
            Self::Several(audiences) => audiences.iter().any(|audience| audience == wanted),
        }
    }
}

/// The `iss` that a token claims, unverified: it says whose key to verify it with.
pub fn issuer(token: &str) -> Result<String, Reason> {
    #[derive(Deserialize)]
    struct Claimed {
        iss: String,
    }
    let [_, claims, _] = token.split('.').take(4).collect::<Vec<_>>()[..] else { return Err(Reason::NotThreeParts) };
    let claimed = URL_SAFE_NO_PAD.decode(claims).ok().and_then(|claims| serde_json::from_slice(&claims).ok());
    claimed.map(|Claimed { iss }| iss).ok_or(Reason::Malformed)
}

/// What is wrong with a token that jsonwebtoken does not decode. It looks at the claims only behind a good signature.
pub fn flaw(error: &jsonwebtoken::errors::Error) -> Reason {
    use jsonwebtoken::errors::ErrorKind;
    match error.kind() {
        ErrorKind::InvalidToken => Reason::NotThreeParts,
        ErrorKind::Json(_) | ErrorKind::Utf8(_) | ErrorKind::Base64(_) => Reason::Malformed,
        _ => Reason::Signature,
    }
}

/// A date in seconds (RFC 7519, 2: a number, which may have a fraction), without its fraction. None for a number that
/// no clock shows.
pub fn seconds(number: &Number) -> Option<i64> {
    // Up to here each whole number has a float of its own.
    const MAX: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "what does not fit was refused")]
    let whole = |float: f64| (float.abs() <= MAX).then(|| float.floor() as i64);
    number.as_i64().or_else(|| number.as_f64().and_then(whole))
}

/// Reads a date of a claim.
pub fn date<'de, D: Deserializer<'de>>(claim: D) -> Result<i64, D::Error> {
    seconds(&Number::deserialize(claim)?).ok_or_else(|| de::Error::custom("no date"))
}

/// Whether a text can name somebody.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= MAX_NAME_LENGTH
}

/// The `scope` text of a set: names with one space between them (RFC 6749, 3.3).
pub fn scope(permissions: Permissions) -> String {
    permissions.iter().map(Permission::name).collect::<Vec<_>>().join(" ")
}

/// The scopes a `scope` text names, with any number of spaces around them; a text with other signs than scopes have
/// (RFC 6749, 3.3) is refused whole.
pub fn scope_names(scope: &str) -> Option<Vec<&str>> {
    let named: Vec<_> = scope.split(' ').filter(|name| !name.is_empty()).collect();
    let is_scope = |name: &&str| name.bytes().all(|byte| matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~'));
    named.iter().all(is_scope).then_some(named)
}

/// The set of those scopes. Scopes we do not know grant nothing.
pub fn permissions(names: &[&str]) -> Permissions {
    names.iter().copied().filter_map(Permission::parse).collect()
}

/// Whether a claim is there at all, whatever it says.
pub fn is_present<'de, D: Deserializer<'de>>(claim: D) -> Result<bool, D::Error> {
    de::IgnoredAny::deserialize(claim).map(|_| true)
}

/// Claims of any shape, in which no member stands twice: readers that differ on which one counts can be played
/// against each other.
#[derive(Debug)]
pub struct Claims(pub Map<String, Value>);

impl Claims {
    /// The claim of that name, or at that JSON pointer (RFC 6901) when it begins with a slash.
    pub fn at(&self, path: &str) -> Option<&Value> {
        let Some(pointer) = path.strip_prefix('/') else { return self.0.get(path) };
        let (first, rest) = pointer.split_once('/').map_or((pointer, None), |(first, rest)| (first, Some(rest)));
        let member = self.0.get(&first.replace("~1", "/").replace("~0", "~"))?;
        rest.map_or(Some(member), |rest| member.pointer(&format!("/{rest}")))
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A date, in seconds.
    pub fn seconds(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.as_number().and_then(seconds)
    }
}

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Unique::deserialize(deserializer)?.0 {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(de::Error::custom("claims are an object")),
        }
    }
}

struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Value;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("JSON without members that stand twice")
            }
            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
                Ok(value.into())
            }
            fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
                Ok(value.into())
            }
            fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
                Ok(value.into())
            }
            fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
                Ok(value.into())
            }
            fn visit_str<E>(self, value: &str) -> Result<Value, E> {
                Ok(value.into())
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
                let mut list = Vec::new();
                while let Some(Unique(item)) = items.next_element()? {
                    list.push(item);
                }
                Ok(list.into())
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
                let mut object = Map::new();
                while let Some((name, Unique(value))) = members.next_entry::<String, Unique>()? {
                    if object.insert(name, value).is_some() {
                        return Err(de::Error::custom("a member stands twice"));
                    }
                }
                Ok(object.into())
            }
        }
        deserializer.deserialize_any(Visitor).map(Unique)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_may_stand_once_at_any_depth() {
        assert!(serde_json::from_str::<Claims>(r#"{"a": {"b": [1, -1, 1.5, null, true, "x"]}, "b": 1}"#).is_ok());
        for twice in [r#"{"a": 1, "a": 1}"#, r#"{"a": [{"b": 1, "b": 2}]}"#, r#"{"a": 1, "\u0061": 2}"#] {
            assert!(serde_json::from_str::<Claims>(twice).is_err(), "{twice}");
        }
        assert!(serde_json::from_str::<Claims>("[]").is_err());
    }

    #[test]
    fn a_claim_is_found_by_name_or_by_pointer() {
        let claims: Claims =
            serde_json::from_str(r#"{"https://x.example/org": "a", "realm": {"roles": ["b"]}, "c/d": 1}"#).unwrap();
        assert_eq!(claims.at("https://x.example/org").unwrap(), "a");
        assert_eq!(claims.at("/realm/roles").unwrap()[0], "b");
        assert_eq!(claims.at("/c~1d").unwrap(), 1);
        assert!(claims.at("/realm/other").is_none() && claims.at("realm/roles").is_none());
    }

    #[test]
    fn the_issuer_is_read_before_anything_is_believed() {
        let token = |claims: &str| format!("x.{}.y", URL_SAFE_NO_PAD.encode(claims));
        assert_eq!(issuer(&token(r#"{"iss": "a", "exp": {}}"#)).as_deref(), Ok("a"));
        for none in [r#"{"iss": 1}"#, r#"{"iss": "a", "iss": "b"}"#, "[]", "{"] {
            assert_eq!(issuer(&token(none)), Err(Reason::Malformed), "{none}");
        }
        for shape in ["x", "a.b", "a.b.c.d"] {
            assert_eq!(issuer(shape), Err(Reason::NotThreeParts));
        }
    }

    #[test]
    fn a_date_is_any_number_a_clock_shows() {
        let read = |text: &str| serde_json::from_str(text).ok().and_then(|number: Number| seconds(&number));
        for (text, whole) in
            [("1800000000", 1_800_000_000), ("1800000000.999", 1_800_000_000), ("1.8e9", 1_800_000_000)]
        {
            assert_eq!(read(text), Some(whole));
        }
        assert_eq!((read("-0.5"), read("0.0")), (Some(-1), Some(0)));
        for text in ["1e300", "-1e300", "1e999", "18446744073709551615", "NaN", "Infinity", "\"1\"", "true"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
