//! Who is calling: the one bearer token in the one Authorization header.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};

use super::authenticator::Authenticator;
use crate::{Error, auth::Actor, clock, error::reason::Reason, http::error_response::ErrorResponse};

/// The caller, or none without a token. A token that is no good is refused: it never makes a caller anonymous.
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

/// Who may not come in, and what the caller and the log are told of it.
pub fn refused(error: &Error) -> ErrorResponse {
    let Error::Unauthenticated(reason) = error else {
        return ErrorResponse::unavailable("tokens cannot be verified at the moment");
    };
    // Neither the token nor anything it says: whoever calls can make it up.
    tracing::info!(%reason, "authentication failed");
    ErrorResponse::unauthenticated(*reason)
}

/// The same for whoever comes by a signed address.
pub fn refused_address(error: &Error) -> ErrorResponse {
    let Error::Unauthenticated(reason) = error else {
        return ErrorResponse::unavailable("signed URLs cannot be verified at the moment");
    };
    tracing::info!(%reason, "signed URL rejected");
    ErrorResponse::address(*reason)
}

/// The scheme is not case-sensitive (RFC 9110, 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    Some(token.trim()).filter(|token| scheme.eq_ignore_ascii_case("bearer") && !token.is_empty())
}
