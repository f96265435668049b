//! Sockets with the protocol graphql-transport-ws. One future reads, runs and writes: the operations of the client are
//! asked for their next message only when it has taken the one before, so that nothing is queued.

use std::{collections::HashMap, collections::VecDeque, time::Duration};

use actix_http::ws::{self, CloseReason, Codec, Message as Frame};
use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse,
    body::BodyStream,
    guard::GuardContext,
    http::{
        StatusCode,
        header::{AUTHORIZATION, HOST, HeaderMap, HeaderValue, ORIGIN, SEC_WEBSOCKET_PROTOCOL, UPGRADE},
    },
    web::{self, Bytes, BytesMut},
};
use futures_util::{
    StreamExt as _,
    stream::{self, AbortHandle, Abortable, LocalBoxStream, SelectAll},
};
use tokio::{
    select,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::codec::Encoder as _;

use super::{
    Slot,
    operation::{Operation, Reply},
    protocol::{self, Close, Message},
    running::CHECK,
    wire::{Incoming, Wire},
};
use crate::{
    auth::Actor,
    http::{
        app::State,
        error_response::ErrorResponse,
        health::Health,
        middleware::RequestId,
        request::{bearer, body, media::Media},
        transfer::{Credentials, Failure, Transfer},
    },
    runtime,
    store::Store,
};

/// Interval of asking a silent client for a sign of life.
const PING: Duration = Duration::from_secs(20);
/// Maximum silence of a client.
const SILENCE: Duration = Duration::from_mins(1);
/// Maximum time that a closed socket waits for the client to close the connection. Ending it at once could reset the
/// connection before the client has read why.
const LINGER: Duration = Duration::from_secs(2);

/// Returns whether a request asks for a WebSocket.
pub(in crate::http) fn is_upgrade(request: &GuardContext<'_>) -> bool {
    let upgrade = request.head().headers().get(UPGRADE);
    upgrade.is_some_and(|name| name.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Opens a WebSocket.
pub(in crate::http) async fn open(
    http: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
    store: web::Data<Store>,
    health: web::Data<Health>,
) -> HttpResponse {
    match begin(&http, (&state, &health)).await {
        Ok((mut response, actor, protocol)) => {
            let request = http.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default();
            let socket = Socket {
                wire: Wire::new(payload, state.memory.room(actor.is_some())),
                codec: Codec::new(),
                caller: None,
                header: actor.is_some().then(|| http.headers().clone()),
                operations: SelectAll::new(),
                running: HashMap::new(),
                outgoing: VecDeque::new(),
                phase: Phase::Open,
                // As long as for a request.
                check_at: Instant::now() + state.request_timeout,
                heard: Instant::now(),
                pinged: Instant::now(),
                shared: Shared { state, store, health, request },
            };
            let socket = if protocol { socket } else { socket.closing(Close::Subprotocol) };
            let bytes = stream::unfold(socket, |mut socket| async move {
                let home = socket.shared.state.home.clone();
                // As in a request, what a socket opens belongs to a runtime that outlives that of this thread.
                let bytes = runtime::enter(&home, socket.next_bytes()).await?;
                Some((Ok::<_, actix_web::Error>(bytes), socket))
            });
            if protocol {
                response.insert_header((SEC_WEBSOCKET_PROTOCOL, protocol::NAME));
            }
            HttpResponse::from(response.message_body(BodyStream::new(bytes)).map_or_else(
                |_| ErrorResponse::internal(None).respond(Media::Json).into(),
                actix_http::Response::map_into_boxed_body,
            ))
        }
        Err(refusal) => body::hold(refusal.respond(Media::Json), payload),
    }
}

/// Checks the handshake. Returns the response, the caller if the request has a token, and whether the client speaks the
/// protocol.
async fn begin(
    http: &HttpRequest,
    (state, health): (&State, &Health),
) -> Result<(actix_http::ResponseBuilder, Option<Actor>, bool), ErrorResponse> {
    if !is_allowed(http.headers(), state) {
        let message = "this origin may not open WebSockets: it is not listed in --cors-origin";
        return Err(ErrorResponse::new(StatusCode::FORBIDDEN, "FORBIDDEN", message));
    }
    if health.is_draining() {
        return Err(ErrorResponse::unavailable("shutting down"));
    }
    let actor = bearer::actor(http.headers(), &state.app.gate).await?;
    let response = ws::handshake(http.head())
        .map_err(|_| ErrorResponse::bad_request("the request is no valid handshake of a WebSocket of version 13"))?;
    let protocols = http.headers().get_all(SEC_WEBSOCKET_PROTOCOL).filter_map(|line| line.to_str().ok());
    let is_known = protocols.flat_map(|line| line.split(',')).any(|name| name.trim() == protocol::NAME);
    Ok((response, actor, is_known))
}

/// Whether a page may open a socket: one of an origin that CORS allows, or of this server. Browsers send the origin and do
/// not apply CORS to sockets.
fn is_allowed(headers: &HeaderMap, state: &State) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let is_own = || {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let origin = origin.to_str().ok().and_then(|origin| Some(origin.split_once("://")?.1));
        host.is_some() && host == origin
    };
    state.origins.is_listed(origin) || is_own()
}

/// What the operations of a socket share.
#[derive(Clone)]
pub(super) struct Shared {
    pub state: web::Data<State>,
    pub store: web::Data<Store>,
    pub health: web::Data<Health>,
    /// The id of the HTTP request.
    pub request: String,
}

/// The caller of a socket.
struct Known {
    actor: Actor,
    transfer: Transfer,
    _slot: Slot,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// The reason was sent.
    Closing,
    Closed,
}

struct Socket {
    shared: Shared,
    wire: Wire,
    codec: Codec,
    /// The caller, once the connection is acknowledged.
    caller: Option<Known>,
    /// The headers of the request, if they have a token.
    header: Option<HeaderMap>,
    operations: SelectAll<Abortable<LocalBoxStream<'static, (String, Reply)>>>,
    running: HashMap<String, AbortHandle>,
    outgoing: VecDeque<Frame>,
    phase: Phase,
    /// When it is next checked who the caller is, whatever arrives until then.
    check_at: Instant,
    /// When something last arrived.
    heard: Instant,
    /// When the client was last asked for a sign of life.
    pinged: Instant,
}

/// What a socket has waited for.
enum Woken {
    Incoming(Incoming),
    Reply(String, Reply),
    Draining,
    Time,
}

impl Socket {
    fn closing(mut self, close: Close) -> Self {
        self.close(Some(close.reason()));
        self
    }

    fn close(&mut self, reason: Option<CloseReason>) {
        self.operations.clear();
        self.running.clear();
        self.outgoing.push_back(Frame::Close(reason));
        self.phase = Phase::Closing;
    }

    fn refuse(&mut self, close: Close) {
        tracing::debug!(request_id = self.shared.request, ?close, "a WebSocket is closed");
        self.close(Some(close.reason()));
    }

    /// Returns the bytes to send next; `None` if the connection ends.
    async fn next_bytes(&mut self) -> Option<Bytes> {
        loop {
            let mut bytes = BytesMut::new();
            while let Some(frame) = self.outgoing.pop_front() {
                self.codec.encode(frame, &mut bytes).ok()?;
            }
            if !bytes.is_empty() {
                return Some(bytes.freeze());
            }
            match self.phase {
                Phase::Open => {}
                Phase::Closing => {
                    let _ = timeout(LINGER, self.wire.drain()).await;
                    return None;
                }
                Phase::Closed => return None,
            }
            match self.wait().await {
                Woken::Incoming(incoming) => self.take(incoming).await,
                Woken::Reply(id, reply) => self.reply(&id, reply),
                Woken::Draining => self.refuse(Close::Draining),
                Woken::Time => self.check().await,
            }
        }
    }

    async fn wait(&mut self) -> Woken {
        if self.check_at <= Instant::now() {
            return Woken::Time;
        }
        let (wire, operations) = (&mut self.wire, &mut self.operations);
        select! {
            biased;
            () = self.shared.health.drained() => Woken::Draining,
            incoming = wire.next() => Woken::Incoming(incoming),
            Some((id, reply)) = operations.next(), if !operations.is_empty() => Woken::Reply(id, reply),
            () = sleep_until(self.check_at) => Woken::Time,
        }
    }

    async fn take(&mut self, incoming: Incoming) {
        self.heard = Instant::now();
        match incoming {
            Incoming::Text(text) => match Message::read(&text) {
                Some(message) => self.message(message).await,
                None => self.refuse(Close::BadRequest),
            },
            Incoming::Ping(bytes) => self.outgoing.push_back(Frame::Pong(bytes)),
            Incoming::Pong => {}
            Incoming::Closed => {
                self.close(None);
                self.phase = Phase::Closed;
            }
            Incoming::Refused(close) => self.refuse(close),
        }
    }

    async fn message(&mut self, message: Message) {
        match message {
            Message::Init(_) if self.caller.is_some() => self.refuse(Close::TooManyInits),
            Message::Init(token) => match self.known(token).await {
                Ok(caller) => {
                    self.wire.trust(self.shared.state.memory.room(true));
                    self.caller = Some(caller);
                    self.check_at = Instant::now() + CHECK;
                    self.say(Bytes::from_static(br#"{"type":"connection_ack"}"#));
                }
                Err(close) => self.refuse(close),
            },
            Message::Ping => self.say(Bytes::from_static(br#"{"type":"pong"}"#)),
            Message::Pong => {}
            Message::Subscribe(id, params) => {
                let Some(caller) = &self.caller else { return self.refuse(Close::NotAcknowledged) };
                if self.running.contains_key(&id) {
                    return self.refuse(Close::Duplicate);
                }
                let operation =
                    Operation::new(self.shared.clone(), caller.transfer.clone(), caller.actor.clone(), params);
                let name = id.clone();
                let replies = operation.replies().map(move |reply| (name.clone(), reply)).boxed_local();
                let (replies, handle) = stream::abortable(replies);
                self.operations.push(replies);
                self.running.insert(id, handle);
            }
            Message::Complete(id) => {
                if let Some(handle) = self.running.remove(&id) {
                    handle.abort();
                }
            }
        }
    }

    /// Returns the caller, by the token in the payload of `connection_init` or else in the headers of the request.
    async fn known(&self, token: Option<String>) -> Result<Known, Close> {
        let headers = match (token, &self.header) {
            (Some(token), _) => {
                let value = HeaderValue::from_str(&token).map_err(|_| Close::Forbidden)?;
                let mut headers = HeaderMap::new();
                headers.insert(AUTHORIZATION, value);
                headers
            }
            (None, Some(headers)) => headers.clone(),
            (None, None) => return Err(Close::Forbidden),
        };
        let Shared { state, store, .. } = &self.shared;
        let credentials = Credentials::Token(headers);
        let transfer = Transfer { state: state.clone(), store: store.clone(), credentials };
        let actor = transfer.actor().await.map_err(|failure| match failure {
            Failure::Ended(_) => Close::Forbidden,
            _ => Close::Overloaded,
        })?;
        let slot = state.streams.socket(&actor).ok_or(Close::Overloaded)?;
        Ok(Known { actor, transfer, _slot: slot })
    }

    fn say(&mut self, text: Bytes) {
        if let Ok(text) = bytestring::ByteString::try_from(text) {
            self.outgoing.push_back(Frame::Text(text));
        }
    }

    fn reply(&mut self, id: &str, reply: Reply) {
        let is_last = !matches!(reply, Reply::Next(_) | Reply::Nothing);
        // The client may have completed the operation in the meantime.
        if !self.running.contains_key(id) {
            return;
        }
        if is_last {
            self.running.remove(id);
        }
        match reply {
            Reply::Nothing => {}
            Reply::Next(json) => self.say(protocol::about(id, "next", Some(&json))),
            Reply::Last(json) => {
                self.say(protocol::about(id, "next", Some(&json)));
                self.say(protocol::about(id, "complete", None));
            }
            Reply::Error(errors) => self.say(protocol::about(id, "error", Some(&errors))),
            Reply::Close(close) => self.refuse(close),
        }
    }

    /// Closes the socket of a client that has not said who it is, whose token has ended, or that is gone; asks a silent one
    /// for a sign of life.
    async fn check(&mut self) {
        let Some(caller) = &self.caller else { return self.refuse(Close::InitTimeout) };
        self.check_at = Instant::now() + CHECK;
        if let Err(Failure::Ended(_)) = caller.transfer.actor().await {
            return self.refuse(Close::Forbidden);
        }
        if self.heard.elapsed() > SILENCE {
            self.phase = Phase::Closed;
        } else if self.heard.elapsed() > PING && self.pinged.elapsed() > PING {
            self.pinged = Instant::now();
            self.outgoing.push_back(Frame::Ping(Bytes::new()));
        }
    }
}
