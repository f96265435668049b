//! An operation of a WebSocket: a subscription, or a query or mutation with one result.

use async_graphql::{Response, parser::types::OperationType};
use futures_util::{Stream, stream};

use super::{
    protocol::Close,
    running::{End, Request, Sent, Subscription},
    socket::Shared,
};
use crate::{
    auth::Actor,
    graphql::failure::{self, OVERLOADED},
    http::{
        error_response::ErrorResponse,
        graphql::executed,
        request::body_memory::Room,
        response::{is_request_error, json},
        started::{Reading, StartedRequest},
        transfer::Transfer,
    },
};

/// What a client is told about an operation.
pub(super) enum Reply {
    /// A sign of life, for which a socket has its own.
    Nothing,
    /// A result, as JSON.
    Next(Vec<u8>),
    /// The last result, as JSON.
    Last(Vec<u8>),
    /// Errors because of which it did not begin, as JSON.
    Error(Vec<u8>),
    /// It ends with the socket.
    Close(Close),
}

/// An operation that has not begun.
pub(super) struct Operation {
    shared: Shared,
    transfer: Transfer,
    actor: Actor,
    params: Vec<u8>,
}

enum State {
    Begins(Box<Operation>),
    Runs(Box<Subscription>),
    Ended,
}

impl Operation {
    pub fn new(shared: Shared, transfer: Transfer, actor: Actor, params: Vec<u8>) -> Self {
        Self { shared, transfer, actor, params }
    }

    /// Returns what the client is told, step by step.
    pub fn replies(self) -> impl Stream<Item = Reply> + 'static {
        stream::unfold(State::Begins(Box::new(self)), |state| async move {
            let mut subscription = match state {
                State::Begins(operation) => match operation.begin().await {
                    Ok(subscription) => subscription,
                    Err(reply) => return Some((reply, State::Ended)),
                },
                State::Runs(subscription) => subscription,
                State::Ended => return None,
            };
            Some(match subscription.next().await {
                Ok(Sent::Event(json)) => (Reply::Next(json), State::Runs(subscription)),
                Ok(Sent::Beat) => (Reply::Nothing, State::Runs(subscription)),
                Ok(Sent::Last(json)) => (Reply::Last(json), State::Ended),
                Err(End::Draining) => (Reply::Close(Close::Draining), State::Ended),
                Err(End::Unauthenticated) => (Reply::Close(Close::Forbidden), State::Ended),
                Err(End::Overloaded) => (Reply::Close(Close::Overloaded), State::Ended),
            })
        })
    }

    /// Begins a subscription, or runs another operation, whose result is the `Err`.
    async fn begin(self) -> Result<Box<Subscription>, Reply> {
        let Self { shared, transfer, actor, params } = self;
        let Shared { state, store, health, request: id } = shared;
        let mut room = state.memory.room(true);
        room.take(params.len()).map_err(|_| Reply::Close(Close::Overloaded))?;
        let reading = Reading { state: &state, store: &store, actor: Some(&actor) };
        let (StartedRequest { kind, prepared }, room): (_, Room) =
            reading.body(params, room).await.map_err(|refusal| refused(refusal, &id))?;
        if kind != Some(OperationType::Subscription) {
            let (response, most_bytes) = executed(prepared, Some(actor), None, (&state, &store), &id).await;
            return Err(ended(&response, most_bytes));
        }
        let most_bytes = state.limits.response_bytes(false);
        let mut response = match prepared {
            Ok(prepared) => {
                let request = Request { transfer, health, actor, id: id.clone(), room, is_patient: true };
                match request.subscribe(prepared).await.map_err(|refusal| refused(refusal, &id))? {
                    Ok(subscription) => return Ok(Box::new(subscription)),
                    Err(response) => response,
                }
            }
            Err(error) => Response::from_errors(vec![error]),
        };
        failure::publish(&mut response, &id);
        Err(ended(&response, most_bytes))
    }
}

/// Returns the only result of an operation, or its errors if it did not run.
fn ended(response: &Response, most_bytes: usize) -> Reply {
    if is_request_error(response) {
        return Reply::Error(serde_json::to_vec(&response.errors).unwrap_or_else(|_| b"[]".to_vec()));
    }
    Reply::Last(json(response, most_bytes).0)
}

fn refused(refusal: ErrorResponse, id: &str) -> Reply {
    if refusal.code() == OVERLOADED {
        return Reply::Close(Close::Overloaded);
    }
    let mut response = refusal.into_response();
    failure::publish(&mut response, id);
    ended(&response, usize::MAX)
}
