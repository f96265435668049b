//! Authenticates a request by its signed URL.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{AUTHORIZATION, HeaderValue, REFERRER_POLICY},
    web,
};

use super::{bearer, body};
use crate::{
    Error,
    auth::{VerifiedToken, signed_url::PARAMETER},
    clock,
    error::reason::Reason,
    http::{app::State, error_response::ErrorResponse},
};

/// Returns the proof of the request, which has only the scopes that its URL names. `Err` if any part of the URL differs
/// from the one that was signed, and if it has expired or was revoked.
pub async fn proof(http: &HttpRequest, state: &State) -> Result<VerifiedToken, ErrorResponse> {
    if http.headers().contains_key(AUTHORIZATION) {
        return Err(ErrorResponse::bad_request("a signed URL must be requested without an Authorization header"));
    }
    let opened = async {
        let parts = http.query_string().rsplit_once(&format!("&{PARAMETER}="));
        let (query, signature) = parts.ok_or(Error::Unauthenticated(Reason::Resource))?;
        let now = clock::now();
        let addresses = state.addresses.as_ref().ok_or(Error::Unauthenticated(Reason::Signature))?;
        let resource = format!("{}?{query}", http.path());
        let proof = addresses.verify(signature, &resource, now).map_err(Error::Unauthenticated)?;
        state.app.gate.admits(&proof, now).await?;
        Ok(proof)
    };
    opened.await.map_err(|error| bearer::refused_address(&error))
}

/// Returns the response to a request that may have a signed URL.
pub fn respond(answered: Result<HttpResponse, HttpResponse>, unread: web::Payload) -> HttpResponse {
    let mut response = answered.unwrap_or_else(|refusal| body::hold(refusal, unread));
    // The URL must not leak to other sites in a `Referer` header.
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
