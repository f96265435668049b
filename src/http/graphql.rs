//! `/graphql`: GraphQL over HTTP.

use std::{net::IpAddr, sync::Arc, time::Duration};

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{CACHE_CONTROL, HeaderValue, VARY},
    },
    web,
};
use async_graphql::{Response, ServerError, parser::types::OperationType, value};
use entity::id::OrganizationId;

use super::{
    app::State,
    error_response::ErrorResponse,
    known_documents::{Caller, Text},
    limits::{pricing, rate_limit::Wait},
    middleware::RequestId,
    request::{
        bearer, body,
        body_memory::Room,
        media::Media,
        params::{self, Pairs, Params},
    },
    response::{RETRY_AFTER_SECONDS, packed, refused, reply, show_balance, was_refused},
};
use crate::{
    Error, Result,
    auth::Actor,
    clock,
    error::reason::Reason,
    graphql::{
        documents::document::PreparedOperation,
        failure::{self, OVERLOADED, RATE_LIMITED, refuse, server_error},
    },
    store::{Scope, Store},
};

/// Maximum size of a body without a token, in bytes: more than the largest allowed document, as only introspection is
/// possible without a token.
const ANONYMOUS: usize = 64 * 1_024;
/// Maximum size of a body that is parsed on the worker thread, in bytes; a larger one goes to the compute pool.
const BRIEF: usize = 16 * 1_024;
/// The error message when the server is overloaded.
const TOO_MUCH: &str = "the server is overloaded; try again";
/// Bytes of an introspection response per point.
const SCHEMA_BYTES: usize = 1_000;

