//! The parameters of a GraphQL request, read from a body or a query string.

use std::{borrow::Cow, fmt};

use actix_web::{
    http::{
        StatusCode,
        header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap},
    },
    web::Query,
};
use async_graphql::{Value, Variables};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{
    body_memory::Room,
    json::{JsonError, Reader},
};
use crate::{
    graphql::failure::{BAD_USER_INPUT, TOO_MANY_VALUES},
    http::error_response::ErrorResponse,
};

/// How a request gives its document.
#[derive(Debug)]
pub enum Source {
    /// As a text.
    Text(String),
    /// By the id of a trusted document.
    Id(String),
    /// By the SHA-256 of its text in hexadecimal digits, as Apollo's and urql's automatic persisted queries do; with the
    /// text, it is to be registered.
    Hash {
        /// The SHA-256.
        hash: String,
        /// The text.
        text: Option<String>,
    },
}

/// The extension with which clients name a document by its hash.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extensions {
    persisted_query: Option<PersistedQuery>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct PersistedQuery {
    version: u64,
    sha256_hash: String,
}

/// The parameters of a request. The variables are parsed last: a request without a token may be refused before that.
#[derive(Debug)]
pub struct Params<'a> {
    pub source: Source,
    pub operation_name: Option<String>,
    values: Values<'a>,
}

/// The members that may hold any JSON value, unparsed.
#[derive(Debug, Default)]
struct Values<'a> {
    variables: Option<&'a RawValue>,
    /// Unused so far, but subject to the same limits as the variables.
    others: Vec<(Cow<'a, str>, &'a RawValue)>,
}

/// The members of a request body, unparsed.
#[derive(Default)]
struct Wire<'a> {
    query: Option<&'a RawValue>,
    document_id: Option<&'a RawValue>,
    operation_name: Option<&'a RawValue>,
    values: Values<'a>,
}

impl<'de> Deserialize<'de> for Wire<'de> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_map(Members)
    }
}

struct Members;

/// The name of a member, borrowed unless it contains escapes.
#[derive(serde::Deserialize)]
struct Member<'a>(#[serde(borrow)] Cow<'a, str>);

/// Maximum number of unknown members.
const MAX_OTHERS: usize = 16;

impl<'de> Visitor<'de> for Members {
    type Value = Wire<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Wire<'de>, A::Error> {
        let mut wire = Wire::default();
        while let Some(Member(name)) = members.next_key()? {
            let value: &RawValue = members.next_value()?;
            let twice = match &*name {
                "query" => wire.query.replace(value),
                "documentId" => wire.document_id.replace(value),
                "operationName" => wire.operation_name.replace(value),
                "variables" => wire.values.variables.replace(value),
                _ => {
                    let others = &mut wire.values.others;
                    let twice = others.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
                    others.push((name, value));
                    twice.or((others.len() > MAX_OTHERS).then_some(value))
                }
            };
            if twice.is_some() {
                return Err(A::Error::custom("duplicate member"));
            }
        }
        Ok(wire)
    }
}

impl Values<'_> {
    /// Returns the hash by which the extensions name the document.
    fn hash(&self) -> Result<Option<String>, ErrorResponse> {
        let raw = self.others.iter().find(|(name, _)| name == "extensions").map(|(_, raw)| raw.get());
        // Extensions that cannot be read are reported with the variables.
        let read = raw.and_then(|raw| serde_json::from_str::<Extensions>(raw).ok());
        let Some(PersistedQuery { version, sha256_hash }) = read.and_then(|read| read.persisted_query) else {
            return Ok(None);
        };
        if version == 1 && sha256_hash.len() == 64 && sha256_hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Some(sha256_hash));
        }
        Err(ErrorResponse::bad_request("a persistedQuery has version 1 and a SHA-256 of 64 hexadecimal digits"))
    }
}

impl<'a> Params<'a> {
    /// Parses the body of a POST request.
    pub fn from_body(body: &'a [u8]) -> Result<Self, ErrorResponse> {
        // Some editors write a byte order mark at the start of a file; RFC 8259, 8.1, allows a parser to ignore it.
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{') => {}
            Some(b'[') => {
                return Err(ErrorResponse::bad_request("batches are not supported: send one request at a time"));
            }
            _ => return Err(ErrorResponse::bad_request("the body must be a JSON object")),
        }
        let wire: Wire = serde_json::from_slice(body)
            .map_err(|_| ErrorResponse::bad_request("the body must be one JSON object without duplicate parameters"))?;
        let text = |raw: Option<&RawValue>, name: &str| -> Result<Option<String>, ErrorResponse> {
            Ok(raw.map(|raw| typed::<Option<String>>(raw, name, "a string")).transpose()?.flatten())
        };
        let given = (text(wire.query, "query")?, text(wire.document_id, "documentId")?);
        Self::of(given, text(wire.operation_name, "operationName")?, wire.values)
    }

