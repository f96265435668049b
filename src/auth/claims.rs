//! What the claims of every token must hold, whoever signed it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{Permission, Permissions};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};

/// No token lives longer.
pub const LONGEST_LIFE: TimeDelta = TimeDelta::hours(24);
/// How far two clocks may differ.
pub const LEEWAY: TimeDelta = TimeDelta::seconds(30);
/// Longest token read, in bytes.
pub const MOST_BYTES: usize = 8 * 1_024;
/// Most scopes in one token.
pub(super) const MOST_SCOPES: usize = 64;
/// Longest `sub`, `jti` and `client_id`, in characters.
pub(super) const LONGEST_NAME: usize = 255;

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
    /// Whether the token counts at `now` and lives no longer than a token may.
    pub fn hold(self, now: DateTime<Utc>) -> bool {
        let (now, leeway) = (now.timestamp(), LEEWAY.num_seconds());
        let held = || {
            let life = self.until.checked_sub(self.issued)?;
            let (latest, end) = (now.checked_add(leeway)?, self.until.checked_add(leeway)?);
            let is_begun = self.from <= latest && self.issued <= latest;
            Some(is_begun && now < end && (1..=LONGEST_LIFE.num_seconds()).contains(&life))
        };
        held().unwrap_or(false)
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
pub fn issuer(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claimed {
        iss: String,
    }
    let claims = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok().map(|Claimed { iss }| iss)
}

/// Whether a text can name somebody.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= LONGEST_NAME
}

/// The `scope` text of a set: names with one space between them (RFC 6749, 3.3).
pub fn scope(permissions: Permissions) -> String {
    permissions.iter().map(Permission::name).collect::<Vec<_>>().join(" ")
}

/// The scopes a `scope` text names; a text of another form is refused whole.
pub fn scope_names(scope: &str) -> Option<Vec<&str>> {
    if scope.is_empty() {
        return Some(Vec::new());
    }
    let named: Vec<_> = scope.split(' ').take(MOST_SCOPES + 1).collect();
    are_scopes(&named).then_some(named)
}

/// Whether these can be scopes, and are not too many.
pub fn are_scopes(names: &[&str]) -> bool {
    let is_scope =
        |name: &&str| !name.is_empty() && name.bytes().all(|byte| matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~'));
    names.len() <= MOST_SCOPES && names.iter().all(is_scope)
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

    /// A whole number.
    pub fn seconds(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.as_i64()
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
        assert_eq!(issuer(&token(r#"{"iss": "a", "exp": {}}"#)).as_deref(), Some("a"));
        for none in [r#"{"iss": 1}"#, r#"{"iss": "a", "iss": "b"}"#, "[]", "{"] {
            assert_eq!(issuer(&token(none)), None, "{none}");
        }
        assert_eq!(issuer("x"), None);
    }
}
