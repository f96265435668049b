//! `/calendars/{id}.ics`: a calendar feed, for a request with a signed URL.

use actix_web::{HttpRequest, HttpResponse, http::header::CACHE_CONTROL, web};
use entity::{
    calendar_feed,
    id::{self, CalendarFeedId},
};

use super::{
    app::State,
    error_response::ErrorResponse,
    request::{bearer, media::Media, signed_url},
    transfer::{Credentials, Failure, Transfer},
};
use crate::{Error, response::calendar_feed::document, store::Store};

/// Serves the feed.
pub async fn calendar(
    http: HttpRequest,
    unread: web::Payload,
    state: web::Data<State>,
    store: web::Data<Store>,
) -> HttpResponse {
    signed_url::respond(answer(&http, &state, &store).await, unread)
}

async fn answer(
    http: &HttpRequest,
    state: &web::Data<State>,
    store: &web::Data<Store>,
) -> Result<HttpResponse, HttpResponse> {
    let refused = |refusal: ErrorResponse| refusal.respond(Media::Json);
    let proof = signed_url::proof(http, state).await.map_err(refused)?;
    // The address does not expire, so a revocation of any age counts: the server remembers recent ones only.
    let revoked = store.revocations_of(proof.actor.organization).await.map(|revoked| revoked.refuses(&proof));
    match revoked {
        Ok(None) => {}
        Ok(Some(reason)) => return Err(refused(bearer::refused_address(&Error::Unauthenticated(reason)))),
        Err(error) => return Err(refused(bearer::refused_address(&error))),
    }
    let id = http.match_info().get("id").and_then(id::decode);
    let id = id.filter(|(prefix, _)| *prefix == calendar_feed::NOUN.prefix);
    let (_, id) = id.ok_or_else(|| refused(ErrorResponse::not_found()))?;
    let actor = proof.actor.clone();
    let transfer = Transfer { state: state.clone(), store: store.clone(), credentials: Credentials::Url(proof) };
    let read = transfer.first(&actor, async |scope| document(scope, CalendarFeedId(id)).await).await;
    let text = read.map_err(Failure::respond)?.ok_or_else(|| refused(ErrorResponse::not_found()))?;
    let mut response = HttpResponse::Ok();
    response.content_type("text/calendar; charset=utf-8").insert_header((CACHE_CONTROL, "no-store"));
    Ok(response.body(text))
}
