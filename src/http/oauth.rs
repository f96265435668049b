//! `POST /oauth/token`: issues access tokens to API clients for their credentials (RFC 6749, 4.4).

use std::{net::IpAddr, time::Duration};

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
use sea_orm::prelude::Uuid;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::sync::Semaphore;

use super::{
    app::State,
    error_response::{ErrorResponse, Outcome},
    limits::token_buckets::{Buckets, Clock, Monotonic, Quota},
    request::{authenticator::Authenticator, body, client_address::network, media::Media},
};
use crate::{
    Error,
    auth::{Actor, claims, secret, tokens::AUDIENCE},
    clock, runtime,
};

/// Maximum size of the body, in bytes.
const MAX_BYTES: usize = 8 * 1_024;
/// Failed attempts in a burst for one client id, from any address; one per second after that.
const OF_CLIENT: Quota = Quota { points: 20, per_second: 1 };
/// Failed attempts in a burst from one address, for any client id; one per second after that.
const OF_ADDRESS: Quota = Quota { points: 60, per_second: 1 };
/// Maximum time that a request waits for the slow lane, which applies after too many failed attempts.
const TIMEOUT: Duration = Duration::from_millis(80);

/// Slows down guessing, per client id and per address, so that both guessing at one client from many addresses and at
/// many clients from one address are limited. Nobody can lock a client out: correct credentials are accepted regardless
/// of failed attempts; after too many of those, credentials are verified one request at a time.
pub(super) struct Attempts<C = Monotonic> {
    clients: Buckets<Uuid>,
    addresses: Buckets<Option<IpAddr>>,
    slow: Semaphore,
    clock: C,
}

impl Default for Attempts {
    fn default() -> Self {
        Self::with_clock(Monotonic::default())
    }
}

impl<C: Clock> Attempts<C> {
    fn with_clock(clock: C) -> Self {
        Self { clients: Buckets::default(), addresses: Buckets::default(), slow: Semaphore::new(1), clock }
    }

    /// Whether there were too many failed attempts for this client id or from this address.
    fn are_spent(&self, address: Option<IpAddr>, client: Option<Uuid>) -> bool {
        let now = self.clock.passed();
        let of_client = client.is_some_and(|client| self.clients.level(&client, OF_CLIENT, now).remaining == 0);
        of_client || self.addresses.level(&address.map(network), OF_ADDRESS, now).remaining == 0
    }

    /// Counts a failed attempt. Once the address has exhausted its attempts, the client's are not charged.
    fn fail(&self, address: Option<IpAddr>, client: Option<Uuid>) -> Denied {
        let now = self.clock.passed();
        let noted = self.addresses.take(&address.map(network), OF_ADDRESS, 1, now).and_then(|level| match client {
            Some(client) => self.clients.take(&client, OF_CLIENT, 1, now),
            None => Ok(level),
        });
        noted.map_or_else(|wait| Denied::TooOften(wait.seconds()), |_| Denied::Client)
    }
}

