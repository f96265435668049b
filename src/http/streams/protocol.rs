//! The messages and close codes of the protocol graphql-transport-ws.

use actix_http::ws::{CloseCode, CloseReason};
use actix_web::web::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Name of the protocol.
pub(super) const NAME: &str = "graphql-transport-ws";

/// Why the server closes a socket. Clients retry after 1012, 1013 and 4403, the last one with a new token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Close {
    /// A message is longer than allowed.
    TooLarge,
    /// The server shuts down.
    Draining,
    /// The server has no room, or the caller too many sockets.
    Overloaded,
    /// A message is not one of the protocol.
    BadRequest,
    /// An operation before the connection was acknowledged.
    NotAcknowledged,
    /// The token is missing, invalid, revoked or expired.
    Forbidden,
    /// The client does not speak the protocol.
    Subprotocol,
    /// The client did not say who it is in time.
    InitTimeout,
    /// An id of an operation that still runs.
    Duplicate,
    /// A second `connection_init`.
    TooManyInits,
}

impl Close {
    pub fn reason(self) -> CloseReason {
        let (code, description) = match self {
            Self::TooLarge => (1009, "a message exceeds the limit"),
            Self::Draining => (1012, "the server restarts"),
            Self::Overloaded => (1013, "the server is overloaded, or this token has too many sockets"),
            Self::BadRequest => (4400, "invalid message"),
            Self::NotAcknowledged => (4401, "send connection_init first"),
            Self::Forbidden => (4403, "a valid access token is required"),
            Self::Subprotocol => (4406, "the subprotocol must be graphql-transport-ws"),
            Self::InitTimeout => (4408, "connection_init did not arrive in time"),
            Self::Duplicate => (4409, "an operation with this id is running"),
            Self::TooManyInits => (4429, "too many connection_init messages"),
        };
        CloseReason { code: CloseCode::from(code), description: Some(description.to_owned()) }
    }
}

/// A message of a client.
#[derive(Debug)]
pub(super) enum Message {
    /// Who the client is: the value of the header `Authorization`, if it is given here.
    Init(Option<String>),
    Ping,
    Pong,
    /// An operation: its id, and the parameters as in the body of a request.
    Subscribe(String, Vec<u8>),
    /// The end of an operation that the client does not wait for.
    Complete(String),
}

#[derive(Deserialize)]
struct Wire<'a> {
    r#type: &'a str,
    id: Option<String>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

/// Maximum length of the id of an operation, in bytes.
const LONGEST_ID: usize = 128;

impl Message {
    /// Reads a message; `None` if it is none of the protocol.
    pub fn read(text: &[u8]) -> Option<Self> {
        let wire: Wire<'_> = serde_json::from_slice(text).ok()?;
        let id = || wire.id.clone().filter(|id| !id.is_empty() && id.len() <= LONGEST_ID);
        Some(match wire.r#type {
            "connection_init" => Self::Init(wire.payload.map_or(Some(None), |raw| authorization(raw.get()))?),
            "ping" => Self::Ping,
            "pong" => Self::Pong,
            "subscribe" => Self::Subscribe(id()?, wire.payload?.get().as_bytes().to_vec()),
            "complete" => Self::Complete(id()?),
            _ => return None,
        })
    }
}

/// Returns the value of `Authorization` in the payload of `connection_init`, whatever the case of the name.
#[expect(clippy::option_option, reason = "None is a payload that cannot be read")]
fn authorization(payload: &str) -> Option<Option<String>> {
    let members: Option<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(payload).ok()?;
    let found = members?.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    match found {
        Some((_, serde_json::Value::String(value))) => Some(Some(value)),
        Some(_) => None,
        None => Some(None),
    }
}

/// A message of the server about an operation.
pub(super) fn about(id: &str, kind: &str, payload: Option<&[u8]>) -> Bytes {
    let id = serde_json::Value::from(id).to_string();
    let mut text = format!("{{\"id\":{id},\"type\":\"{kind}\"").into_bytes();
    if let Some(payload) = payload {
        text.extend_from_slice(b",\"payload\":");
        text.extend_from_slice(payload);
    }
    text.push(b'}');
    text.into()
}
