//! `POST /oauth/token`: API clients get access tokens for their credentials (RFC 6749, 4.4).

use std::{net::IpAddr, num::NonZeroU32};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    web::{self, Query},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use entity::{Permissions, api_client, id};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{
    app::State,
    body,
    failure::{Outcome, Refusal},
    gate::Gate,
    media::Media,
};
use crate::{
    Error,
    auth::{Actor, claims, secret, tokens::AUDIENCE},
    clock,
};

/// Longest body, in bytes.
const MOST_BYTES: usize = 8 * 1_024;
/// Attempts at once by one address with one client id; afterwards one a second.
const BURST: NonZeroU32 = NonZeroU32::new(20).expect("20 is not 0");
/// Most pairs of address and client id remembered before those at rest are forgotten.
const MOST_PAIRS: usize = 10_000;

/// Slows down guessing.
pub(super) struct Attempts(DefaultKeyedRateLimiter<(Option<IpAddr>, String)>);

impl Default for Attempts {
    fn default() -> Self {
        Self(RateLimiter::keyed(Quota::per_second(NonZeroU32::MIN).allow_burst(BURST)))
    }
}

impl Attempts {
    fn allow(&self, peer: Option<IpAddr>, client: &str) -> bool {
        if self.0.len() >= MOST_PAIRS {
            self.0.retain_recent();
        }
        // An id that is none is one and the same client: nobody can fill the memory with inventions of one address.
        let known = id::decode(client).map_or_else(String::new, |_| client.to_owned());
        self.0.check_key(&(peer, known)).is_ok()
    }
}

/// Why there is no token, in the words of RFC 6749, 5.2.
#[derive(Clone, Copy, Debug)]
enum Denied {
    Request(&'static str),
    Client,
    Grant,
    Scope,
    Target,
    TooOften,
    Away,
}

impl Denied {
    fn respond(self) -> HttpResponse {
        let (status, error, description) = match self {
            Self::Request(what) => (StatusCode::BAD_REQUEST, "invalid_request", what),
            Self::Client => (StatusCode::UNAUTHORIZED, "invalid_client", "the credentials are not those of a client"),
            Self::Grant => (StatusCode::BAD_REQUEST, "unsupported_grant_type", "only client_credentials is supported"),
            Self::Scope => (StatusCode::BAD_REQUEST, "invalid_scope", "the client does not have all of these scopes"),
            Self::Target => (StatusCode::BAD_REQUEST, "invalid_target", "tokens are for this API only"),
            Self::TooOften => (StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable", "too many attempts"),
            Self::Away => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", "try again"),
        };
        let mut response = HttpResponse::build(status);
        match self {
            Self::Client => drop(response.insert_header((WWW_AUTHENTICATE, "Basic realm=\"rapport\""))),
            Self::TooOften | Self::Away => drop(response.insert_header((RETRY_AFTER, "1"))),
            _ => {}
        }
        finish(response, &json!({ "error": error, "error_description": description }), Some(error))
    }
}

fn finish(
    mut response: actix_web::HttpResponseBuilder,
    body: &serde_json::Value,
    code: Option<&'static str>,
) -> HttpResponse {
    let mut response =
        response.insert_header((CACHE_CONTROL, "no-store")).insert_header((PRAGMA, "no-cache")).json(body);
    response.extensions_mut().insert(Outcome { operation: None, code: code.map(Into::into) });
    response
}

/// Answers one request for a token.
pub async fn token(http: HttpRequest, mut payload: web::Payload, state: web::Data<State>) -> HttpResponse {
    let response = granted(&http, &mut payload, &state).await;
    if response.status().is_success() { response } else { body::hold(response, payload) }
}

async fn granted(http: &HttpRequest, payload: &mut web::Payload, state: &State) -> HttpResponse {
    if state.app.gate.tokens.is_none() {
        return Refusal::not_found().respond(Media::Json);
    }
    let body = match body::read(http.headers(), payload, MOST_BYTES, state.request_timeout).await {
        Ok(body) => body,
        Err(refusal) => return refusal.respond(Media::Json),
    };
    let peer = http.peer_addr().map(|address| address.ip());
    answer(http.headers(), peer, &body, state, clock::now()).await.unwrap_or_else(Denied::respond)
}

async fn answer(
    headers: &HeaderMap,
    peer: Option<IpAddr>,
    body: &[u8],
    state: &State,
    now: DateTime<Utc>,
) -> Result<HttpResponse, Denied> {
    let form = Form::read(headers, body)?;
    let (client, secret) = form.credentials(headers)?;
    match form.one("grant_type")? {
        Some("client_credentials") => {}
        Some(_) => return Err(Denied::Grant),
        None => return Err(Denied::Request("grant_type is required")),
    }
    let asked = form.one("scope")?.map(claims::scope_names);
    let asked = asked.map(|names| names.ok_or(Denied::Scope)).transpose()?;
    if !state.attempts.allow(peer, &client) {
        return Err(Denied::TooOften);
    }
    let Some(_place) = state.admission.enter(None).await else { return Err(Denied::Away) };
    let (actor, gate) = (state.app.gate.client(&client, &secret, asked.as_deref(), now).await?, &state.app.gate);
    let is_elsewhere = |target: Option<&str>| target.is_some_and(|target| target != AUDIENCE);
    if is_elsewhere(form.one("audience")?) || is_elsewhere(form.one("resource")?) {
        return Err(Denied::Target);
    }
    let issued = gate.tokens.as_ref().ok_or(Denied::Away)?.issue(&actor, gate.client_life, now);
    let token = issued.map_err(|error| {
        tracing::error!(%error, "a client's token could not be signed");
        Denied::Away
    })?;
    let answer = json!({
        "access_token": token.expose_secret(),
        "token_type": "Bearer",
        "expires_in": gate.client_life.num_seconds(),
        "scope": claims::scope(actor.permissions),
    });
    Ok(finish(HttpResponse::Ok(), &answer, None))
}

impl Gate {
    /// The actor that a client's credentials make, with the scopes asked for. Whatever is wrong with the
    /// credentials, the work and the answer are the same.
    async fn client(
        &self,
        id: &str,
        secret: &SecretString,
        asked: Option<&[&str]>,
        now: DateTime<Utc>,
    ) -> Result<Actor, Denied> {
        let away = |error: Error| {
            tracing::warn!(%error, "a client's credentials could not be judged");
            Denied::Away
        };
        let decoded = id::decode(id).filter(|(prefix, _)| *prefix == api_client::NOUN.prefix);
        let row = decoded.map(|(_, id)| id).unwrap_or_default();
        let known = self.store.api_client(row).await.map_err(away)?;
        let is_right = secret::is_right(secret, known.as_ref().map(|known| known.hash.as_str()));
        let known = known.filter(|known| is_right && !known.is_refused).ok_or(Denied::Client)?;
        let permissions = match asked {
            None => known.permissions,
            Some(names) => narrowed(names, known.permissions).ok_or(Denied::Scope)?,
        };
        if let Err(error) = self.store.api_client_was_used(known.organization, row, now).await {
            tracing::warn!(%error, "the last use of a client could not be noted");
        }
        let id = id.to_owned();
        Ok(Actor { organization: known.organization, subject: id.clone(), client: Some(id), permissions })
    }
}

/// The scopes asked for, if the client has every one of them.
fn narrowed(asked: &[&str], held: Permissions) -> Option<Permissions> {
    let known: Option<Permissions> = asked.iter().map(|name| entity::Permission::parse(name)).collect();
    known.filter(|asked| asked.and(held) == *asked)
}

/// The parameters of the body.
struct Form(Vec<(String, String)>);

impl Form {
    fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Denied> {
        let media = headers.get(CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim();
        if !media.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Denied::Request("send application/x-www-form-urlencoded"));
        }
        let unread = Denied::Request("the body cannot be read");
        let text = std::str::from_utf8(body).map_err(|_| unread)?;
        Ok(Self(Query::<Vec<(String, String)>>::from_query(text).map_err(|_| unread)?.into_inner()))
    }

