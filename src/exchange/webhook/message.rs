//! Messages: which change of which row, without values, and what a document answers for the row.

use chrono::{DateTime, SecondsFormat, Utc};
use entity::{
    Noun,
    event::EventOperation,
    id::{self, WebhookEndpointId},
    kind::Sequence,
    noun::StringEnum as _,
    webhook_delivery::{
        ATTEMPT_COUNT, ENDPOINT_ID, EVENT_TYPE, MESSAGE_ID, NEXT_ATTEMPT_AT, PAYLOAD, SEQUENCE, STATUS,
        WebhookDeliveryStatus,
    },
    webhook_endpoint,
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};
use serde_json::{Value, json};

use super::event_types::event_type;
use crate::store::{
    paging::feed::FeedChange,
    statement::{
        cell::{Cell, Column},
        typed::assign,
    },
};

/// Variable of a document that is given the id of the changed row.
pub(super) const ROW_ID: &str = "id";
/// Maximum size of a message with what a document answers, in bytes: many receivers refuse a longer one.
const MOST_BYTES: usize = 20_000;
/// Prefix of the ids of messages.
const PREFIX: &str = "msg";
/// Event type of a test.
const TEST: &str = "Test";

/// A message to an endpoint.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// Its id, the same in each attempt.
    pub(super) id: String,
    /// Its type.
    pub(super) event_type: String,
    /// Its body.
    pub(super) payload: String,
    /// Sequence of the change; `None` for a test.
    pub(super) sequence: Option<i64>,
}

impl Message {
    /// Returns the message of a change. Its id is that of the event, so a change that is sent again has the same one.
    pub(super) fn of(change: &FeedChange) -> Self {
        let event_type = event_type(change.noun, change.operation);
        let mut data = json!({
            "id": id::encode(change.noun.prefix, change.row),
            "sequence": change.position.0,
            "version": change.version,
            "fields": change.fields,
        });
        if change.operation == EventOperation::Merged {
            data["mergedIntoId"] = change.merged_into.map(|row| id::encode(change.noun.prefix, row)).into();
        }
        let at = DateTime::from_timestamp_millis(change.occurred_at).unwrap_or_default();
        let payload = payload(&event_type, at, &data);
        Self { id: id::encode(PREFIX, change.position.1), event_type, payload, sequence: Some(change.position.0) }
    }

    /// Returns a test for an endpoint.
    pub(super) fn test(endpoint: Uuid, now: DateTime<Utc>) -> Self {
        let data = json!({ "id": id::encode(webhook_endpoint::NOUN.prefix, endpoint) });
        let payload = payload(TEST, now, &data);
        Self { id: id::encode(PREFIX, id::new()), event_type: TEST.to_owned(), payload, sequence: None }
    }

    /// Returns an invented message of a change, for a type of which there is none yet.
    pub(super) fn invented(noun: &'static Noun, operation: EventOperation, now: DateTime<Utc>) -> Self {
        let fields = if operation == EventOperation::Deleted {
            Vec::new()
        } else {
            noun.fields.iter().take(2).map(|field| field.name.to_owned()).collect()
        };
        Self::of(&FeedChange {
            position: (1, id::new()),
            occurred_at: now.timestamp_millis(),
            noun,
            row: id::new(),
            operation,
            version: 1,
            fields,
            merged_into: None,
            is_erased: false,
        })
    }

    /// Returns the columns of a new delivery, which is due at once.
    pub(super) fn delivery(self, endpoint: WebhookEndpointId, now: DateTime<Utc>) -> Vec<(Column, Cell)> {
        vec![
            assign(ENDPOINT_ID, endpoint),
            assign(STATUS, WebhookDeliveryStatus::Pending),
            assign(EVENT_TYPE, self.event_type),
            assign(MESSAGE_ID, self.id),
            assign(SEQUENCE, self.sequence.map(Sequence::of)),
            assign(PAYLOAD, self.payload),
            assign(ATTEMPT_COUNT, 0),
            assign(NEXT_ATTEMPT_AT, Some(ChronoUnixTimestampMillis(now))),
        ]
    }
}

/// Returns the id of the row that a payload tells of, unless it is gone or the message is a test.
pub(super) fn told_row(payload: &str) -> Option<String> {
    let payload: Value = serde_json::from_str(payload).ok()?;
    let event_type = payload["type"].as_str()?;
    let is_gone = [EventOperation::Deleted, EventOperation::Merged].map(|operation| format!(".{}", operation.name()));
    let is_told = event_type != TEST && !is_gone.iter().any(|operation| event_type.ends_with(operation));
    payload["data"]["id"].as_str().filter(|_| is_told).map(str::to_owned)
}

/// Returns a payload with what a document answers; `None` if that is too long.
pub(super) fn with_result(payload: &str, result: Value) -> Option<String> {
    let mut payload: Value = serde_json::from_str(payload).ok()?;
    payload["data"]["result"] = result;
    Some(payload.to_string()).filter(|payload| payload.len() <= MOST_BYTES)
}

fn payload(event_type: &str, at: DateTime<Utc>, data: &Value) -> String {
    let timestamp = at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    json!({ "type": event_type, "timestamp": timestamp, "data": data }).to_string()
}
