//! Authenticates a request by its bearer token in a single Authorization header.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};

use super::authenticator::Authenticator;
use crate::{Error, auth::Actor, clock, error::reason::Reason, http::error_response::ErrorResponse};

/// Returns the caller, or `None` without a token. An invalid token is an error: it never makes a caller anonymous.
pub async fn actor(headers: &HeaderMap, gate: &Authenticator) -> Result<Option<Actor>, ErrorResponse> {
    let mut given = headers.get_all(AUTHORIZATION);
    let token = match (given.next(), given.next()) {
        (None, _) => return Ok(None),
        (Some(only), None) => std::str::from_utf8(only.as_bytes()).ok().and_then(bearer).ok_or(Reason::NoBearer),
        (Some(_), Some(_)) => Err(Reason::SeveralHeaders),
    };
    let judged = match token {
        Ok(token) => gate.verify(token, clock::now()).await,
        Err(reason) => Err(Error::Unauthenticated(reason)),
    };
    judged.map(Some).map_err(|error| refused(&error))
}

/// Logs a failed authentication and returns the error response.
pub fn refused(error: &Error) -> ErrorResponse {
    let Error::Unauthenticated(reason) = error else {
        return ErrorResponse::unavailable("tokens cannot be verified at the moment");
    };
    // The log contains neither the token nor its claims: a client can put any text there.
    tracing::info!(%reason, "authentication failed");
    ErrorResponse::unauthenticated(*reason)
}

/// Logs a rejected signed URL and returns the error response.
pub fn refused_address(error: &Error) -> ErrorResponse {
    let Error::Unauthenticated(reason) = error else {
        return ErrorResponse::unavailable("signed URLs cannot be verified at the moment");
    };
    tracing::info!(%reason, "signed URL rejected");
    ErrorResponse::address(*reason)
}

/// Returns the token. The scheme is case-insensitive (RFC 9110, 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    Some(token.trim()).filter(|token| scheme.eq_ignore_ascii_case("bearer") && !token.is_empty())
}
