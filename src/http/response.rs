//! Writes responses: status, headers and body.

use std::io::{self, Write as _};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{
            CACHE_CONTROL, ETAG, EntityTag, Header as _, HeaderName, HeaderValue, IfNoneMatch, RETRY_AFTER, VARY,
        },
    },
};
use async_graphql::{Name, Response, ServerError, Value, parser::types::OperationType};
use async_graphql_value::RAW_VALUE_TOKEN;
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    app::State,
    error_response::{ErrorResponse, Outcome},
    request::media::Media,
};
use crate::{
    Error,
    auth::Actor,
    graphql::{
        execution::render::written,
        failure::{
            ANSWER_TOO_LARGE, INTERNAL, NO_REGISTRATION, NOT_REGISTERED, OVERLOADED, RATE_LIMITED, code, refuse,
        },
    },
};

/// The error extension with the seconds after which to retry, sent as the `Retry-After` header as well.
pub const RETRY_AFTER_SECONDS: &str = "retryAfter";

/// Usual length of a response without its data, in bytes.
const BESIDES: usize = 512;

/// Adds the rate limit headers to a response.
pub fn show_balance(response: &mut HttpResponse, state: &State, actor: &Actor) {
    let balance = state.rate_limiter.balance(actor, state.app.gate.own_quota(actor));
    let names = [HeaderName::from_static("ratelimit-policy"), HeaderName::from_static("ratelimit")];
    for (name, value) in names.into_iter().zip(balance.headers()) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
}

/// Returns a response without data.
pub fn refused(error: ServerError) -> Response {
    Response::from_errors(vec![error])
}

/// Whether the request did no work: its errors say only why it was refused.
pub fn was_refused(response: &Response) -> bool {
    let name =
        |error: &ServerError| error.source::<Error>().map(Error::code).or_else(|| code(error)).map(str::to_owned);
    let codes: Vec<_> = response.errors.iter().map(name).collect();
    let all_are = |wanted: &[&str]| {
        !codes.is_empty() && codes.iter().all(|code| code.as_deref().is_some_and(|code| wanted.contains(&code)))
    };
    if all_are(&["TIMEOUT"]) {
        return false;
    }
    is_request_error(response)
        || has_no_data(&response.data) && all_are(&["UNAVAILABLE", OVERLOADED, RATE_LIMITED, INTERNAL])
}

/// Serializes each root field to JSON. Returns the response and the total size of the serialized fields in bytes.
pub fn packed(mut response: Response) -> (Response, usize) {
    let mut bytes = 0;
    if let Value::Object(roots) = &mut response.data {
        for root in roots.values_mut().filter(|root| matches!(root, Value::Object(_))) {
            let Ok(json) = serde_json::to_string(root) else { continue };
            bytes += json.len();
            *root = Value::Object([(Name::new(RAW_VALUE_TOKEN), Value::String(json))].into_iter().collect());
        }
    }
    (response, bytes)
}

/// Writes the body of a response; without `data` if nothing was executed.
fn write(response: &Response, has_data: bool, body: &mut Bounded) -> io::Result<()> {
    let mut before = "{";
    if !response.errors.is_empty() {
        body.write_all(b"{\"errors\":")?;
        serde_json::to_writer(&mut *body, &response.errors)?;
        before = ",";
    }
    if has_data {
        body.write_all(before.as_bytes())?;
        body.write_all(b"\"data\":")?;
        write_data(&response.data, body)?;
        before = ",";
    }
    if !response.extensions.is_empty() {
        body.write_all(before.as_bytes())?;
        body.write_all(b"\"extensions\":")?;
        serde_json::to_writer(&mut *body, &response.extensions)?;
        before = ",";
    }
    body.write_all(if before == "{" { b"{}" } else { b"}" })
}

/// Returns the length of the root fields that are already serialized.
fn length(data: &Value) -> usize {
    let Value::Object(roots) = data else { return 0 };
    roots.values().filter_map(written).map(str::len).sum()
}

/// Copies root fields that are already serialized; serde would parse such raw JSON first.
fn write_data(data: &Value, body: &mut Bounded) -> io::Result<()> {
    let Value::Object(roots) = data else { return Ok(serde_json::to_writer(body, data)?) };
    let mut before = "{";
    for (key, root) in roots {
        body.write_all(before.as_bytes())?;
        serde_json::to_writer(&mut *body, key.as_str())?;
        body.write_all(b":")?;
        match written(root) {
            Some(json) => body.write_all(json.as_bytes())?,
            None => serde_json::to_writer(&mut *body, root)?,
        }
        before = ",";
    }
    body.write_all(if before == "{" { b"{}" } else { b"}" })
}

