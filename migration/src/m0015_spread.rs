//! What keeps tables from being spread by organization goes: keys, foreign keys and indexes without it.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Two small tables that every node can hold whole: they tell whose a slug and an API client are.
        dialect::run(
            manager,
            "CREATE TABLE organization_slug (
                slug {text} NOT NULL PRIMARY KEY,
                organization_id {uuid} NOT NULL
            );
            INSERT INTO organization_slug (slug, organization_id) SELECT slug, id FROM organization;
            CREATE TABLE api_client_owner (
                api_client_id {uuid} NOT NULL PRIMARY KEY,
                organization_id {uuid} NOT NULL
            );
            INSERT INTO api_client_owner (api_client_id, organization_id)
                SELECT api_client_id, organization_id FROM api_client_secret;
            DROP INDEX ix_api_client_secret_client;
            DROP INDEX ix_idempotency_created_at;
            CREATE INDEX ix_idempotency_created_at ON idempotency (organization_id, created_at)",
        )
        .await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            dialect::run(manager, "ALTER TABLE organization DROP CONSTRAINT organization_slug_key").await?;
            let key = "ALTER TABLE token_withdrawal DROP CONSTRAINT token_withdrawal_organization_id_fkey";
            return dialect::run(manager, key).await;
        }
        // SQLite, which is not spread, can drop no key of a table, and `organization` is referred to by all others: its
        // slugs stay unique twice.
        dialect::run(
            manager,
            "CREATE TABLE token_withdrawal_free (
                organization_id {uuid} NOT NULL,
                kind {text} NOT NULL,
                subject {text} NOT NULL,
                withdrawn_at BIGINT NOT NULL,
                PRIMARY KEY (organization_id, kind, subject)
            );
            INSERT INTO token_withdrawal_free (organization_id, kind, subject, withdrawn_at)
                SELECT organization_id, kind, subject, withdrawn_at FROM token_withdrawal;
            DROP TABLE token_withdrawal;
            ALTER TABLE token_withdrawal_free RENAME TO token_withdrawal;
            CREATE INDEX ix_token_withdrawal_at ON token_withdrawal (kind, withdrawn_at)",
        )
        .await
    }
}
