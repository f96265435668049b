//! The documents that others read before they call: the schema and the public keys.

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, ContentType},
    web,
};

use super::app::State;

/// The contract in SDL.
pub async fn schema(state: web::Data<State>) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::plaintext()).body(state.sdl.clone())
}

/// The keys that our tokens can be verified with.
pub async fn jwks(state: web::Data<State>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .content_type(ContentType::json())
        .body(state.app.gate.jwks())
}
