//! The documents that clients read in advance: the schema and the public keys.

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, ContentType},
    web,
};

use super::app::State;

/// Serves the schema in SDL.
pub async fn schema(state: web::Data<State>) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::plaintext()).body(state.sdl.clone())
}

/// Serves the public keys of the built-in issuer.
pub async fn jwks(state: web::Data<State>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .content_type(ContentType::json())
        .body(state.app.gate.jwks())
}
