//! Downloads and uploads of any length, piece by piece, with a bounded number of rows in memory. A download that fails
//! breaks off, so that it cannot be taken for a complete one.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::HeaderMap},
    web,
};

use super::{
    app::State,
    error_response::ErrorResponse,
    limits::pricing,
    request::{bearer, media::Media},
};
use crate::{
    Error, Result,
    auth::{Actor, VerifiedToken},
    clock,
    error::reason::Reason,
    graphql::failure::BAD_USER_INPUT,
    store::{Scope, Store},
};

/// Points that a piece reserves; what it costs is settled afterwards.
const RESERVED: u64 = 10;
/// Maximum time that a piece of a running transfer waits for points or for its turn.
const PATIENCE: Duration = Duration::from_mins(1);
/// Interval of trying again while the server is overloaded.
const AGAIN: Duration = Duration::from_millis(200);

/// How the caller was authenticated, which is repeated for each piece.
#[derive(Clone)]
pub(super) enum Credentials {
    /// By the token in the headers of the request.
    Token(HeaderMap),
    /// By a signed URL, which may expire during the transfer but not be revoked.
    Url(VerifiedToken),
}

/// A running transfer. It holds no transaction and no connection between two pieces.
#[derive(Clone)]
pub(super) struct Transfer {
    pub state: web::Data<State>,
    pub store: web::Data<Store>,
    pub credentials: Credentials,
}

/// Why a piece was not transferred.
pub(super) enum Failure {
    Points(u64),
    Overloaded,
    /// The caller may not go on.
    Ended(Box<ErrorResponse>),
    Failed(Error),
}

impl Failure {
    pub fn respond(self) -> HttpResponse {
        match self {
            Self::Points(seconds) => ErrorResponse::rate_limited(seconds).respond(Media::Json),
            Self::Ended(refusal) => refusal.respond(Media::Json),
            Self::Overloaded => ErrorResponse::overloaded("the server is overloaded; try again").respond(Media::Json),
            Self::Failed(error) => failed(&error),
        }
    }
}

impl Transfer {
    /// Begins a transfer by the token in the headers of a request. `Err` without a token.
    pub async fn begin(
        http: &HttpRequest,
        state: &web::Data<State>,
        store: &web::Data<Store>,
    ) -> Result<(Self, Actor), ErrorResponse> {
        let actor = bearer::actor(http.headers(), &state.app.gate).await?;
        let actor = actor.ok_or_else(|| ErrorResponse::unauthenticated(Reason::Missing))?;
        let credentials = Credentials::Token(http.headers().clone());
        Ok((Self { state: state.clone(), store: store.clone(), credentials }, actor))
    }

    /// Transfers the first piece if the caller has enough points. It is transferred before the response begins, so that its
    /// failure has a status.
    pub async fn first<T>(&self, actor: &Actor, read: impl AsyncFnOnce(&Scope) -> Result<T>) -> Result<T, Failure> {
        let own = self.state.app.gate.own_quota(actor);
        let reserved = self.state.rate_limiter.reserve(actor, own, RESERVED);
        let reserved = reserved.map_err(|wait| Failure::Points(wait.seconds()))?;
        let Some(permits) = self.state.admission.enter(Some(actor.organization)).await else {
            self.state.rate_limiter.settle(&reserved, 0);
            return Err(Failure::Overloaded);
        };
        let scope = self.store.scope(actor.clone(), clock::now()).with_permits(permits);
        let meter = Arc::clone(scope.meter());
        let read = tokio::time::timeout(self.state.request_timeout, read(&scope)).await;
        self.state.rate_limiter.settle(&reserved, pricing::due(&meter.spent(), self.store.has_one_writer()).max(1));
        read.unwrap_or(Err(Error::Timeout)).map_err(Failure::Failed)
    }

    /// Transfers another piece, once the caller has enough points and the server has room.
    pub async fn another<T>(&self, mut piece: impl AsyncFnMut(&Scope) -> Result<T>) -> Result<T, Failure> {
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let done = async { self.first(&self.actor().await?, &mut piece).await };
            let failure = match done.await {
                Ok(piece) => return Ok(piece),
                Err(failure) => failure,
            };
            let wait = match &failure {
                Failure::Points(seconds) => Duration::from_secs(*seconds),
                Failure::Overloaded | Failure::Failed(Error::Unavailable | Error::Collision) => AGAIN,
                Failure::Ended(_) | Failure::Failed(_) => return Err(failure),
            };
            if tokio::time::Instant::now() + wait > until {
                return Err(failure);
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Reads another piece of a download, which must break off after an error.
    pub async fn next<T>(&self, piece: impl AsyncFnMut(&Scope) -> Result<T>) -> Result<T, actix_web::Error> {
        self.another(piece).await.map_err(|failure| {
            if let Failure::Failed(error) = failure {
                tracing::warn!(%error, "a download was stopped");
            }
            actix_web::error::ErrorInternalServerError("the download was stopped")
        })
    }

    /// Returns the caller. `Err` if the token or the URL was revoked, or the token has expired; `Unavailable` if that cannot
    /// be determined at the moment.
    pub async fn actor(&self) -> Result<Actor, Failure> {
        let gate = &self.state.app.gate;
        let missing = || Failure::Ended(Box::new(ErrorResponse::unauthenticated(Reason::Missing)));
        match &self.credentials {
            Credentials::Token(headers) => {
                let actor = bearer::actor(headers, gate).await.map_err(|refusal| match refusal.code() {
                    "UNAVAILABLE" => Failure::Failed(Error::Unavailable),
                    _ => Failure::Ended(Box::new(refusal)),
                });
                actor?.ok_or_else(missing)
            }
            Credentials::Url(proof) => {
                gate.admits(proof, clock::now()).await.map_err(|error| match error {
                    Error::Unauthenticated(_) => missing(),
                    error => Failure::Failed(error),
                })?;
                Ok(proof.actor.clone())
            }
        }
    }
}

/// Maps an error to an HTTP error response.
pub(super) fn failed(error: &Error) -> HttpResponse {
    let code = error.code();
    let status = match code {
        "FORBIDDEN" => StatusCode::FORBIDDEN,
        BAD_USER_INPUT => StatusCode::BAD_REQUEST,
        "TIMEOUT" => StatusCode::GATEWAY_TIMEOUT,
        "UNAVAILABLE" => {
            return ErrorResponse::unavailable("the service is busy; try again").respond(Media::Json);
        }
        _ => {
            tracing::error!(%error, "a transfer failed");
            return ErrorResponse::internal(None).respond(Media::Json);
        }
    };
    ErrorResponse::new(status, code, error.to_string()).respond(Media::Json)
}