    /// A parameter that may be given once; empty is not given (RFC 6749, 3.2).
    fn one(&self, name: &str) -> Result<Option<&str>, Denied> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Denied::Request("a parameter is given twice")),
            (value, None) => Ok(value.filter(|value| !value.is_empty())),
        }
    }

    /// The client's id and secret, from the header or from the body, never from both.
    fn credentials(&self, headers: &HeaderMap) -> Result<(String, SecretString), Denied> {
        let (id, secret) = (self.one("client_id")?, self.one("client_secret")?);
        let mut given = headers.get_all(AUTHORIZATION);
        let (header, more) = (given.next(), given.next());
        if more.is_some() || (header.is_some() && secret.is_some()) {
            return Err(Denied::Request("the client authenticates in one way"));
        }
        match (header, id, secret) {
            (Some(header), id, _) => {
                let basic = header.to_str().ok().and_then(basic).ok_or(Denied::Client)?;
                if id.is_some_and(|id| id != basic.0) {
                    return Err(Denied::Request("two clients are named"));
                }
                Ok(basic)
            }
            (None, Some(id), Some(secret)) => Ok((id.to_owned(), secret.to_owned().into())),
            _ => Err(Denied::Client),
        }
    }
}

/// HTTP Basic, whose parts are encoded like those of a form (RFC 6749, 2.3.1).
fn basic(header: &str) -> Option<(String, SecretString)> {
    let (scheme, credentials) = header.split_once(' ')?;
    let text = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':').filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let plain = |part: &str| {
        let pairs = Query::<Vec<(String, String)>>::from_query(&format!("v={part}")).ok()?.into_inner();
        pairs.into_iter().next().map(|(_, value)| value).filter(|_| !part.contains('&'))
    };
    Some((plain(id)?, plain(secret)?.into()))
}
