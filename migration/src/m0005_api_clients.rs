//! API clients and their secrets, suspended organizations, subjects whose tokens are refused.

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
        // The partial indexes are what every server polls: they hold only what is refused.
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
            CREATE INDEX ix_api_client_revoked_at ON api_client (revoked_at) WHERE revoked_at IS NOT NULL;
            CREATE TABLE api_client_secret (
                organization_id {uuid} NOT NULL,
                api_client_id {uuid} NOT NULL,
                hash {text} NOT NULL,
                PRIMARY KEY (organization_id, api_client_id),
                FOREIGN KEY (organization_id, api_client_id)
                    REFERENCES api_client (organization_id, id) ON DELETE CASCADE
            );
            CREATE INDEX ix_api_client_secret_client ON api_client_secret (api_client_id);
            ALTER TABLE organization ADD COLUMN suspended_at BIGINT;
            CREATE INDEX ix_organization_suspended ON organization (id) WHERE suspended_at IS NOT NULL;
            CREATE TABLE token_cut_off (
                organization_id {uuid} NOT NULL REFERENCES organization (id),
                subject {text} NOT NULL,
                cut_off_at BIGINT NOT NULL,
                PRIMARY KEY (organization_id, subject)
            );
            CREATE INDEX ix_token_cut_off_at ON token_cut_off (cut_off_at)",
        )
        .await?;
        let orders = [("created_at", false), ("updated_at", false), ("name", false)];
        dialect::orders(manager, "api_client", &orders).await?;
        dialect::items(manager, "api_client", "scopes").await
    }
}
