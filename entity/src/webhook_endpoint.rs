//! Webhook endpoints: addresses of other systems to which changes are sent.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{OrganizationId, WebhookEndpointId},
    kind::{Sequence, Url},
    permission::Permission,
};

crate::string_enum! {
    /// How messages are signed.
    WebhookSignature as "WebhookSignature" {
        /// With a secret that both sides know: HMAC-SHA256, `v1` of Standard Webhooks. Every library of Standard Webhooks
        /// verifies it.
        HmacSha256 = "HMAC_SHA256",
        /// With a private key that never leaves the server: Ed25519, `v1a` of Standard Webhooks.
        Ed25519 = "ED25519",
    }
}

crate::string_enum! {
    /// Why nothing is sent to a webhook endpoint.
    WebhookDisabledReason as "WebhookDisabledReason" {
        /// A caller disabled it.
        Manual = "MANUAL",
        /// It answered 410 Gone.
        Gone = "GONE",
        /// All attempts of 120 hours failed.
        Failing = "FAILING",
    }
}

/// An address of another system to which the changes of the chosen types are sent, as signed messages of Standard
/// Webhooks. Creating it returns the secret to verify them with. It receives the changes that follow its creation; while it
/// is disabled it receives none, and `webhookEndpointReplay` sends what it missed.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "webhook_endpoint")]
#[noun(prefix = "whend", read = ExchangeRead, write = Admin, operations = [List, Create, Update, Delete])]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WebhookEndpointId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// What it is for, for example the name of the other system.
    #[noun(optional, searchable, max = 200)]
    pub description: Option<String>,
    /// Folded copy of `description` for search.
    pub description_folded: Option<String>,
    /// Where messages are sent. An https address of a host on the internet; the operator may allow others. An address that
    /// is not allowed fails with INVALID; where a name leads is checked each time it is used.
    #[noun(required)]
    pub url: Url,
    /// Types of the messages: a type of rows such as `Customer`, a type with a kind of change such as `Customer.CREATED`, or
    /// `*` for all. A type that the caller may not read fails with INVALID, and `*` leaves it out.
    #[noun(required, tags(most = 100, max = 80))]
    pub event_types: String,
    /// How messages are signed. Cannot be changed.
    #[noun(default = "HMAC_SHA256")]
    pub signature: WebhookSignature,
    /// Whether changes are sent. Enabling it again begins with the changes that follow.
    #[noun(default = "true")]
    pub is_enabled: bool,
    /// When it was disabled, UTC; null if it is enabled.
    pub disabled_at: Option<ChronoUnixTimestampMillis>,
    /// Why it was disabled; null if it is enabled.
    pub disabled_reason: Option<WebhookDisabledReason>,
    /// `documentId` of the trusted document whose answer messages carry; null if they have no values. Set by
    /// `webhookEndpointSetDocument`.
    #[noun(max = 200)]
    pub document_id: Option<String>,
    /// Scopes of whoever last set `eventTypes` or the document: changes of types that these do not cover are not sent, and the
    /// document is read with them.
    #[noun(tags(most = Permission::ALL.len(), max = 64))]
    pub scopes: String,
    /// Sequence of the newest change that was considered. Does not change `version`.
    pub position: Sequence,
    /// Since when all attempts have failed, UTC; null if the last one succeeded. Does not change `version`.
    pub first_failed_at: Option<ChronoUnixTimestampMillis>,
    /// Number of the secret, from 1: how often it was rotated, plus 1.
    #[noun(min = 1, max = i64::MAX)]
    pub secret_number: i64,
    /// Until when messages are also signed with the previous secret, UTC; null if it was never rotated.
    pub previous_secret_expires_at: Option<ChronoUnixTimestampMillis>,
}