/// Returns the HTTP response. A body of more than `most_bytes` bytes is replaced by an error.
pub fn reply(response: &Response, media: Media, operation: Option<OperationType>, most_bytes: usize) -> HttpResponse {
    let status = status(response, media);
    let has_data = status.is_success() && !is_request_error(response);
    let bytes = Vec::with_capacity(length(&response.data).min(most_bytes) + BESIDES);
    let mut text = Bounded { bytes, most: most_bytes, is_over: false };
    if write(response, has_data, &mut text).is_err() {
        if text.is_over && !is_request_error(response) {
            let mut over = over(most_bytes);
            over.extensions.clone_from(&response.extensions);
            return reply(&over, media, operation, most_bytes);
        }
        return ErrorResponse::internal(None).respond(media);
    }
    let mut builder = HttpResponse::build(status);
    builder.content_type(media.content_type());
    if [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS].contains(&status) {
        builder.insert_header((RETRY_AFTER, retry_after(response).to_string()));
    }
    let mut http = builder.body(text.bytes);
    let first_code = response.errors.first().and_then(code).map(|code| code.to_owned().into());
    http.extensions_mut().insert(Outcome { operation: operation.map(kind_name), code: first_code });
    http
}

/// Returns the JSON of a response, and whether it is complete: one of more than `most_bytes` bytes is replaced by an error.
pub fn json(response: &Response, most_bytes: usize) -> (Vec<u8>, bool) {
    let bytes = Vec::with_capacity(length(&response.data).min(most_bytes) + BESIDES);
    let mut text = Bounded { bytes, most: most_bytes, is_over: false };
    match write(response, !is_request_error(response), &mut text) {
        Ok(()) => (text.bytes, true),
        Err(_) => (json(&over(most_bytes), usize::MAX).0, false),
    }
}

/// The response in place of one of more than `most_bytes` bytes.
fn over(most_bytes: usize) -> Response {
    let message =
        format!("the response exceeds {most_bytes} bytes (any changes were saved); request fewer fields or rows");
    refused(refuse(ANSWER_TOO_LARGE, message, None))
}

/// Returns a body, or 304 if the client has the same one. Only the client may keep it, and must ask each time whether it has
/// changed: so do the rows, and a token may be revoked.
pub fn tagged(http: &HttpRequest, media: &'static str, body: Vec<u8>) -> HttpResponse {
    // A weak tag, since the body may be compressed in transit.
    let tag = EntityTag::new_weak(URL_SAFE_NO_PAD.encode(digest(&SHA256, &body)));
    let is_known = match IfNoneMatch::parse(http) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(&tag)),
        Err(_) => false,
    };
    let mut response =
        if is_known { HttpResponse::NotModified().finish() } else { HttpResponse::Ok().content_type(media).body(body) };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(VARY, HeaderValue::from_static("authorization"));
    if let Ok(tag) = HeaderValue::from_str(&tag.to_string()) {
        headers.insert(ETAG, tag);
    }
    response
}

/// Returns the data of a response as JSON of at most `most_bytes` bytes. Err if it has more.
pub fn data_bytes(data: &Value, most_bytes: usize) -> Result<Vec<u8>, ErrorResponse> {
    let bytes = Vec::with_capacity(length(data).min(most_bytes));
    let mut body = Bounded { bytes, most: most_bytes, is_over: false };
    match write_data(data, &mut body) {
        Ok(()) => Ok(body.bytes),
        Err(_) if body.is_over => {
            let message = format!("the answer exceeds {most_bytes} bytes; request fewer fields or rows");
            Err(ErrorResponse::new(StatusCode::BAD_REQUEST, ANSWER_TOO_LARGE, message))
        }
        Err(_) => Err(ErrorResponse::internal(None)),
    }
}

/// A buffer of at most `most` bytes.
struct Bounded {
    bytes: Vec<u8>,
    most: usize,
    is_over: bool,
}