    fn of(
        given: (Option<String>, Option<String>),
        name: Option<String>,
        values: Values<'a>,
    ) -> Result<Self, ErrorResponse> {
        let source = match (given, values.hash()?) {
            ((Some(_), Some(_)), _) => {
                return Err(ErrorResponse::bad_request("send query or documentId, not both"));
            }
            ((None, None), None) => return Err(ErrorResponse::bad_request("query or documentId is required")),
            ((Some(text), None), None) => Source::Text(text),
            ((None, Some(id)), _) => Source::Id(id),
            ((text, None), Some(hash)) => Source::Hash { hash, text },
        };
        Ok(Self { source, operation_name: name.filter(|name| !name.is_empty()), values })
    }

    /// Parses the variables, with at most `most` values including those of the other members.
    pub fn variables(&self, most: usize, room: &mut Room) -> Result<Variables, ErrorResponse> {
        let reader = Reader::new(most, room);
        let object = |name: &str, raw: &RawValue| match reader.read(name, raw.get()) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(Value::Null) => Ok(<_>::default()),
            Ok(_) => Err(ErrorResponse::bad_request(format!("{name} must be an object"))),
            Err(wrong) => Err(refusal(name, wrong, most)),
        };
        for (name, raw) in &self.values.others {
            if name == "extensions" {
                object("extensions", raw)?;
            } else {
                reader.read("the body", raw.get()).map_err(|wrong| refusal("the body", wrong, most))?;
            }
        }
        let object = self.values.variables.map(|raw| object("variables", raw)).transpose()?.unwrap_or_default();
        Ok(Variables::from_value(Value::Object(object)))
    }
}

fn refusal(name: &str, wrong: JsonError, most: usize) -> ErrorResponse {
    let invalid = |message: String| ErrorResponse::new(StatusCode::BAD_REQUEST, BAD_USER_INPUT, message);
    match wrong {
        JsonError::NotJson => ErrorResponse::bad_request(format!("{name} must be JSON")),
        JsonError::TooDeep => ErrorResponse::bad_request(format!("{name} is nested too deeply")),
        JsonError::Twice(place) => invalid(format!("duplicate key {place}")),
        JsonError::TooMany => {
            let message = format!("the request contains more than {most} values; send fewer rows per request");
            ErrorResponse::new(StatusCode::BAD_REQUEST, TOO_MANY_VALUES, message)
        }
        JsonError::Full => crate::http::request::body_memory::Full.into(),
    }
}

/// The parameters of a query string.
pub struct Pairs(Vec<(String, String)>);

impl Pairs {
    /// Parses the query string of a GET request.
    pub fn read(text: &str) -> Result<Self, ErrorResponse> {
        let pairs = Query::<Vec<(String, String)>>::from_query(text);
        Ok(Self(pairs.map_err(|_| ErrorResponse::bad_request("cannot parse the query string"))?.into_inner()))
    }

    /// Returns the names and values.
    pub fn into_inner(self) -> Vec<(String, String)> {
        self.0
    }

    /// Returns the parameters of the GraphQL request.
    pub fn params(&self) -> Result<Params<'_>, ErrorResponse> {
        let json = |name: &'static str| {
            let value = self.one(name)?.map(serde_json::from_str::<&RawValue>).transpose();
            value.map_err(|_| ErrorResponse::bad_request(format!("{name} must be JSON")))
        };
        let (variables, extensions) = (json("variables")?, json("extensions")?);
        let values =
            Values { variables, others: extensions.map(|raw| ("extensions".into(), raw)).into_iter().collect() };
        let text = |name| Ok::<_, ErrorResponse>(self.one(name)?.map(str::to_owned));
        Params::of((text("query")?, text("documentId")?), text("operationName")?, values)
    }

    fn one(&self, name: &str) -> Result<Option<&str>, ErrorResponse> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(ErrorResponse::bad_request(format!("duplicate parameter {name}"))),
            (value, None) => Ok(value.filter(|value| !value.is_empty())),
        }
    }
}

fn typed<T: DeserializeOwned>(raw: &RawValue, name: &str, kind: &str) -> Result<T, ErrorResponse> {
    serde_json::from_str(raw.get()).map_err(|_| ErrorResponse::bad_request(format!("{name} must be {kind}")))
}

/// Checks that a body is uncompressed JSON in UTF-8, the only format that this server accepts.
pub fn check_content_type(headers: &HeaderMap) -> Result<(), ErrorResponse> {
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(ErrorResponse::unsupported("compressed bodies are not supported"));
    }
    if is_json(headers) {
        Ok(())
    } else {
        Err(ErrorResponse::unsupported(
            "the Content-Type must be application/json \
        in UTF-8",
        ))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut given = headers.get_all(CONTENT_TYPE);
    let (Some(only), None) = (given.next(), given.next()) else { return false };
    let Ok(text) = only.to_str() else { return false };
    let mut parts = text.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/json"));
    let mut charsets =
        parts.filter_map(|part| part.split_once('=')).filter(|(key, _)| key.eq_ignore_ascii_case("charset"));
    is_json && charsets.all(|(_, charset)| charset.trim_matches('"').eq_ignore_ascii_case("utf-8"))
}