/// Why the request was denied, with the error codes of RFC 6749, 5.2.
#[derive(Clone, Copy, Debug)]
enum Denied {
    Request(&'static str),
    Client,
    Grant,
    Scope,
    Target,
    TooOften(u64),
    Away,
}

impl Denied {
    fn respond(self) -> HttpResponse {
        let (status, error, description) = match self {
            Self::Request(what) => (StatusCode::BAD_REQUEST, "invalid_request", what),
            Self::Client => (StatusCode::UNAUTHORIZED, "invalid_client", "unknown client or wrong secret"),
            Self::Grant => (StatusCode::BAD_REQUEST, "unsupported_grant_type", "only client_credentials is supported"),
            Self::Scope => (StatusCode::BAD_REQUEST, "invalid_scope", "the client may not use all of these scopes"),
            Self::Target => (StatusCode::BAD_REQUEST, "invalid_target", "tokens are only issued for this API"),
            Self::TooOften(_) => (StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable", "too many failed attempts"),
            Self::Away => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", "try again"),
        };
        let mut response = HttpResponse::build(status);
        match self {
            Self::Client => drop(response.insert_header((WWW_AUTHENTICATE, "Basic realm=\"rapport\""))),
            Self::TooOften(seconds) => drop(response.insert_header((RETRY_AFTER, seconds.to_string()))),
            Self::Away => drop(response.insert_header((RETRY_AFTER, "1"))),
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

/// Handles a token request.
pub async fn token(http: HttpRequest, mut payload: web::Payload, state: web::Data<State>) -> HttpResponse {
    let response = granted(&http, &mut payload, &state).await;
    if response.status().is_success() { response } else { body::hold(response, payload) }
}

async fn granted(http: &HttpRequest, payload: &mut web::Payload, state: &State) -> HttpResponse {
    if state.app.gate.tokens.is_none() {
        return ErrorResponse::not_found().respond(Media::Json);
    }
    let (limit, mut room) = ((MAX_BYTES, || body::too_large(MAX_BYTES)), state.memory.room(false));
    let body = match body::read(http.headers(), payload, limit, state.request_timeout, &mut room).await {
        Ok(body) => body,
        Err(refusal) => return refusal.respond(Media::Json),
    };
    answer(http.headers(), state.address(http), &body, state, clock::now()).await.unwrap_or_else(Denied::respond)
}

async fn answer(
    headers: &HeaderMap,
    address: Option<IpAddr>,
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
    let (attempts, gate) = (&state.attempts, &state.app.gate);
    let decoded = id::decode(&client).filter(|(prefix, _)| *prefix == api_client::NOUN.prefix).map(|(_, id)| id);
    let _slow = if attempts.are_spent(address, decoded) {
        let turn = runtime::on_own(tokio::time::timeout(TIMEOUT, attempts.slow.acquire())).await;
        Some(turn.map_err(|_| Denied::TooOften(1))?)
    } else {
        None
    };
    let Some(_place) = state.admission.enter(None).await else { return Err(Denied::Away) };
    let judged = gate.client((&client, decoded), &secret, asked.as_deref(), now).await;
    let actor = judged.map_err(|denied| match denied {
        Denied::Client => attempts.fail(address, decoded),
        other => other,
    })?;
    let public_url = state.discovery.as_ref().map(|discovery| discovery.public_url.as_str());
    let is_elsewhere = |target: Option<&str>| {
        target.is_some_and(|target| target != AUDIENCE && Some(target.trim_end_matches('/')) != public_url)
    };
    if is_elsewhere(form.one("audience")?) || is_elsewhere(form.one("resource")?) {
        return Err(Denied::Target);
    }
    let issued = gate.tokens.as_ref().ok_or(Denied::Away)?.issue(&actor, gate.client_life, now);
    let token = issued.map_err(|error| {
        tracing::error!(%error, "cannot sign a client's token");
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

impl Authenticator {
    /// Verifies a client's credentials and returns the actor with the requested scopes. The work and the response are
    /// the same for all invalid credentials.
    async fn client(
        &self,
        (id, decoded): (&str, Option<Uuid>),
        secret: &SecretString,
        asked: Option<&[&str]>,
        now: DateTime<Utc>,
    ) -> Result<Actor, Denied> {
        let away = |error: Error| {
            tracing::warn!(%error, "cannot verify a client's credentials");
            Denied::Away
        };
        let row = decoded.unwrap_or_default();
        let known = self.store.api_client(row).await.map_err(away)?;
        let is_right = secret::is_right(secret, known.as_ref().map(|known| known.hash.as_str()));
        let known = known.filter(|known| is_right && !known.is_refused).ok_or(Denied::Client)?;
        let permissions = match asked {
            None => known.permissions,
            Some(names) => narrowed(names, known.permissions).ok_or(Denied::Scope)?,
        };
        if let Err(error) = self.store.api_client_was_used(known.organization, row, now).await {
            tracing::warn!(%error, "cannot record the last use of a client");
        }
        let id = id.to_owned();
        Ok(Actor {
            organization: known.organization,
            subject: id.clone(),
            client: Some(id),
            permissions,
            expires: None,
            departments: None,
        })
    }
}

/// Returns the requested scopes if the client has all of them.
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
        let unread = Denied::Request("cannot read the body");
        let text = std::str::from_utf8(body).map_err(|_| unread)?;
        Ok(Self(Query::<Vec<(String, String)>>::from_query(text).map_err(|_| unread)?.into_inner()))
    }

    /// Returns a parameter that may occur once; an empty one counts as absent (RFC 6749, 3.2).
    fn one(&self, name: &str) -> Result<Option<&str>, Denied> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Denied::Request("duplicate parameter")),
            (value, None) => Ok(value.filter(|value| !value.is_empty())),
        }
    }

    /// Returns the client's id and secret, from either the header or the body; `Err` if both contain them.
    fn credentials(&self, headers: &HeaderMap) -> Result<(String, SecretString), Denied> {
        let (id, secret) = (self.one("client_id")?, self.one("client_secret")?);
        let mut given = headers.get_all(AUTHORIZATION);
        let (header, more) = (given.next(), given.next());
        if more.is_some() || (header.is_some() && secret.is_some()) {
            return Err(Denied::Request("use only one method of client authentication"));
        }
        match (header, id, secret) {
            (Some(header), id, _) => {
                let basic = header.to_str().ok().and_then(basic).ok_or(Denied::Client)?;
                if id.is_some_and(|id| id != basic.0) {
                    return Err(Denied::Request("the request names two clients"));
                }
                Ok(basic)
            }
            (None, Some(id), Some(secret)) => Ok((id.to_owned(), secret.to_owned().into())),
            _ => Err(Denied::Client),
        }
    }
}

/// Decodes HTTP Basic credentials, whose parts are form-encoded (RFC 6749, 2.3.1).
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
