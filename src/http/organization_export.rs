//! `/organization/export`: every row of the caller's organization as JSON lines, streamed.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, HeaderMap, RETRY_AFTER},
    },
    web::{self, Bytes},
};
use entity::id;
use futures_util::stream;
use serde_json::{Value, json};

use super::{
    app::State,
    error_response::ErrorResponse,
    limits::pricing,
    request::{bearer, body, media::Media},
};
use crate::{
    Error,
    auth::Actor,
    clock,
    error::reason::Reason,
    exchange::export::{self, Cursor, ExportedRow},
    graphql::failure::{BAD_USER_INPUT, RATE_LIMITED},
    store::Store,
};

/// Points that a page reserves; what it costs is settled afterwards.
const RESERVED: u64 = 10;
/// Maximum time that a page of a running export waits for points or for its turn.
const PATIENCE: Duration = Duration::from_mins(1);
/// Interval of trying again while the server is overloaded.
const AGAIN: Duration = Duration::from_millis(200);

/// Streams the export: a header, one line per row, and a last line with the number of rows. Without the last line, the
/// export is incomplete, and `?after=` continues it after the id of the last row that was received.
pub async fn export(
    http: HttpRequest,
    unread: web::Payload,
    state: web::Data<State>,
    store: web::Data<Store>,
) -> HttpResponse {
    match begin(&http, &state, &store).await {
        Ok(response) => response,
        Err(refusal) => body::hold(refusal, unread),
    }
}

async fn begin(
    http: &HttpRequest,
    state: &web::Data<State>,
    store: &web::Data<Store>,
) -> Result<HttpResponse, HttpResponse> {
    let refused = |refusal: ErrorResponse| refusal.respond(Media::Json);
    let actor = bearer::actor(http.headers(), &state.app.gate).await.map_err(refused)?;
    let actor = actor.ok_or_else(|| refused(ErrorResponse::unauthenticated(Reason::Missing)))?;
    let asked = web::Query::<BTreeMap<String, String>>::from_query(http.query_string());
    let asked = asked.map_err(|_| refused(ErrorResponse::bad_request("the query string cannot be read")))?;
    if asked.keys().any(|name| name != "after") {
        return Err(refused(ErrorResponse::bad_request("the only parameter is after")));
    }
    let after = asked.get("after").map(|after| Cursor::parse(after)).transpose().map_err(|error| failed(&error))?;
    let organization = actor.organization;
    let mut export = Export {
        state: state.clone(),
        store: store.clone(),
        headers: http.headers().clone(),
        next: Some(after.unwrap_or_default()),
        counts: BTreeMap::new(),
        is_done: false,
    };
    // The first page is read before the response begins, so that its failure has a status.
    let rows = export.page(&actor).await.map_err(|failure| failure.respond())?;
    let header = json!({
        "organization": id::encode(entity::organization::NOUN.prefix, organization.0),
        "exportedAt": export::instant(clock::now().timestamp_millis()),
        "after": asked.get("after"),
    });
    let mut first = line(&header);
    first.extend(export.lines(rows));
    let pages = stream::try_unfold((export, Some(first)), |(mut export, first)| async move {
        if let Some(first) = first {
            return Ok(Some((Bytes::from(first), (export, None))));
        }
        let next = export.next_lines().await;
        Ok::<_, actix_web::Error>(next?.map(|lines| (Bytes::from(lines), (export, None))))
    });
    let mut response = HttpResponse::Ok();
    response.content_type("application/x-ndjson").insert_header((CACHE_CONTROL, "no-store"));
    Ok(response.streaming(pages))
}

/// A running export. It holds no transaction and no connection between two pages.
struct Export {
    state: web::Data<State>,
    store: web::Data<Store>,
    /// The headers of the request: the token is verified again for each page.
    headers: HeaderMap,
    /// Where the next page begins; `None` after the last one.
    next: Option<Cursor>,
    counts: BTreeMap<&'static str, u64>,
    is_done: bool,
}

/// Why a page was not read.
enum Failure {
    Points(u64),
    Overloaded,
    Failed(Error),
}