/// Handles a request. The caller is authenticated before anything else of the request is read.
pub async fn graphql(
    http: HttpRequest,
    mut payload: web::Payload,
    state: web::Data<State>,
    store: web::Data<Store>,
) -> HttpResponse {
    let wanted = Media::wanted(http.headers());
    let media = wanted.unwrap_or(Media::Json);
    let mut response = match bearer::actor(http.headers(), &state.app.gate).await {
        Err(refusal) => refusal.respond(media),
        Ok(actor) => {
            let answered = if wanted.is_some() {
                answer(&http, &mut payload, actor.clone(), &state, &store, media).await
            } else {
                let message = "the Accept header must allow application/graphql-response+json or application/json";
                Err(ErrorResponse::new(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message))
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

async fn answer(
    http: &HttpRequest,
    payload: &mut web::Payload,
    actor: Option<Actor>,
    state: &web::Data<State>,
    store: &Store,
    media: Media,
) -> Result<HttpResponse, ErrorResponse> {
    let is_known = actor.is_some();
    // The reservation is held until the response is written, since the parsed values use memory until then.
    let (begun, _room) = read(http, payload, (state, store), actor.as_ref()).await?;
    let is_introspection = begun.prepared.as_ref().is_ok_and(PreparedOperation::is_public);
    let mut response = match begun.prepared {
        Ok(prepared) => rate_limited(prepared, actor, state.address(http), state, store).await,
        Err(error) => refused(error),
    };
    let id = http.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default();
    failure::publish(&mut response, &id);
    if !is_known {
        failure::withhold_suggestions(&mut response);
    }
    Ok(reply(&response, media, begun.kind, state.limits.response_bytes(is_introspection)))
}

/// A parsed request, and the operation it contains or the error in it.
struct StartedRequest {
    kind: Option<OperationType>,
    prepared: Result<PreparedOperation, ServerError>,
}

/// A request that was parsed, or the id of the trusted document that must be read before.
enum Begun {
    Started(StartedRequest),
    ToRead(Box<str>),
}

/// The text of a trusted document that was read, if there is one.
type Read = Option<Option<Arc<str>>>;

/// Reads and parses a request; a large body is parsed on the compute pool.
async fn read(
    http: &HttpRequest,
    payload: &mut web::Payload,
    (state, store): (&web::Data<State>, &Store),
    actor: Option<&Actor>,
) -> Result<(StartedRequest, Room), ErrorResponse> {
    let is_known = actor.is_some();
    let caller = actor.map(|actor| Caller {
        organization: actor.organization,
        is_trusted_documents_only: state.app.gate.is_trusted_documents_only(actor),
    });
    let mut room = state.memory.room(is_known);
    if http.method() == Method::GET {
        let pairs = Pairs::read(http.query_string())?;
        let params = pairs.params()?;
        let mut read = None;
        loop {
            match begin(&params, state, (caller, read.as_ref()), true, &mut room)? {
                Begun::Started(begun) => return Ok((begun, room)),
                Begun::ToRead(id) => {
                    let known = &state.known_documents;
                    read = Some(trusted(actor, (state, store), async |scope| known.read(scope, &id).await).await?);
                }
            }
        }
    }
    params::check_content_type(http.headers())?;
    let limit = if is_known { state.body_limit } else { state.body_limit.min(ANONYMOUS) };
    let too_large = || match limit {
        // Beyond this size, any request needs a token.
        ANONYMOUS if !is_known => ErrorResponse::unauthenticated(Reason::Missing),
        _ => body::too_large(limit),
    };
    let body = body::read(http.headers(), payload, (limit, too_large), state.request_timeout, &mut room).await?;
    let body = Arc::new(body);
    let mut read: Read = None;
    loop {
        let (shared, text) = (state.clone(), Arc::clone(&body));
        let work = move || {
            let begun = begin(&Params::from_body(&text)?, &shared, (caller, read.as_ref()), false, &mut room)?;
            Ok((begun, room))
        };
        let begun = if body.len() <= BRIEF {
            work()
        } else {
            let done = state.compute.run(caller.map(|caller| caller.organization), work).await;
            done.unwrap_or_else(|| Err(ErrorResponse::overloaded(TOO_MUCH)))
        };
        match begun? {
            (Begun::Started(begun), room) => return Ok((begun, room)),
            (Begun::ToRead(id), kept) => {
                room = kept;
                read = Some(
                    trusted(actor, (state, store), async |scope| state.known_documents.read(scope, &id).await).await?,
                );
            }
        }
    }
}

/// Reads the text of a trusted document, for a point.
pub(super) async fn trusted<T>(
    actor: Option<&Actor>,
    (state, store): (&State, &Store),
    read: impl AsyncFnOnce(&Scope) -> Result<T>,
) -> Result<T, ErrorResponse> {
    let actor = actor.ok_or_else(|| ErrorResponse::unauthenticated(Reason::Missing))?;
    let own = state.app.gate.own_quota(actor);
    let reserved = state.rate_limiter.reserve(actor, own, 1);
    let reserved = reserved.map_err(|wait| ErrorResponse::rate_limited(wait.seconds()))?;
    let scope = store.scope(actor.clone(), clock::now());
    let done = tokio::time::timeout(state.request_timeout, read(&scope)).await;
    state.rate_limiter.settle(&reserved, 1);
    done.unwrap_or(Err(Error::Timeout)).map_err(|error| {
        tracing::warn!(%error, "cannot read a trusted document");
        ErrorResponse::unavailable("the document cannot be read at the moment; try again")
    })
}

/// Reads the document and the variables. Variables are parsed last: a caller who may not run the document is refused
/// before that.
fn begin(
    params: &Params<'_>,
    state: &State,
    (caller, read): (Option<Caller>, Option<&Option<Arc<str>>>),
    is_get: bool,
    room: &mut Room,
) -> Result<Begun, ErrorResponse> {
    let is_known = caller.is_some();
    let refused = |error| Ok(Begun::Started(StartedRequest { kind: None, prepared: Err(error) }));
    let known;
    let text = match state.known_documents.text(&params.source, caller, read)? {
        Text::Given(text) => text,
        Text::Known(text) => {
            known = text;
            &*known
        }
        Text::ToRead(id) => return Ok(Begun::ToRead(id)),
        Text::Refused(error) => return refused(error),
    };
    let name = params.operation_name.clone();
    let document = match state.documents.read(text, name, &state.limits, is_known) {
        Ok(document) => document,
        Err(error) => return refused(error),
    };
    if !is_known && !document.is_public() {
        return Err(ErrorResponse::unauthenticated(Reason::Missing));
    }
    let kind = document.kind();
    if is_get && kind != OperationType::Query {
        return Err(ErrorResponse::method_not_allowed("POST", "GET supports queries only; send mutations by POST"));
    }
    let variables = params.variables(state.limits.body_values, room)?;
    let prepared = document.prepare(variables, &state.schema_index, &state.limits);
    Ok(Begun::Started(StartedRequest { kind: Some(kind), prepared }))
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

fn later(code: &'static str, message: &str, seconds: u64) -> Response {
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
