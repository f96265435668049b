//! `/graphql`: GraphQL over HTTP.

use std::{net::IpAddr, sync::Arc, time::Duration};

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, HeaderValue, VARY},
    web,
};
use async_graphql::{Response, ServerError, parser::types::OperationType, value};
use entity::id::OrganizationId;

use super::{
    app::State,
    error_response::ErrorResponse,
    health::Health,
    limits::{pricing, rate_limit::Wait},
    middleware::RequestId,
    request::{bearer, body, media::Media},
    response::{RETRY_AFTER_SECONDS, packed, refused, reply, show_balance, was_refused},
    started::{Reading, TOO_MUCH},
    streams::{running::Request, sse},
    transfer::{Credentials, Transfer},
};
use crate::{
    Error,
    auth::Actor,
    clock,
    error::reason::Reason,
    graphql::{
        documents::document::PreparedOperation,
        failure::{self, OVERLOADED, RATE_LIMITED, refuse, server_error},
    },
    store::Store,
};

/// Bytes of an introspection response per point.
const SCHEMA_BYTES: usize = 1_000;

/// Handles a request. The caller is authenticated before anything else of the request is read.
pub async fn graphql(
    http: HttpRequest,
    mut payload: web::Payload,
    state: web::Data<State>,
    store: web::Data<Store>,
    health: web::Data<Health>,
) -> HttpResponse {
    let wanted = Accepted { media: Media::wanted(http.headers()), has_events: Media::takes_events(http.headers()) };
    let media = wanted.media.unwrap_or(Media::Json);
    let mut response = match bearer::actor(http.headers(), &state.app.gate).await {
        Err(refusal) => refusal.respond(media),
        Ok(actor) => {
            let answered = if wanted.media.is_some() || wanted.has_events {
                answer(&http, &mut payload, actor.clone(), (&state, &store, &health), wanted).await
            } else {
                Err(ErrorResponse::not_acceptable(
                    "the Accept header must allow application/graphql-response+json or application/json",
                ))
            };
            let mut response = answered.unwrap_or_else(|refusal| refusal.respond(media));
            if let Some(actor) = &actor {
                show_balance(&mut response, &state, actor);
            }
            response
        }
    };
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("accept"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if response.status().is_success() { response } else { body::hold(response, payload) }
}

/// The formats that the client accepts.
#[derive(Clone, Copy)]
struct Accepted {
    media: Option<Media>,
    /// Whether it takes a stream of events.
    has_events: bool,
}

async fn answer(
    http: &HttpRequest,
    payload: &mut web::Payload,
    actor: Option<Actor>,
    (state, store, health): (&web::Data<State>, &web::Data<Store>, &web::Data<Health>),
    wanted: Accepted,
) -> Result<HttpResponse, ErrorResponse> {
    // The reservation is held until the response is written, since the parsed values use memory until then.
    let (begun, room) = Reading { state, store, actor: actor.as_ref() }.http(http, payload).await?;
    let id = http.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default();
    let media = wanted.media.unwrap_or(Media::GraphQl);
    if begun.kind == Some(OperationType::Subscription) {
        let actor = actor.ok_or_else(|| ErrorResponse::unauthenticated(Reason::Missing))?;
        if !wanted.has_events {
            return Err(ErrorResponse::not_acceptable(
                "a subscription is answered with Accept: text/event-stream, or over a WebSocket",
            ));
        }
        let credentials = Credentials::Token(http.headers().clone());
        let transfer = Transfer { state: state.clone(), store: store.clone(), credentials };
        let request = Request { transfer, health: health.clone(), actor, id, room, is_patient: false };
        let response = match begun.prepared {
            Ok(prepared) => match request.subscribe(prepared).await? {
                Ok(subscription) => return Ok(sse::stream(subscription)),
                Err(response) => response,
            },
            Err(error) => refused(error),
        };
        return Ok(reply(&response, media, begun.kind, state.limits.response_bytes(false)));
    }
    let (response, most_bytes) = executed(begun.prepared, actor, state.address(http), (state, store), &id).await;
    let answer = reply(&response, media, begun.kind, most_bytes);
    Ok(if wanted.media.is_none() { sse::single(answer) } else { answer })
}

/// Executes an operation. Returns the response as the caller sees it, and its maximum size in bytes.
pub(super) async fn executed(
    prepared: Result<PreparedOperation, ServerError>,
    actor: Option<Actor>,
    address: Option<IpAddr>,
    (state, store): (&State, &Store),
    request_id: &str,
) -> (Response, usize) {
    let is_known = actor.is_some();
    let is_introspection = prepared.as_ref().is_ok_and(PreparedOperation::is_public);
    let mut response = match prepared {
        Ok(prepared) => rate_limited(prepared, actor, address, state, store).await,
        Err(error) => refused(error),
    };
    failure::publish(&mut response, request_id);
    if !is_known {
        failure::withhold_suggestions(&mut response);
    }
    (response, state.limits.response_bytes(is_introspection))
}

/// Executes a request if the caller has enough points, and reports the cost to a caller with a token.
pub(super) async fn rate_limited(
    prepared: PreparedOperation,
    actor: Option<Actor>,
    address: Option<IpAddr>,
    state: &State,
    store: &Store,
) -> Response {
    let about_schema = prepared.introspection;
    let asked = (about_schema > 0 || actor.is_none())
        .then(|| state.rate_limiter.reserve_introspection(actor.as_ref(), address, about_schema))
        .transpose();
    let asked = match asked {
        Ok(asked) => asked,
        Err(wait) => return wait_for(&wait, "introspection points exhausted; wait, or select less of the schema"),
    };
    let settle = |response: &Response, bytes: usize| {
        let Some(asked) = &asked else { return };
        let due = if was_refused(response) { 0 } else { bytes.div_ceil(SCHEMA_BYTES).max(1) };
        state.rate_limiter.settle_introspection(asked, due as u64);
    };
    let Some(actor) = actor else {
        let (response, bytes) = introspected(prepared, None, state).await;
        settle(&response, bytes);
        return response;
    };

    let (own, cost) = (state.app.gate.own_quota(&actor), prepared.cost);
    let mut charged = 0;
    let mut response = match state.rate_limiter.reserve(&actor, own, cost) {
        Ok(reserved) if prepared.is_public() => {
            let (response, bytes) = introspected(prepared, Some(actor.organization), state).await;
            settle(&response, bytes);
            charged = state.rate_limiter.settle(&reserved, u64::from(!was_refused(&response)));
            response
        }
        Ok(reserved) => {
            let (response, due) = with_admission(prepared, actor.clone(), state, store).await;
            if was_refused(&response) {
                settle(&response, 0);
            }
            charged = state.rate_limiter.settle(&reserved, due);
            response
        }
        Err(wait) => {
            let response = wait_for(&wait, "points exhausted; wait, or request less");
            settle(&response, 0);
            response
        }
    };
    let balance = state.rate_limiter.balance(&actor, own);
    let (limit, restored) = (balance.caller.0.points, balance.caller.0.per_second);
    let cost = value!({
        "requested": cost,
        "charged": charged,
        "limit": limit,
        "remaining": balance.remaining(),
        "restoreRate": restored,
    });
    response.extensions.insert("cost".to_owned(), cost);
    response
}

/// Runs a pure introspection on the compute pool. Returns the response and its size in bytes.
async fn introspected(
    prepared: PreparedOperation,
    organization: Option<OrganizationId>,
    state: &State,
) -> (Response, usize) {
    let schema = state.app.schema.clone();
    let work = async move { packed(prepared.run(&schema, None).await) };
    let done = state.compute.finish(organization, work).await;
    done.unwrap_or_else(|| (later(OVERLOADED, TOO_MUCH, 1), 0))
}

/// Executes an operation with an admission permit. Returns the response and its cost in points. A mutation keeps the
/// permit until it ends, even if the client is gone.
async fn with_admission(prepared: PreparedOperation, actor: Actor, state: &State, store: &Store) -> (Response, u64) {
    let Some(place) = state.admission.enter(Some(actor.organization)).await else {
        return (later(OVERLOADED, TOO_MUCH, 1), 0);
    };
    let estimate = prepared.cost;
    let scope = store.scope(actor, clock::now()).with_permits(place);
    let meter = Arc::clone(scope.meter());
    let (response, is_late) = within(state.request_timeout, prepared.run(&state.app.schema, Some(scope))).await;
    // After a timeout, the operation may still run and its final cost is unknown.
    let spent = meter.spent();
    let due = if is_late {
        estimate.max(pricing::due(&spent, store.has_one_writer()))
    } else if was_refused(&response) {
        // Most of the time was spent waiting, for a lock or for the database.
        spent.points
    } else {
        pricing::due(&spent, store.has_one_writer()).max(1)
    };
    (response, due)
}

/// Runs for at most `limit`, and returns whether the time limit was exceeded. A mutation that has begun runs to its end
/// in another task; only the wait for it ends.
async fn within(limit: Duration, run: impl Future<Output = Response>) -> (Response, bool) {
    let done = tokio::time::timeout(limit, run).await;
    done.map_or_else(|_| (refused(server_error(Error::Timeout)), true), |response| (response, false))
}

fn wait_for(wait: &Wait, message: &str) -> Response {
    later(RATE_LIMITED, message, wait.seconds())
}

pub(super) fn later(code: &'static str, message: &str, seconds: u64) -> Response {
    let mut error = refuse(code, message, None);
    failure::set(&mut error, RETRY_AFTER_SECONDS, seconds);
    refused(error)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};

    use super::{failure, within};
    use crate::http::{request::media::Media, response::reply};

    struct Slow;

    #[Object]
    impl Slow {
        async fn forever(&self) -> Option<bool> {
            std::future::pending().await
        }
    }

    #[actix_web::test]
    async fn a_request_is_waited_for_no_longer_than_the_limit() {
        let schema = Schema::new(Slow, EmptyMutation, EmptySubscription);
        let (mut response, is_late) = within(Duration::from_millis(10), schema.execute("{ forever }")).await;
        failure::publish(&mut response, "");
        assert_eq!((is_late, reply(&response, Media::GraphQl, None, 1_000).status().as_u16()), (true, 504));
        assert_eq!(failure::code(&response.errors[0]), Some("TIMEOUT"));
    }
}