impl Failure {
    fn respond(&self) -> HttpResponse {
        match self {
            Self::Points(seconds) => {
                let message = "points exhausted; wait";
                let refusal = ErrorResponse::new(StatusCode::TOO_MANY_REQUESTS, RATE_LIMITED, message);
                let mut response = refusal.respond(Media::Json);
                response.headers_mut().insert(RETRY_AFTER, (*seconds).into());
                response
            }
            Self::Overloaded => ErrorResponse::overloaded("the server is overloaded; try again").respond(Media::Json),
            Self::Failed(error) => failed(error),
        }
    }
}

impl Export {
    /// Reads the next page if the caller has enough points.
    async fn page(&mut self, actor: &Actor) -> Result<Vec<ExportedRow>, Failure> {
        let Some(after) = self.next else { return Ok(Vec::new()) };
        let own = self.state.app.gate.own_quota(actor);
        let reserved = self.state.rate_limiter.reserve(actor, own, RESERVED);
        let reserved = reserved.map_err(|wait| Failure::Points(wait.seconds()))?;
        let Some(permits) = self.state.admission.enter(Some(actor.organization)).await else {
            self.state.rate_limiter.settle(&reserved, 0);
            return Err(Failure::Overloaded);
        };
        let scope = self.store.scope(actor.clone(), clock::now()).with_permits(permits);
        let meter = Arc::clone(scope.meter());
        let read = tokio::time::timeout(self.state.request_timeout, export::page(&scope, after)).await;
        self.state.rate_limiter.settle(&reserved, pricing::due(&meter.spent(), self.store.has_one_writer()).max(1));
        let (rows, next) = read.unwrap_or(Err(Error::Timeout)).map_err(Failure::Failed)?;
        self.next = next;
        Ok(rows)
    }

    /// Returns the lines of the next page, or the last line; `None` after it.
    async fn next_lines(&mut self) -> Result<Option<Vec<u8>>, actix_web::Error> {
        if self.is_done {
            return Ok(None);
        }
        if self.next.is_none() {
            self.is_done = true;
            let all: u64 = self.counts.values().sum();
            return Ok(Some(line(&json!({ "complete": true, "rowCount": all, "rows": self.counts }))));
        }
        let stopped = || actix_web::error::ErrorInternalServerError("the export was stopped");
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let Ok(Some(actor)) = bearer::actor(&self.headers, &self.state.app.gate).await else {
                return Err(stopped());
            };
            let wait = match self.page(&actor).await {
                Ok(rows) => return Ok(Some(self.lines(rows))),
                Err(Failure::Points(seconds)) => Duration::from_secs(seconds),
                Err(Failure::Overloaded | Failure::Failed(Error::Unavailable)) => AGAIN,
                Err(Failure::Failed(error)) => {
                    tracing::warn!(%error, "an export was stopped");
                    return Err(stopped());
                }
            };
            if tokio::time::Instant::now() + wait > until {
                return Err(stopped());
            }
            tokio::time::sleep(wait).await;
        }
    }

    fn lines(&mut self, rows: Vec<ExportedRow>) -> Vec<u8> {
        let mut lines = Vec::new();
        for (noun, row) in rows {
            *self.counts.entry(noun.name).or_default() += 1;
            lines.extend(line(&json!({ "type": noun.name, "row": row })));
        }
        lines
    }
}

fn line(value: &Value) -> Vec<u8> {
    let mut line = value.to_string().into_bytes();
    line.push(b'\n');
    line
}

/// Maps an error to an HTTP error response.
fn failed(error: &Error) -> HttpResponse {
    let (status, code) = match error {
        Error::Forbidden(_) => (StatusCode::FORBIDDEN, "FORBIDDEN"),
        Error::BadInput(_) => (StatusCode::BAD_REQUEST, BAD_USER_INPUT),
        Error::Timeout => (StatusCode::GATEWAY_TIMEOUT, "TIMEOUT"),
        Error::Unavailable | Error::Collision => {
            return ErrorResponse::unavailable("the service is busy; try again").respond(Media::Json);
        }
        _ => {
            tracing::error!(%error, "an export failed");
            return ErrorResponse::internal(None).respond(Media::Json);
        }
    };
    ErrorResponse::new(status, code, error.to_string()).respond(Media::Json)
}