impl io::Write for Bounded {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        self.is_over |= self.bytes.len() + more.len() > self.most;
        if self.is_over {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the number of seconds after which a throttled client may retry.
pub fn retry_after(response: &Response) -> u64 {
    let said = response.errors.first().and_then(|error| error.extensions.as_ref()?.get(RETRY_AFTER_SECONDS));
    if let Some(Value::Number(seconds)) = said { seconds.as_u64().unwrap_or(1) } else { 1 }
}

/// The HTTP status of a GraphQL response. GraphQL over HTTP is still a draft; a change of its rules applies here.
fn status(response: &Response, media: Media) -> StatusCode {
    let codes: Vec<_> = response.errors.iter().map(code).collect();
    let all = |wanted: &str| {
        has_no_data(&response.data) && !codes.is_empty() && codes.iter().all(|code| *code == Some(wanted))
    };
    match media {
        _ if all("UNAVAILABLE") || all(OVERLOADED) => StatusCode::SERVICE_UNAVAILABLE,
        _ if all(RATE_LIMITED) => StatusCode::TOO_MANY_REQUESTS,
        _ if all("TIMEOUT") => StatusCode::GATEWAY_TIMEOUT,
        // Not a failure for the clients that ask so.
        _ if all(NOT_REGISTERED) || all(NO_REGISTRATION) => StatusCode::OK,
        _ if is_request_error(response) && all(INTERNAL) => StatusCode::INTERNAL_SERVER_ERROR,
        Media::GraphQl if is_request_error(response) => StatusCode::BAD_REQUEST,
        Media::GraphQl | Media::Json => StatusCode::OK,
    }
}

/// Whether the request failed before any field was executed.
pub fn is_request_error(response: &Response) -> bool {
    response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty())
}

pub fn has_no_data(data: &Value) -> bool {
    match data {
        Value::Null => true,
        Value::Object(roots) => roots.values().all(|root| *root == Value::Null),
        _ => false,
    }
}

const fn kind_name(kind: OperationType) -> &'static str {
    match kind {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{HttpResponse, body::MessageBody as _, http::header::RETRY_AFTER};
    use async_graphql::{PathSegment, Response, ServerError, value};
    use serde_json::{Value as Json, json};

    use super::{Media, packed, reply, was_refused};
    use crate::{
        Error,
        graphql::failure::{OVERLOADED, publish, refuse, server_error},
    };

    fn body(response: HttpResponse) -> Json {
        serde_json::from_slice(&response.into_body().try_into_bytes().unwrap()).unwrap()
    }

    fn answered(data: async_graphql::Value, errors: Vec<ServerError>) -> HttpResponse {
        let mut response = Response::new(data);
        response.errors = errors;
        publish(&mut response, "");
        reply(&response, Media::Json, None, 1_000)
    }

    fn at(field: &str, error: Error) -> ServerError {
        server_error(error).with_path(vec![PathSegment::Field(field.to_owned())])
    }

    #[test]
    fn a_request_that_failed_whole_for_want_of_the_database_may_be_tried_again() {
        let response = answered(value!({"points": null}), vec![at("points", Error::Unavailable)]);
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers().get(RETRY_AFTER).unwrap(), "1");
        assert!(body(response).get("data").is_none());
    }

    #[test]
    fn what_did_succeed_is_answered() {
        let response =
            answered(value!({"points": null, "__typename": "Query"}), vec![at("points", Error::Unavailable)]);
        assert_eq!(response.status(), 200);
        let body = body(response);
        assert_eq!(body["data"], json!({"points": null, "__typename": "Query"}));
        assert_eq!(body["errors"][0]["extensions"]["code"], "UNAVAILABLE");
    }

    #[test]
    fn a_null_that_climbed_to_the_root_is_an_answer_with_data() {
        let response = answered(async_graphql::Value::Null, vec![at("points", Error::internal("x"))]);
        assert_eq!(response.status(), 200);
        assert_eq!(body(response).get("data"), Some(&Json::Null));
    }

    #[test]
    fn an_answer_longer_than_the_limit_is_not_sent() {
        let long = |length: usize| answered(async_graphql::Value::String("x".repeat(length)), Vec::new());
        assert_eq!(long(1_000 - r#"{"data":""}"#.len()).status(), 200);
        let refused = body(long(1_000 - r#"{"data":""}"#.len() + 1));
        assert_eq!(refused["errors"][0]["extensions"]["code"], "ANSWER_TOO_LARGE");
        assert!(refused.get("data").is_none());
    }

    #[test]
    fn what_was_done_is_not_refused() {
        let refused = |data, errors: Vec<ServerError>| {
            let mut response = Response::new(data);
            response.errors = errors;
            was_refused(&response)
        };
        let forbidden = || at("points", Error::Forbidden(entity::Permission::MapRead));
        assert!(refused(async_graphql::Value::Null, vec![ServerError::new("no such field", None)]));
        assert!(refused(async_graphql::Value::Null, vec![refuse(OVERLOADED, "later", None)]));
        assert!(refused(value!({"points": null}), vec![at("points", Error::Unavailable)]));
        assert!(!refused(value!({"points": null, "others": 1}), vec![at("points", Error::Unavailable)]));
        assert!(!refused(value!({"points": null}), vec![forbidden()]));
        assert!(!refused(value!({"points": null}), vec![at("points", Error::Timeout)]));
        assert!(!refused(async_graphql::Value::Null, vec![server_error(Error::Timeout)]));
        assert!(!refused(value!({"points": null}), Vec::new()));
    }

    #[test]
    fn what_is_packed_is_answered_as_it_was() {
        let (packed, bytes) = packed(Response::new(value!({"a": {"b": ["\"", null]}, "c": "d", "e": null})));
        assert_eq!(bytes, r#"{"b":["\"",null]}"#.len());
        let answered = body(answered(packed.data, Vec::new()));
        assert_eq!(answered["data"], json!({"a": {"b": ["\"", null]}, "c": "d", "e": null}));
    }
}
