//! Reads WebSocket messages from a request's payload, within a limit of size and of memory.

use actix_http::ws::{Codec, Frame, Item, ProtocolError};
use actix_web::web::{self, Bytes, BytesMut};
use futures_util::StreamExt as _;
use tokio_util::codec::Decoder as _;

use super::protocol::Close;
use crate::http::request::body_memory::Room;

/// Maximum size of a message of a caller that is known, in bytes.
const MOST: usize = 1 << 20;
/// Maximum size of a message of another one, in bytes.
const MOST_OF_STRANGER: usize = 16 << 10;

/// The incoming half of a socket.
pub(super) struct Wire {
    payload: web::Payload,
    codec: Codec,
    most: usize,
    unread: BytesMut,
    /// The beginning of a message that arrives in several frames.
    begun: Option<BytesMut>,
    /// The memory of messages that have not arrived completely.
    room: Room,
}

/// What arrives.
#[derive(Debug)]
pub(super) enum Incoming {
    Text(Bytes),
    Ping(Bytes),
    Pong,
    /// The client has closed the socket, or is gone.
    Closed,
    /// The socket must be closed.
    Refused(Close),
}

impl Wire {
    pub fn new(payload: web::Payload, room: Room) -> Self {
        let codec = Codec::new().max_size(MOST_OF_STRANGER);
        Self { payload, codec, most: MOST_OF_STRANGER, unread: BytesMut::new(), begun: None, room }
    }

    /// Allows longer messages, with memory from `room`, now that the caller is known.
    pub fn trust(&mut self, room: Room) {
        self.codec = std::mem::take(&mut self.codec).max_size(MOST);
        self.most = MOST;
        self.room = room;
    }

    /// Waits for what arrives next. Nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> Incoming {
        loop {
            match self.codec.decode(&mut self.unread) {
                Ok(Some(frame)) => {
                    if let Some(incoming) = self.take(frame) {
                        return incoming;
                    }
                    continue;
                }
                Ok(None) => {}
                Err(ProtocolError::Overflow) => return Incoming::Refused(Close::TooLarge),
                Err(_) => return Incoming::Refused(Close::BadRequest),
            }
            match self.payload.next().await {
                Some(Ok(chunk)) => {
                    if self.room.take(chunk.len()).is_err() {
                        return Incoming::Refused(Close::Overloaded);
                    }
                    self.unread.extend_from_slice(&chunk);
                }
                Some(Err(_)) | None => return Incoming::Closed,
            }
        }
    }

    /// Reads and forgets what arrives, until the client closes the connection.
    pub async fn drain(&mut self) {
        while let Some(Ok(_)) = self.payload.next().await {}
    }

    fn take(&mut self, frame: Frame) -> Option<Incoming> {
        let whole = match frame {
            Frame::Text(text) => text,
            Frame::Ping(bytes) => return Some(Incoming::Ping(bytes)),
            Frame::Pong(_) => return Some(Incoming::Pong),
            Frame::Close(_) => return Some(Incoming::Closed),
            Frame::Binary(_) | Frame::Continuation(Item::FirstBinary(_)) => {
                return Some(Incoming::Refused(Close::BadRequest));
            }
            Frame::Continuation(Item::FirstText(part)) => {
                self.begun = Some(BytesMut::from(&part[..]));
                return None;
            }
            Frame::Continuation(Item::Continue(part)) => return self.add(&part).err().map(Incoming::Refused),
            Frame::Continuation(Item::Last(part)) => {
                if let Err(close) = self.add(&part) {
                    return Some(Incoming::Refused(close));
                }
                self.begun.take().unwrap_or_default().freeze()
            }
        };
        self.room.free();
        Some(Incoming::Text(whole))
    }

    fn add(&mut self, part: &[u8]) -> Result<(), Close> {
        let begun = self.begun.get_or_insert_default();
        if begun.len() + part.len() > self.most {
            return Err(Close::TooLarge);
        }
        begun.extend_from_slice(part);
        Ok(())
    }
}
