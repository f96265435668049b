//! `/journeys/{id}/events.{format}`: the event log of a journey, streamed to whoever has a signed URL.

use std::collections::BTreeMap;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_DISPOSITION},
    web::{self, Bytes},
};
use futures_util::stream;

use super::{
    app::State,
    error_response::ErrorResponse,
    request::{media::Media, signed_url},
    transfer::{Credentials, Failure, Transfer},
};
use crate::{
    insight::event_log::{EventLog, EventLogFormat, EventLogQuery},
    store::Store,
};

/// Streams the log.
pub async fn event_log(
    http: HttpRequest,
    unread: web::Payload,
    state: web::Data<State>,
    store: web::Data<Store>,
) -> HttpResponse {
    signed_url::respond(begin(&http, &state, &store).await, unread)
}

async fn begin(
    http: &HttpRequest,
    state: &web::Data<State>,
    store: &web::Data<Store>,
) -> Result<HttpResponse, HttpResponse> {
    let refused = |refusal: ErrorResponse| refusal.respond(Media::Json);
    let proof = signed_url::proof(http, state).await.map_err(refused)?;
    let query = asked(http).ok_or_else(|| refused(ErrorResponse::not_found()))?;
    let actor = proof.actor.clone();
    let transfer = Transfer { state: state.clone(), store: store.clone(), credentials: Credentials::Url(proof) };
    let begun = transfer.first(&actor, async |scope| EventLog::begin(scope, &query).await).await;
    let begun = begun.map_err(Failure::respond)?;
    let (log, first) = begun.ok_or_else(|| refused(ErrorResponse::not_found()))?;
    let pieces = stream::try_unfold((transfer, log, Some(first)), |(transfer, mut log, first)| async move {
        let piece = match first {
            Some(first) => Some(first),
            None => transfer.next(async |scope| log.next(scope).await).await?,
        };
        Ok::<_, actix_web::Error>(piece.map(|piece| (Bytes::from(piece), (transfer, log, None))))
    });
    let (media, disposition) = match query.format {
        EventLogFormat::Xes => ("application/xml", "attachment; filename=\"events.xes\""),
        EventLogFormat::Ocel => ("application/json", "attachment; filename=\"events.jsonocel\""),
    };
    let mut response = HttpResponse::Ok();
    response.content_type(media).insert_header((CACHE_CONTROL, "no-store"));
    Ok(response.insert_header((CONTENT_DISPOSITION, disposition)).streaming(pieces))
}

/// Returns which log the URL names.
fn asked(http: &HttpRequest) -> Option<EventLogQuery> {
    let parts = web::Query::<BTreeMap<String, String>>::from_query(http.query_string()).ok()?;
    let part = |name: &str| parts.get(name).map(String::as_str);
    let (id, format) = (http.match_info().get("id")?, http.match_info().get("format")?);
    EventLogQuery::parse(id, format, part("from")?, part("to")?)
}
