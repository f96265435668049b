//! `POST /imports/{id}/file`: takes the file of an import.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::CACHE_CONTROL},
    web,
};
use entity::{id, import};
use futures_util::StreamExt as _;
use serde_json::json;

use super::{
    app::State,
    error_response::ErrorResponse,
    request::{body, media::Media},
    transfer::{Failure, Transfer},
};
use crate::{
    exchange::import::{Refusal, Upload},
    graphql::failure::BAD_USER_INPUT,
    store::Store,
};

/// Maximum size of a file, in bytes.
const MOST_BYTES: usize = 1 << 30;

/// Takes the file, piece by piece, with a bounded number of lines in memory. The import begins when the last piece has arrived;
/// before that, the file can be sent again.
pub async fn import_file(
    http: HttpRequest,
    mut payload: web::Payload,
    state: web::Data<State>,
    store: web::Data<Store>,
) -> HttpResponse {
    take(&http, &mut payload, &state, &store).await.unwrap_or_else(|refusal| body::hold(refusal, payload))
}

async fn take(
    http: &HttpRequest,
    payload: &mut web::Payload,
    state: &web::Data<State>,
    store: &web::Data<Store>,
) -> Result<HttpResponse, HttpResponse> {
    let refused = |refusal: ErrorResponse| refusal.respond(Media::Json);
    let (transfer, actor) = Transfer::begin(http, state, store).await.map_err(refused)?;
    let id = http.match_info().get("id").and_then(id::decode);
    let id = id.filter(|(prefix, _)| *prefix == import::NOUN.prefix).map(|(_, id)| id);
    let id = id.ok_or_else(|| refused(not_found()))?;
    let begun = transfer.first(&actor, async |scope| Upload::begin(scope, id).await).await;
    let mut upload = begun.map_err(Failure::respond)?.map_err(|refusal| refused(response(refusal)))?;
    let mut size = 0;
    loop {
        let piece = tokio::time::timeout(state.request_timeout, payload.next()).await;
        let piece = piece.map_err(|_| {
            let message = "the file did not arrive in time";
            refused(ErrorResponse::new(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", message).closing())
        })?;
        let is_last = piece.is_none();
        let piece =
            piece.transpose().map_err(|_| refused(ErrorResponse::bad_request("cannot read the file").closing()))?;
        let piece = piece.unwrap_or_default();
        size += piece.len();
        if size > MOST_BYTES {
            return Err(refused(body::too_large(MOST_BYTES).closing()));
        }
        upload.push(&piece, is_last).map_err(|refusal| refused(response(refusal).closing()))?;
        if is_last || upload.is_full() {
            let stored = transfer.another(async |scope| upload.store(scope, is_last).await).await;
            stored.map_err(Failure::respond)?.map_err(|refusal| refused(response(refusal).closing()))?;
        }
        if is_last {
            break;
        }
    }
    let taken = json!({ "id": id::encode(import::NOUN.prefix, id), "lineCount": upload.count() });
    Ok(HttpResponse::Accepted().insert_header((CACHE_CONTROL, "no-store")).json(taken))
}

fn not_found() -> ErrorResponse {
    ErrorResponse::new(StatusCode::NOT_FOUND, "NOT_FOUND", "no such import")
}

fn response(refusal: Refusal) -> ErrorResponse {
    match refusal {
        Refusal::NotFound => not_found(),
        Refusal::Conflict(message) => ErrorResponse::new(StatusCode::CONFLICT, "CONFLICT", message),
        Refusal::Bad(message) => ErrorResponse::new(StatusCode::BAD_REQUEST, BAD_USER_INPUT, message),
    }
}
