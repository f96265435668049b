//! Reads and parses GraphQL requests: the document, which may be a trusted one, and the variables.

use std::sync::Arc;

use actix_web::{HttpRequest, http::Method, web};
use async_graphql::{ServerError, parser::types::OperationType};

use super::{
    app::State,
    error_response::ErrorResponse,
    known_documents::{Caller, Text},
    request::{
        body,
        body_memory::Room,
        params::{self, Pairs, Params},
    },
};
use crate::{
    Error, Result,
    auth::Actor,
    clock,
    error::reason::Reason,
    graphql::documents::document::PreparedOperation,
    store::{Scope, Store},
};

/// Maximum size of a body without a token, in bytes: more than the largest allowed document, as only introspection is
/// possible without a token.
const ANONYMOUS: usize = 64 * 1_024;
/// Maximum size of a body that is parsed on the worker thread, in bytes; a larger one goes to the compute pool.
const BRIEF: usize = 16 * 1_024;
/// The error message when the server is overloaded.
pub(super) const TOO_MUCH: &str = "the server is overloaded; try again";

/// A parsed request, and the operation it contains or the error in it.
pub(super) struct StartedRequest {
    pub kind: Option<OperationType>,
    pub prepared: Result<PreparedOperation, ServerError>,
}

/// A request that was parsed, or the id of the trusted document that must be read before.
enum Begun {
    Started(StartedRequest),
    ToRead(Box<str>),
}

/// The text of a trusted document that was read, if there is one.
type Read = Option<Option<Arc<str>>>;

/// What a request is read with.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub state: &'a web::Data<State>,
    pub store: &'a Store,
    pub actor: Option<&'a Actor>,
}

impl Reading<'_> {
    fn caller(self) -> Option<Caller> {
        self.actor.map(|actor| Caller {
            organization: actor.organization,
            is_trusted_documents_only: self.state.app.gate.is_trusted_documents_only(actor),
        })
    }

    /// Reads and parses an HTTP request.
    pub async fn http(
        self,
        http: &HttpRequest,
        payload: &mut web::Payload,
    ) -> Result<(StartedRequest, Room), ErrorResponse> {
        let Self { state, actor, .. } = self;
        let is_known = actor.is_some();
        let mut room = state.memory.room(is_known);
        if http.method() == Method::GET {
            return self.query_string(http.query_string(), room).await;
        }
        params::check_content_type(http.headers())?;
        let limit = if is_known { state.body_limit } else { state.body_limit.min(ANONYMOUS) };
        let too_large = || match limit {
            // Beyond this size, any request needs a token.
            ANONYMOUS if !is_known => ErrorResponse::unauthenticated(Reason::Missing),
            _ => body::too_large(limit),
        };
        let body = body::read(http.headers(), payload, (limit, too_large), state.request_timeout, &mut room).await?;
        self.body(body, room).await
    }

    async fn query_string(self, text: &str, mut room: Room) -> Result<(StartedRequest, Room), ErrorResponse> {
        let pairs = Pairs::read(text)?;
        let params = pairs.params()?;
        let mut read = None;
        loop {
            match begin(&params, self.state, (self.caller(), read.as_ref()), true, &mut room)? {
                Begun::Started(begun) => return Ok((begun, room)),
                Begun::ToRead(id) => read = Some(self.document(&id).await?),
            }
        }
    }

    /// Parses a body; a large one on the compute pool.
    pub async fn body(self, body: Vec<u8>, mut room: Room) -> Result<(StartedRequest, Room), ErrorResponse> {
        let caller = self.caller();
        let body = Arc::new(body);
        let mut read: Read = None;
        loop {
            let (shared, text) = (self.state.clone(), Arc::clone(&body));
            let work = move || {
                let begun = begin(&Params::from_body(&text)?, &shared, (caller, read.as_ref()), false, &mut room)?;
                Ok((begun, room))
            };
            let begun = if body.len() <= BRIEF {
                work()
            } else {
                let done = self.state.compute.run(caller.map(|caller| caller.organization), work).await;
                done.unwrap_or_else(|| Err(ErrorResponse::overloaded(TOO_MUCH)))
            };
            match begun? {
                (Begun::Started(begun), room) => return Ok((begun, room)),
                (Begun::ToRead(id), kept) => {
                    room = kept;
                    read = Some(self.document(&id).await?);
                }
            }
        }
    }

    /// Reads the text of a trusted document by its id.
    async fn document(self, id: &str) -> Result<Option<Arc<str>>, ErrorResponse> {
        let known = &self.state.known_documents;
        trusted(self.actor, (self.state, self.store), async |scope| known.read(scope, id).await).await
    }
}

/// Reads the text of a trusted document, for a point.
pub(super) async fn trusted<T>(
    actor: Option<&Actor>,
    (state, store): (&State, &Store),
    read: impl AsyncFnOnce(&Scope) -> Result<T>,
) -> Result<T, ErrorResponse> {
    let actor = actor.ok_or_else(|| ErrorResponse::unauthenticated(Reason::Missing))?;
    let own = state.app.gate.own_quota(actor);
    let reserved = state.rate_limiter.reserve(actor, own, 1);
    let reserved = reserved.map_err(|wait| ErrorResponse::rate_limited(wait.seconds()))?;
    let scope = store.scope(actor.clone(), clock::now());
    let done = tokio::time::timeout(state.request_timeout, read(&scope)).await;
    state.rate_limiter.settle(&reserved, 1);
    done.unwrap_or(Err(Error::Timeout)).map_err(|error| {
        tracing::warn!(%error, "cannot read a trusted document");
        ErrorResponse::unavailable("the document cannot be read at the moment; try again")
    })
}

/// Reads the document and the variables. Variables are parsed last: a caller who may not run the document is refused
/// before that.
fn begin(
    params: &Params<'_>,
    state: &State,
    (caller, read): (Option<Caller>, Option<&Option<Arc<str>>>),
    is_get: bool,
    room: &mut Room,
) -> Result<Begun, ErrorResponse> {
    let is_known = caller.is_some();
    let refused = |error| Ok(Begun::Started(StartedRequest { kind: None, prepared: Err(error) }));
    let known;
    let text = match state.known_documents.text(&params.source, caller, read)? {
        Text::Given(text) => text,
        Text::Known(text) => {
            known = text;
            &*known
        }
        Text::ToRead(id) => return Ok(Begun::ToRead(id)),
        Text::Refused(error) => return refused(error),
    };
    let name = params.operation_name.clone();
    let document = match state.documents.read(text, name, &state.limits, is_known) {
        Ok(document) => document,
        Err(error) => return refused(error),
    };
    if !is_known && !document.is_public() {
        return Err(ErrorResponse::unauthenticated(Reason::Missing));
    }
    let kind = document.kind();
    if is_get && kind == OperationType::Mutation {
        return Err(ErrorResponse::method_not_allowed("POST", "GET supports no mutations; send them by POST"));
    }
    let variables = params.variables(state.limits.body_values, room)?;
    let prepared = document.prepare(variables, &state.schema_index, &state.limits);
    Ok(Begun::Started(StartedRequest { kind: Some(kind), prepared }))
}
