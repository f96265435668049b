//! `/journeys/{id}.svg`: the diagram of a journey, for a request with a token or a signed URL.

use std::collections::HashMap;

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{CONTENT_SECURITY_POLICY, HeaderValue, RETRY_AFTER},
    },
    web,
};
use async_graphql::{Response, Variables};
use serde_json::json;

use super::{
    app::State,
    error_response::ErrorResponse,
    graphql::rate_limited,
    middleware::RequestId,
    request::{bearer, media::Media, signed_url},
    response::{retry_after, show_balance, tagged},
};
use crate::{
    auth::{Actor, signed_url::PARAMETER},
    error::reason::Reason,
    graphql::failure::{self, BAD_USER_INPUT, OVERLOADED, RATE_LIMITED, code},
    store::Store,
};

/// The diagram is a field of the API, so the rules and limits of queries apply.
const QUERY: &str = "query($id: ID!, $theme: DiagramTheme!) {
    journey(by: { id: $id }) { diagram(format: SVG, options: { theme: $theme }) } }";
/// The content security policy of a diagram opened as a document: it may only use its own styles.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// Serves the diagram. `?theme=` is `auto`, `light` or `dark`.
pub async fn diagram(
    http: HttpRequest,
    unread: web::Payload,
    state: web::Data<State>,
    store: web::Data<Store>,
) -> HttpResponse {
    let answered = match caller(&http, &state).await {
        Ok((actor, theme)) => {
            let show = |mut response| {
                show_balance(&mut response, &state, &actor);
                response
            };
            answer(&http, (actor.clone(), theme), &state, &store).await.map(show).map_err(show)
        }
        Err(refusal) => Err(refusal.respond(Media::Json)),
    };
    signed_url::respond(answered, unread)
}

/// Returns the actor, authenticated by a signed URL or a token, and the theme.
async fn caller(http: &HttpRequest, state: &State) -> Result<(Actor, String), ErrorResponse> {
    let asked = web::Query::<HashMap<String, String>>::from_query(http.query_string()).ok();
    let is_signed = asked.as_ref().is_some_and(|asked| asked.contains_key(PARAMETER));
    let theme = asked.as_ref().map(|asked| asked.get("theme").map_or("auto", String::as_str));
    let theme = theme.filter(|theme| ["auto", "light", "dark"].contains(theme));
    let actor = if is_signed {
        signed_url::proof(http, state).await?.actor
    } else {
        let actor = bearer::actor(http.headers(), &state.app.gate).await?;
        actor.ok_or_else(|| ErrorResponse::unauthenticated(Reason::Missing))?
    };
    let theme = theme.map(str::to_ascii_uppercase);
    Ok((actor, theme.ok_or_else(|| ErrorResponse::bad_request("theme must be auto, light or dark"))?))
}

async fn answer(
    http: &HttpRequest,
    (actor, theme): (Actor, String),
    state: &State,
    store: &Store,
) -> Result<HttpResponse, HttpResponse> {
    let refused = |refusal: ErrorResponse| refusal.respond(Media::Json);
    let variables = Variables::from_json(json!({ "id": http.match_info().get("id"), "theme": theme }));
    let prepared = state
        .documents
        .read(QUERY, None, &state.limits, true)
        .and_then(|document| document.prepare(variables, &state.schema_index, &state.limits));
    let mut response = match prepared {
        Ok(prepared) => rate_limited(prepared, Some(actor), None, state, store).await,
        Err(error) => Response::from_errors(vec![error]),
    };
    let id = http.extensions().get::<RequestId>().copied();
    failure::publish(&mut response, &id.as_ref().map(ToString::to_string).unwrap_or_default());
    if !response.errors.is_empty() {
        return Err(failed(&response, id));
    }
    // An unknown journey, one of another organization and a malformed id get the same response.
    let data = serde_json::to_value(&response.data).unwrap_or_default();
    let svg = data["journey"]["diagram"].as_str().ok_or_else(|| refused(ErrorResponse::not_found()))?;
    Ok(picture(http, svg.to_owned()))
}

/// Returns the diagram, or 304 if the client has the current version.
fn picture(http: &HttpRequest, svg: String) -> HttpResponse {
    let mut response = tagged(http, "image/svg+xml", svg.into_bytes());
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

/// Maps the error of the query to an HTTP error response.
fn failed(response: &Response, id: Option<RequestId>) -> HttpResponse {
    let error = &response.errors[0];
    let (status, code) = match code(error) {
        Some("FORBIDDEN") => (StatusCode::FORBIDDEN, "FORBIDDEN"),
        Some(BAD_USER_INPUT) => (StatusCode::BAD_REQUEST, BAD_USER_INPUT),
        Some(RATE_LIMITED) => (StatusCode::TOO_MANY_REQUESTS, RATE_LIMITED),
        Some("UNAVAILABLE") => (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"),
        Some(OVERLOADED) => (StatusCode::SERVICE_UNAVAILABLE, OVERLOADED),
        Some("TIMEOUT") => (StatusCode::GATEWAY_TIMEOUT, "TIMEOUT"),
        _ => return ErrorResponse::internal(id).respond(Media::Json),
    };
    let mut refused = ErrorResponse::new(status, code, error.message.clone()).respond(Media::Json);
    if [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&status) {
        refused.headers_mut().insert(RETRY_AFTER, retry_after(response).into());
    }
    refused
}
