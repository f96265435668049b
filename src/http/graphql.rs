//! `/graphql`: GraphQL over HTTP.

use std::{
    io::{self, Write as _},
    net::IpAddr,
    time::Duration,
};

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{CACHE_CONTROL, HeaderValue, RETRY_AFTER, VARY},
    },
    web,
};
use async_graphql::{Response, ServerError, Value, parser::types::OperationType, value};

use super::{
    app::State,
    bearer, body,
    edge::RequestId,
    failure::{Outcome, Refusal},
    media::Media,
    params::{self, Params},
};
use crate::{
    Error,
    auth::Actor,
    clock,
    error::reason::Reason,
    graphql::{
        document::Prepared,
        failure::{self, ANSWER_TOO_LARGE, INTERNAL, OVERLOADED, RATE_LIMITED, code, refuse, server_error},
        render::written,
    },
    store::Store,
};

/// What a throttled caller is told in the error's extensions, and in the header of that name.
const RETRY_AFTER_SECONDS: &str = "retryAfter";

/// Answers one request.
pub async fn graphql(
    http: HttpRequest,
    mut payload: web::Payload,
    state: web::Data<State>,
    store: web::Data<Store>,
) -> HttpResponse {
    let wanted = Media::wanted(http.headers());
    let media = wanted.unwrap_or(Media::Json);
    let answered = if wanted.is_some() {
        answer(&http, &mut payload, &state, &store, media).await
    } else {
        let message = "accept application/graphql-response+json or application/json";
        Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message))
    };
    let mut response = answered.unwrap_or_else(|refusal| refusal.respond(media));
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("accept"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if response.status().is_success() { response } else { body::hold(response, payload) }
}

async fn answer(
    http: &HttpRequest,
    payload: &mut web::Payload,
    state: &State,
    store: &Store,
    media: Media,
) -> Result<HttpResponse, Refusal> {
    let actor = bearer::actor(http.headers(), &state.app.gate).await?;
    let params = read(http, payload, state).await?;
    let id = http.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default();
    let anonymous = actor.is_none();
    let finish = |mut response: Response, operation| {
        failure::publish(&mut response, &id);
        if anonymous {
            failure::withhold_suggestions(&mut response);
        }
        reply(&response, media, operation, state.limits.answer_bytes)
    };

    let read = state.documents.read(&params.query, params.operation_name, &state.limits, !anonymous);
    let document = match read {
        Ok(document) => document,
        Err(error) => return Ok(finish(refused(error), None)),
    };
    let kind = document.kind();
    if http.method() == Method::GET && kind != OperationType::Query {
        return Err(Refusal::method_not_allowed("POST", "only queries can be sent by GET"));
    }
    if anonymous && !document.is_public() {
        return Err(Refusal::unauthenticated(Reason::Missing));
    }
    let response = match document.prepare(params.variables, &state.shape, &state.limits) {
        Ok(prepared) => paid(prepared, actor, http.peer_addr().map(|peer| peer.ip()), state, store).await,
        Err(error) => refused(error),
    };
    Ok(finish(response, Some(kind)))
}

/// Executes what the caller has points for, and tells one with a token what it cost.
pub(super) async fn paid(
    prepared: Prepared,
    actor: Option<Actor>,
    address: Option<IpAddr>,
    state: &State,
    store: &Store,
) -> Response {
    let (is_stranger, cost) = (actor.is_none(), prepared.cost);
    let charged = match &actor {
        Some(actor) => state.throttle.charge(actor, cost),
        None => state.throttle.charge_stranger(address, cost),
    };
    let (mut response, remaining) = match charged {
        Ok(remaining) => {
            let response = match actor {
                Some(actor) => admitted(prepared, actor, state, store).await,
                None => within(state.request_timeout, prepared.run(&state.app.schema, None)).await,
            };
            (response, remaining)
        }
        Err(wait) => {
            let seconds = wait.time.as_secs() + u64::from(wait.time.subsec_nanos() > 0);
            (later(RATE_LIMITED, "too many points spent: wait, or ask for less", seconds), wait.remaining)
        }
    };
    if is_stranger {
        return response;
    }
    let (limit, restored) = (state.limits.points, state.limits.points_per_second);
    let told = value!({ "requested": cost, "limit": limit, "remaining": remaining, "restoreRate": restored });
    response.extensions.insert("cost".to_owned(), told);
    response
}

/// Executes what there is a place for. A mutation keeps the place until it has ended, even if nobody waits for it.
async fn admitted(prepared: Prepared, actor: Actor, state: &State, store: &Store) -> Response {
    let Some(place) = state.admission.enter(Some(actor.organization)).await else {
        return later(OVERLOADED, "too much is asked for at once, try again", 1);
    };
    let scope = store.scope(actor, clock::now()).holding(place);
    within(state.request_timeout, prepared.run(&state.app.schema, Some(scope))).await
}

