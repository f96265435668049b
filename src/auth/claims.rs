//! Claims and checks that apply to tokens of every issuer.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{Permission, Permissions};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Number, Value};

use crate::error::reason::Reason;

/// Maximum lifetime of a token.
pub const MAX_LIFETIME: TimeDelta = TimeDelta::hours(24);
/// Allowed clock skew between issuer and server.
pub const LEEWAY: TimeDelta = TimeDelta::seconds(30);
/// Maximum length of a token, in bytes.
pub const MAX_BYTES: usize = 8 * 1_024;
/// Maximum length of `sub`, `jti` and `client_id`, in characters.
pub(super) const MAX_NAME_LENGTH: usize = 255;

/// The validity period of a token, in epoch seconds.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Not before: `nbf`.
    pub from: i64,
    /// Issued at: `iat`.
    pub issued: i64,
    /// Expires at: `exp`.
    pub until: i64,
}

impl Times {
    /// Err with the reason unless the token is valid at `now` and its lifetime is at most [`MAX_LIFETIME`].
    pub fn check(self, now: DateTime<Utc>) -> Result<(), Reason> {
        self.within(now, MAX_LIFETIME)
    }

    /// Like [`Times::check`], with `longest` as the maximum lifetime.
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

/// The `aud` claim.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// A single audience.
    One(String),
    /// A list of audiences.
    Several(Vec<String>),
}

impl Audience {
    /// Returns whether the audience includes `wanted`.
    pub fn has(&self, wanted: &str) -> bool {
        match self {
            Self::One(audience) => audience == wanted,
            Self::Several(audiences) => audiences.iter().any(|audience| audience == wanted),
        }
    }
}

/// Returns the unverified `iss` claim of a token, which selects the key to verify the token with.
pub fn issuer(token: &str) -> Result<String, Reason> {
    #[derive(Deserialize)]
    struct Claimed {
        iss: String,
    }
    let [_, claims, _] = token.split('.').take(4).collect::<Vec<_>>()[..] else { return Err(Reason::NotThreeParts) };
    let claimed = URL_SAFE_NO_PAD.decode(claims).ok().and_then(|claims| serde_json::from_slice(&claims).ok());
    claimed.map(|Claimed { iss }| iss).ok_or(Reason::Malformed)
}

/// Returns why jsonwebtoken failed to decode a token. jsonwebtoken reads the claims only after it has verified the
/// signature.
pub fn flaw(error: &jsonwebtoken::errors::Error) -> Reason {
    use jsonwebtoken::errors::ErrorKind;
    match error.kind() {
        ErrorKind::InvalidToken => Reason::NotThreeParts,
        ErrorKind::Json(_) | ErrorKind::Utf8(_) | ErrorKind::Base64(_) => Reason::Malformed,
        _ => Reason::Signature,
    }
}

/// Converts a `NumericDate` (RFC 7519, 2: a number that may have a fraction) to whole epoch seconds. Returns `None` if
/// the number is out of range.
pub fn seconds(number: &Number) -> Option<i64> {
    // Up to this value, a float represents each integer exactly.
    const MAX: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "what does not fit was refused")]
    let whole = |float: f64| (float.abs() <= MAX).then(|| float.floor() as i64);
    number.as_i64().or_else(|| number.as_f64().and_then(whole))
}

/// Deserializes a date claim.
pub fn date<'de, D: Deserializer<'de>>(claim: D) -> Result<i64, D::Error> {
    seconds(&Number::deserialize(claim)?).ok_or_else(|| de::Error::custom("no date"))
}

/// Returns whether a text is a valid name: 1 to 255 characters.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= MAX_NAME_LENGTH
}

/// Formats a set of permissions as a `scope` claim: names separated by one space (RFC 6749, 3.3).
pub fn scope(permissions: Permissions) -> String {
    permissions.iter().map(Permission::name).collect::<Vec<_>>().join(" ")
}

/// Splits a `scope` claim at spaces. Returns `None` if it contains characters that scope names may not have (RFC 6749,
/// 3.3).
pub fn scope_names(scope: &str) -> Option<Vec<&str>> {
    let named: Vec<_> = scope.split(' ').filter(|name| !name.is_empty()).collect();
    let is_scope = |name: &&str| name.bytes().all(|byte| matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~'));
    named.iter().all(is_scope).then_some(named)
}

/// Returns the permissions with these names. Unknown names are ignored.
pub fn permissions(names: &[&str]) -> Permissions {
    names.iter().copied().filter_map(Permission::parse).collect()
}

/// Deserializes the value of a claim that is present, which null is, too: a claim that narrows is not ignored.
pub fn present<'de, D: Deserializer<'de>>(claim: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(claim).map(Some)
}

/// Claims of any shape. Deserialization fails on duplicate members: two readers that pick different duplicates could be
/// played off against each other.
#[derive(Debug)]
pub struct Claims(pub Map<String, Value>);

impl Claims {
    /// Returns the claim with the name `path`, or at the JSON pointer `path` (RFC 6901) if it begins with a slash.
    pub fn at(&self, path: &str) -> Option<&Value> {
        let Some(pointer) = path.strip_prefix('/') else { return self.0.get(path) };
        let (first, rest) = pointer.split_once('/').map_or((pointer, None), |(first, rest)| (first, Some(rest)));
        let member = self.0.get(&first.replace("~1", "/").replace("~0", "~"))?;
        rest.map_or(Some(member), |rest| member.pointer(&format!("/{rest}")))
    }

    /// Returns a claim as text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// Returns a date claim, in epoch seconds.
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
