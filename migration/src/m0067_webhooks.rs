//! Webhook endpoints and the deliveries to them.

use sea_orm_migration::prelude::*;

use crate::{
    dialect,
    noun_table::{create, items, key},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const ENDPOINT: &str = "CREATE TABLE webhook_endpoint (
    organization_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    description {text},
    description_folded {text},
    url {text} NOT NULL,
    event_types {text} NOT NULL,
    signature {text} NOT NULL,
    is_enabled BOOLEAN NOT NULL,
    disabled_at BIGINT,
    disabled_reason {text},
    scopes {text} NOT NULL,
    position BIGINT NOT NULL,
    first_failed_at BIGINT,
    secret_number BIGINT NOT NULL,
    previous_secret_expires_at BIGINT,
    {key}";

const DELIVERY: &str = "CREATE TABLE webhook_delivery (
    organization_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    status {text} NOT NULL,
    event_type {text} NOT NULL,
    message_id {text} NOT NULL,
    sequence BIGINT,
    payload {text} NOT NULL,
    attempt_count BIGINT NOT NULL,
    last_attempt_at BIGINT,
    next_attempt_at BIGINT,
    delivered_at BIGINT,
    response_status BIGINT,
    response_body {text},
    failure {text},
    endpoint_id {uuid} NOT NULL,
    {key}";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let own = || "FOREIGN KEY (organization_id) REFERENCES organization (id)".to_owned();
        create(manager, "webhook_endpoint", ENDPOINT.to_owned(), &[own()]).await?;
        dialect::orders(manager, "webhook_endpoint", &[("created_at", false), ("updated_at", false)]).await?;
        for column in ["event_types", "scopes"] {
            items(manager, "webhook_endpoint", column, "").await?;
        }
        let endpoint = key("endpoint_id", "webhook_endpoint", "id", " ON DELETE CASCADE");
        create(manager, "webhook_delivery", DELIVERY.to_owned(), &[own(), endpoint]).await?;
        let orders = [("created_at", false), ("updated_at", false), ("status", false), ("next_attempt_at", true)];
        dialect::orders(manager, "webhook_delivery", &orders).await?;
        // What is open is few among what is logged, and is found without the rest.
        dialect::run(
            manager,
            "CREATE INDEX ix_webhook_delivery_endpoint_id ON webhook_delivery (organization_id, endpoint_id, id);
            CREATE INDEX ix_webhook_delivery_sequence ON webhook_delivery (organization_id, endpoint_id, sequence);
            CREATE INDEX ix_webhook_delivery_open ON webhook_delivery (organization_id, endpoint_id, id)
                WHERE next_attempt_at IS NOT NULL",
        )
        .await
    }
}
