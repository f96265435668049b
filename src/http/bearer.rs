//! Who is calling: the one bearer token in the one Authorization header.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};

use super::{failure::Refusal, gate::Gate};
use crate::{Error, auth::Actor, clock};

/// What a caller without a token is told.
pub const CHALLENGE: &str = "Bearer";
const INVALID: &str = "Bearer error=\"invalid_token\"";

/// The caller, or none without a token. A token that is no good is refused: it never makes a caller anonymous.
pub async fn actor(headers: &HeaderMap, gate: &Gate) -> Result<Option<Actor>, Refusal> {
    let mut given = headers.get_all(AUTHORIZATION);
    let token = match (given.next(), given.next()) {
        (None, _) => return Ok(None),
        (Some(only), None) => std::str::from_utf8(only.as_bytes()).ok().and_then(bearer),
        (Some(_), Some(_)) => None,
    };
    let token = token.ok_or_else(|| Refusal::unauthenticated(INVALID))?;
    gate.verify(token, clock::now()).await.map(Some).map_err(|error| match error {
        Error::Unauthenticated => Refusal::unauthenticated(INVALID),
        _ => Refusal::unavailable("tokens cannot be verified now"),
    })
}

/// The scheme is not case-sensitive (RFC 9110, 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    Some(token.trim()).filter(|token| scheme.eq_ignore_ascii_case("bearer") && !token.is_empty())
}
