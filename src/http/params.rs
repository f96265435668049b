//! The parameters of a GraphQL request, out of a body or a query string.

use actix_web::{
    http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap},
    web::Query,
};
use async_graphql::Variables;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, value::RawValue};

use super::failure::Refusal;

/// What a caller asks for.
#[derive(Debug)]
pub struct Params {
    pub query: String,
    pub operation_name: Option<String>,
    pub variables: Variables,
}

/// The parameters, each of its type.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sound {
    query: String,
    #[serde(default)]
    operation_name: Option<String>,
    #[serde(default)]
    variables: Option<Variables>,
    #[serde(default, rename = "extensions")]
    _extensions: Option<Map<String, Value>>,
}

/// Each is kept as text first, so that a value of the wrong type can be named.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(borrow, default)]
    query: Option<&'a RawValue>,
    #[serde(borrow, default)]
    operation_name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    variables: Option<&'a RawValue>,
    #[serde(borrow, default)]
    extensions: Option<&'a RawValue>,
}

impl Params {
    /// Reads the body of a POST.
    pub fn from_body(body: &[u8]) -> Result<Self, Refusal> {
        // The derived reader would take an array for an object's fields in order.
        match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{') => {}
            Some(b'[') => return Err(Refusal::bad_request("batches are not supported: send one request at a time")),
            _ => return Err(Refusal::bad_request("the body must be a JSON object")),
        }
        if let Ok(Sound { query, operation_name, variables, .. }) = serde_json::from_slice(body) {
            let operation_name = operation_name.filter(|name| !name.is_empty());
            return Ok(Self { query, operation_name, variables: variables.unwrap_or_default() });
        }
        let wire: Wire = serde_json::from_slice(body)
            .map_err(|_| Refusal::bad_request("the body must be one JSON object, with each parameter once"))?;
        Self::from_wire(&wire)
    }

    /// Reads the query string of a GET.
    pub fn from_query_string(text: &str) -> Result<Self, Refusal> {
        let pairs = Query::<Vec<(String, String)>>::from_query(text)
            .map_err(|_| Refusal::bad_request("the query string cannot be read"))?
            .into_inner();
        let one = |name: &str| {
            let mut values = pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
            match (values.next(), values.next()) {
                (_, Some(_)) => Err(Refusal::bad_request(format!("{name} is given twice"))),
                (value, None) => Ok(value.filter(|value| !value.is_empty())),
            }
        };
        let json = |name: &'static str| {
            let value = one(name)?.map(serde_json::from_str::<&RawValue>).transpose();
            value.map_err(|_| Refusal::bad_request(format!("{name} must be JSON")))
        };
        let mut params = Self::from_parts(one("query")?.map(str::to_owned), json("variables")?, json("extensions")?)?;
        params.operation_name = one("operationName")?.map(str::to_owned);
        Ok(params)
    }

    fn from_wire(wire: &Wire) -> Result<Self, Refusal> {
        let query = wire.query.map(|raw| typed(raw, "query", "a string")).transpose()?;
        let mut params = Self::from_parts(query, wire.variables, wire.extensions)?;
        let name: Option<String> =
            wire.operation_name.map(|raw| typed(raw, "operationName", "a string")).transpose()?;
        params.operation_name = name.filter(|name| !name.is_empty());
        Ok(params)
    }

    fn from_parts(
        query: Option<String>,
        variables: Option<&RawValue>,
        extensions: Option<&RawValue>,
    ) -> Result<Self, Refusal> {
        let query = query.ok_or_else(|| Refusal::bad_request("query is required"))?;
        let variables: Option<Variables> = variables.map(|raw| typed(raw, "variables", "an object")).transpose()?;
        if let Some(raw) = extensions {
            // None is known yet; what they hold is of no concern.
            typed::<Option<Map<String, Value>>>(raw, "extensions", "an object")?;
        }
        Ok(Self { query, operation_name: None, variables: variables.unwrap_or_default() })
    }
}

fn typed<T: DeserializeOwned>(raw: &RawValue, name: &str, kind: &str) -> Result<T, Refusal> {
    serde_json::from_str(raw.get()).map_err(|_| Refusal::bad_request(format!("{name} must be {kind}")))
}

/// Whether a body is what this server reads: JSON in UTF-8, not compressed.
pub fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Refusal::unsupported("compressed bodies are not supported"));
    }
    if is_json(headers) { Ok(()) } else { Err(Refusal::unsupported("send application/json in UTF-8")) }
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
