//! `/graphql`: GraphQL over HTTP.

use std::{collections::BTreeMap, time::Duration};

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{CACHE_CONTROL, HeaderValue, RETRY_AFTER, VARY},
    },
    web,
};
use async_graphql::{Executor, Request, Response, ServerError, Value, parser::types::OperationType};
use serde::Serialize;

use super::{
    app::State,
    bearer, body,
    edge::RequestId,
    failure::{Outcome, Refusal},
    media::Media,
    params::{self, Params},
};
use crate::{
    Error, clock,
    graphql::{
        document::Document,
        failure::{self, INTERNAL, code, server_error},
    },
};

/// Answers one request.
pub async fn graphql(http: HttpRequest, payload: web::Payload, state: web::Data<State>) -> HttpResponse {
    let wanted = Media::wanted(http.headers());
    let media = wanted.unwrap_or(Media::Json);
    let answered = if wanted.is_some() {
        answer(&http, payload, &state, media).await
    } else {
        let message = "accept application/graphql-response+json or application/json";
        Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message))
    };
    let mut response = answered.unwrap_or_else(|refusal| refusal.respond(media));
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("accept"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn answer(
    http: &HttpRequest,
    payload: web::Payload,
    state: &State,
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
        reply(&response, media, operation)
    };

    let document = match Document::read(&params.query, params.operation_name) {
        Ok(document) => document,
        Err(error) => return Ok(finish(refused(error), None)),
    };
    let kind = document.kind();
    if http.method() == Method::GET && kind != OperationType::Query {
        return Err(Refusal::method_not_allowed("POST", "only queries can be sent by GET"));
    }
    if anonymous && !document.is_public() {
        return Err(Refusal::unauthenticated(bearer::CHALLENGE));
    }
    let response = match document.prepare(params.variables, &state.shape) {
        Ok(mut request) => {
            if let Some(actor) = actor {
                request = request.data(state.app.store.scope(actor, clock::now()));
            }
            within(state.request_timeout, &state.app.schema, request).await
        }
        Err(error) => refused(error),
    };
    Ok(finish(response, Some(kind)))
}

async fn read(http: &HttpRequest, payload: web::Payload, state: &State) -> Result<Params, Refusal> {
    if http.method() == Method::GET {
        return Params::from_query_string(http.query_string());
    }
    params::check_content_type(http.headers())?;
    let body = body::read(http.headers(), payload, state.body_limit, state.request_timeout).await?;
    Params::from_body(&body)
}

/// Executes for at most so long. A mutation that has begun runs to its end elsewhere; only the wait for it ends.
pub async fn within(limit: Duration, schema: &impl Executor, request: Request) -> Response {
    let late = |_| refused(server_error(Error::Timeout));
    tokio::time::timeout(limit, schema.execute(request)).await.unwrap_or_else(late)
}

fn refused(error: ServerError) -> Response {
    Response::from_errors(vec![error])
}

/// The body of an answer: without `data` if nothing was executed.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: &'a BTreeMap<String, Value>,
}

fn reply(response: &Response, media: Media, operation: Option<OperationType>) -> HttpResponse {
    let status = status(response, media);
    let data = Some(&response.data).filter(|_| status.is_success() && !is_request_error(response));
    let body = Body { errors: &response.errors, data, extensions: &response.extensions };
    let Ok(text) = serde_json::to_vec(&body) else {
        return Refusal::internal(None).respond(media);
    };
    let mut builder = HttpResponse::build(status);
    builder.content_type(media.content_type());
    if [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS].contains(&status) {
        builder.insert_header((RETRY_AFTER, "1"));
    }
    let mut http = builder.body(text);
    let first_code = response.errors.first().and_then(code).map(|code| code.to_owned().into());
    http.extensions_mut().insert(Outcome { operation: operation.map(kind_name), code: first_code });
    http
}

/// All statuses of executed requests. GraphQL over HTTP is still a draft: what changes there, changes here.
fn status(response: &Response, media: Media) -> StatusCode {
    let codes: Vec<_> = response.errors.iter().map(code).collect();
    let all = |wanted: &str| {
        has_no_data(&response.data) && !codes.is_empty() && codes.iter().all(|code| *code == Some(wanted))
    };
    match media {
        _ if all("UNAVAILABLE") => StatusCode::SERVICE_UNAVAILABLE,
        _ if all("RATE_LIMITED") => StatusCode::TOO_MANY_REQUESTS,
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
        reply(&response, Media::Json, None)
    }

    fn at(field: &str, error: Error) -> ServerError {
        server_error(error).with_path(vec![PathSegment::Field(field.to_owned())])
    }

    #[actix_web::test]
    async fn a_request_is_waited_for_no_longer_than_the_limit() {
        let schema = Schema::new(Slow, EmptyMutation, EmptySubscription);
        let mut response = within(Duration::from_millis(10), &schema, "{ forever }".into()).await;
        publish(&mut response, "");
        let response = reply(&response, Media::GraphQl, None);
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
}
