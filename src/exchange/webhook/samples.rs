//! The query `webhookSamples`: messages of an event type, for whoever writes a receiver.

use entity::Permission;

use super::{event_types::EventType, message::Message};
use crate::{
    Error, Result,
    graphql::{
        slice::Query,
        typed::{
            fields::QueryFn,
            input::Input,
            output::{Json, Output},
        },
    },
    store::{Scope, paging::feed::FeedQuery},
};

/// How many of the newest changes are looked at.
const RECENT: i64 = 1_000;

/// The query `webhookSamples`.
pub const SAMPLES: Query = Query {
    name: "webhookSamples",
    doc: "Messages of an event type as an endpoint would receive them: of the newest changes of that type, newest first, or \
          an invented one if there is none among the last 1,000 changes. For whoever writes a receiver, and for tools that show \
          an example. Fails with BAD_USER_INPUT for an unknown type, and with FORBIDDEN for one that the caller may not read.",
    permissions: &[Permission::ExchangeRead],
    run: &QueryFn::new(|scope, wanted| Box::pin(samples(scope, wanted))),
};

/// Arguments of `webhookSamples`.
#[derive(Input)]
struct WebhookSamplesArguments {
    /// A type of rows such as `Customer`, or a type with a kind of change such as `Customer.CREATED`.
    #[input(max = 80)]
    event_type: String,
    /// Maximum number of messages, 1 to 10.
    #[input(default = 3, range = 1..=10)]
    first: i64,
}

/// Messages of an event type.
#[derive(Output)]
#[output(read = ExchangeRead)]
struct WebhookSamples {
    /// The messages, newest first.
    nodes: Vec<WebhookSample>,
}

/// A message as an endpoint would receive it.
#[derive(Output)]
#[output(read = ExchangeRead)]
struct WebhookSample {
    /// Type of the message.
    event_type: String,
    /// Id of the message: the header `webhook-id`.
    message_id: String,
    /// The body of the message.
    payload: Json,
    /// Whether there is no such change, so that ids and sequence are invented.
    is_invented: bool,
}

async fn samples(scope: &Scope, wanted: WebhookSamplesArguments) -> Result<WebhookSamples> {
    let known = EventType::parse(&wanted.event_type).and_then(|known| Some((known, known.example()?)));
    let Some((known, (noun, operation))) = known else {
        return Err(Error::BadInput("eventType is no event type such as Customer or Customer.CREATED".to_owned()));
    };
    let query = |after| FeedQuery { after, nouns: vec![noun], operations: None, limit: 1_000 };
    let head = scope.feed(&query(i64::MAX - 1)).await?.head.0;
    let page = scope.feed(&query((head - RECENT).max(0))).await?;
    let most = usize::try_from(wanted.first).unwrap_or_default();
    let found = page.changes.iter().rev().filter(|change| known.includes(change.noun, change.operation));
    let mut messages: Vec<(Message, bool)> = found.take(most).map(|change| (Message::of(change), false)).collect();
    if messages.is_empty() {
        messages.push((Message::invented(noun, operation, scope.now()), true));
    }
    let sample = |(message, is_invented): (Message, bool)| WebhookSample {
        event_type: message.event_type,
        message_id: message.id,
        payload: Json(message.payload),
        is_invented,
    };
    Ok(WebhookSamples { nodes: messages.into_iter().map(sample).collect() })
}