fn later(code: &'static str, message: &str, seconds: u64) -> Response {
    let mut error = refuse(code, message, None);
    failure::set(&mut error, RETRY_AFTER_SECONDS, seconds);
    refused(error)
}

async fn read(http: &HttpRequest, payload: &mut web::Payload, state: &State) -> Result<Params, Refusal> {
    if http.method() == Method::GET {
        return Params::from_query_string(http.query_string());
    }
    params::check_content_type(http.headers())?;
    let body = body::read(http.headers(), payload, state.body_limit, state.request_timeout).await?;
    Params::from_body(&body)
}

/// Executes for at most so long. A mutation that has begun runs to its end elsewhere; only the wait for it ends.
pub async fn within(limit: Duration, run: impl Future<Output = Response>) -> Response {
    let late = |_| refused(server_error(Error::Timeout));
    tokio::time::timeout(limit, run).await.unwrap_or_else(late)
}

fn refused(error: ServerError) -> Response {
    Response::from_errors(vec![error])
}

/// Writes the body of an answer: without `data` if nothing was executed.
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

/// What the roots have written already is copied as it stands; serde would read it first.
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

fn reply(response: &Response, media: Media, operation: Option<OperationType>, most_bytes: usize) -> HttpResponse {
    let status = status(response, media);
    let has_data = status.is_success() && !is_request_error(response);
    let mut text = Bounded { bytes: Vec::new(), most: most_bytes, is_over: false };
    if write(response, has_data, &mut text).is_err() {
        if text.is_over && !is_request_error(response) {
            let message = format!("the answer is longer than {most_bytes} bytes; what was written stays: ask for less");
            let mut over = refused(refuse(ANSWER_TOO_LARGE, message, None));
            over.extensions.clone_from(&response.extensions);
            return reply(&over, media, operation, most_bytes);
        }
        return Refusal::internal(None).respond(media);
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

/// Takes no more than so many bytes.
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

/// After how many seconds a throttled caller may try again.
pub(super) fn retry_after(response: &Response) -> u64 {
    let said = response.errors.first().and_then(|error| error.extensions.as_ref()?.get(RETRY_AFTER_SECONDS));
    if let Some(Value::Number(seconds)) = said { seconds.as_u64().unwrap_or(1) } else { 1 }
}

/// All statuses of executed requests. GraphQL over HTTP is still a draft: what changes there, changes here.
fn status(response: &Response, media: Media) -> StatusCode {
    let codes: Vec<_> = response.errors.iter().map(code).collect();
    let all = |wanted: &str| {
        has_no_data(&response.data) && !codes.is_empty() && codes.iter().all(|code| *code == Some(wanted))
    };
    match media {
        _ if all("UNAVAILABLE") || all(OVERLOADED) => StatusCode::SERVICE_UNAVAILABLE,
        _ if all(RATE_LIMITED) => StatusCode::TOO_MANY_REQUESTS,
        _ if all("TIMEOUT") => StatusCode::GATEWAY_TIMEOUT,
        _ if is_request_error(response) && all(INTERNAL) => StatusCode::INTERNAL_SERVER_ERROR,
        Media::GraphQl if is_request_error(response) => StatusCode::BAD_REQUEST,
        Media::GraphQl | Media::Json => StatusCode::OK,
    }
}

/// Whether the request failed before any field was executed.
fn is_request_error(response: &Response) -> bool {
    response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty())
}

fn has_no_data(data: &Value) -> bool {
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
    use std::time::Duration;

    use actix_web::{HttpResponse, body::MessageBody as _, http::header::RETRY_AFTER};
    use async_graphql::{EmptyMutation, EmptySubscription, Object, PathSegment, Response, Schema, ServerError, value};
    use serde_json::{Value as Json, json};

    use super::{Media, reply, within};
    use crate::{
        Error,
        graphql::failure::{publish, server_error},
    };

    struct Slow;

    #[Object]
    impl Slow {
        async fn forever(&self) -> Option<bool> {
            std::future::pending().await
        }
    }

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

    #[actix_web::test]
    async fn a_request_is_waited_for_no_longer_than_the_limit() {
        let schema = Schema::new(Slow, EmptyMutation, EmptySubscription);
        let mut response = within(Duration::from_millis(10), schema.execute("{ forever }")).await;
        publish(&mut response, "");
        let response = reply(&response, Media::GraphQl, None, 1_000);
        assert_eq!(response.status(), 504);
        let body = body(response);
        assert_eq!(body["errors"][0]["extensions"]["code"], "TIMEOUT");
        assert!(body.get("data").is_none());
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
}
