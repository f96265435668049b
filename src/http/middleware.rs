//! Middleware for every request: request id, log line, metrics, headers, and a uniform format of errors.

use std::{fmt, panic::AssertUnwindSafe, time::Instant};

use actix_web::{
    Error, HttpMessage as _, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        ConnectionType, Method,
        header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS},
    },
    middleware::Next,
    web,
};
use futures_util::FutureExt as _;
use tracing::Instrument as _;

use super::{
    app::State,
    error_response::{ErrorResponse, Outcome},
    health::Health,
    metrics::{self, InFlight},
    request::media::Media,
};
use crate::runtime;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Identifies a request in the log and to the client. Always generated here: an id from outside could forge log lines.
#[derive(Clone, Copy, Debug)]
pub struct RequestId(uuid::Uuid);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The outermost middleware: it sees the response as the client does.
pub async fn request_middleware(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = RequestId(entity::id::new());
    request.extensions_mut().insert(id);
    let method = known(request.method());
    let started = Instant::now();
    let in_flight = InFlight::enter();
    let answered = next.call(request).instrument(tracing::info_span!("request", request_id = %id)).await;
    drop(in_flight);
    let mut response = match answered {
        Ok(response) => as_error_response(response.map_into_boxed_body(), id),
        Err(error) => {
            let status = error.as_response_error().status_code();
            let mut response = ErrorResponse::of_status(status, id).respond(Media::Json);
            add_headers(&mut response, id);
            tracing::error!(request_id = %id, method, status = status.as_u16(), "request failed outside its route");
            return Err(InternalError::from_response("failed outside its route", response).into());
        }
    };
    add_headers(response.response_mut(), id);

    if let Some(state) = response.request().app_data::<web::Data<State>>() {
        state.origins.look_at(response.request());
    }
    let route = response.request().match_pattern().unwrap_or_else(|| "unmatched".to_owned());
    let outcome = response.response().extensions().get::<Outcome>().cloned().unwrap_or_default();
    let status = response.status().as_u16();
    let took = started.elapsed();
    // The address of clients that are refused is logged so that operators can block them.
    let state = response.request().app_data::<web::Data<State>>().filter(|_| [401, 429].contains(&status));
    let address = state.and_then(|state| state.address(response.request()));
    metrics::count(&route, status, outcome.code.as_deref().unwrap_or("OK"), took);
    tracing::info!(
        request_id = %id,
        method,
        route,
        status,
        duration_ms = took.as_secs_f64() * 1_000.0,
        operation = outcome.operation,
        code = outcome.code.as_deref(),
        address = address.map(tracing::field::display),
        "request"
    );
    Ok(response)
}

/// Returns the name of a method for the log; a client can invent methods.
fn known(method: &Method) -> &'static str {
    let names = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "CONNECT", "TRACE"];
    names.into_iter().find(|name| method.as_str() == *name).unwrap_or("another")
}

fn add_headers<B>(response: &mut HttpResponse<B>, id: RequestId) {
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(X_REQUEST_ID, id);
    }
}

/// Replaces error responses of the framework and its middleware, which are plain text or empty.
fn as_error_response(response: ServiceResponse<BoxBody>, id: RequestId) -> ServiceResponse<BoxBody> {
    let status = response.status();
    let is_ours = response.response().extensions().get::<Outcome>().is_some();
    if is_ours || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (request, theirs) = response.into_parts();
    let mut ours = ErrorResponse::of_status(status, id).respond(Media::Json);
    for (name, value) in theirs.headers() {
        if ![CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING].contains(name) {
            ours.headers_mut().append(name.clone(), value.clone());
        }
    }
    ServiceResponse::new(request, ours)
}

/// The innermost middleware, around each route: turns a panic into a response instead of a closed connection, and
/// closes connections while the process drains.
pub async fn catch_panic(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let http = request.request().clone();
    let home = request.app_data::<web::Data<State>>().map(|state| state.home.clone());
    // Connections and tasks that the handler opens run on a runtime that outlives this thread's: a database connection
    // opened by a worker that hangs or stops still serves the others.
    let answered = async {
        match &home {
            Some(home) => runtime::enter(home, next.call(request)).await,
            None => next.call(request).await,
        }
    };
    let answered = AssertUnwindSafe(answered).catch_unwind().await;
    let mut response = if let Ok(answered) = answered {
        answered?.map_into_boxed_body()
    } else {
        let id = http.extensions().get::<RequestId>().copied();
        tracing::error!(request_id = id.map(tracing::field::display), "request handler panicked");
        ServiceResponse::new(http, ErrorResponse::internal(id).respond(Media::Json))
    };
    if response.request().app_data::<web::Data<Health>>().is_some_and(|health| health.is_draining()) {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}
