//! Webhook deliveries: messages to webhook endpoints, and what became of them.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{OrganizationId, WebhookDeliveryId, WebhookEndpointId},
    kind::Sequence,
};

crate::string_enum! {
    /// How far a delivery has come.
    WebhookDeliveryStatus as "WebhookDeliveryStatus" {
        /// It will be sent at nextAttemptAt, once the endpoint is enabled.
        Pending = "PENDING",
        /// A server is sending it. If that server ends before the answer, it is sent again at nextAttemptAt.
        Sending = "SENDING",
        /// The endpoint answered with a status of 200 to 299.
        Delivered = "DELIVERED",
        /// It is not sent any more: all attempts failed, or the endpoint answered 410 Gone.
        Failed = "FAILED",
    }
}

/// Reason why the body of a response need not be erased.
const REMOVED: &str = "what another system answered, removed after 30 days";

/// A message to a webhook endpoint: its content, its attempts and the last response. It is kept for 30 days. Messages have no
/// values of rows, only ids and names of fields.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "webhook_delivery")]
#[noun(prefix = "whdel", read = ExchangeRead, write = Admin, operations = [List], without_events)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WebhookDeliveryId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// How far it has come.
    #[noun(ordered)]
    pub status: WebhookDeliveryStatus,
    /// Type of the message, for example `Customer.UPDATED`; `Test` for a test.
    #[noun(max = 80)]
    pub event_type: String,
    /// Id of the message: the header `webhook-id`, the same in every attempt and after a replay.
    #[noun(max = 64)]
    pub message_id: String,
    /// Sequence of the change in the change feed; null for a test.
    pub sequence: Option<Sequence>,
    /// The body of the message.
    #[noun(json)]
    pub payload: String,
    /// Number of attempts, at most 10.
    #[noun(min = 0, max = 100)]
    pub attempt_count: i64,
    /// When it was last sent, UTC; null if it was not sent yet.
    pub last_attempt_at: Option<ChronoUnixTimestampMillis>,
    /// When it is sent next, UTC; null once it is DELIVERED or FAILED.
    #[noun(ordered)]
    pub next_attempt_at: Option<ChronoUnixTimestampMillis>,
    /// When it was delivered, UTC; null if it was not.
    pub delivered_at: Option<ChronoUnixTimestampMillis>,
    /// HTTP status of the last response; null if there was none.
    #[noun(min = 100, max = 999)]
    pub response_status: Option<i64>,
    /// Beginning of the body of the last response, up to 4 KiB, without secrets.
    #[noun(max = 4096, personal = FreeText, retained_because = REMOVED)]
    pub response_body: Option<String>,
    /// Why the last attempt failed, in a few words; null if it succeeded or got a response.
    #[noun(max = 200)]
    pub failure: Option<String>,
    /// Where it is sent.
    #[noun(inverse(deliveries = "Messages to the endpoint, of 30 days."))]
    pub endpoint_id: WebhookEndpointId,
}
