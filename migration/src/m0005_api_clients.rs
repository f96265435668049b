//! API clients and their secrets, and whose tokens are refused.

use sea_orm_migration::prelude::*;

use crate::dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Every server polls `token_withdrawal`, for all organizations: it holds only what is refused.
        dialect::run(
            manager,
            "CREATE TABLE api_client (
                {noun},
                name {text} NOT NULL,
                name_folded {text} NOT NULL,
                scopes {text} NOT NULL,
                revoked_at BIGINT,
                last_used_at BIGINT,
                {key}
            );
            CREATE TABLE api_client_secret (
                organization_id {uuid} NOT NULL,
                api_client_id {uuid} NOT NULL,
                hash {text} NOT NULL,
                PRIMARY KEY (organization_id, api_client_id),
                FOREIGN KEY (organization_id, api_client_id)
                    REFERENCES api_client (organization_id, id) ON DELETE CASCADE
            );
            CREATE INDEX ix_api_client_secret_client ON api_client_secret (api_client_id);
            CREATE TABLE token_withdrawal (
                organization_id {uuid} NOT NULL REFERENCES organization (id),
                kind {text} NOT NULL,
                subject {text} NOT NULL,
                withdrawn_at BIGINT NOT NULL,
                PRIMARY KEY (organization_id, kind, subject)
            );
            CREATE INDEX ix_token_withdrawal_at ON token_withdrawal (kind, withdrawn_at)",
        )
        .await?;
        let orders = [("created_at", false), ("updated_at", false), ("name", false)];
        dialect::orders(manager, "api_client", &orders).await?;
        dialect::items(manager, "api_client", "scopes").await
    }
}
