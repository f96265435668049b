//! What each API client may spend, where its organization says so.

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
        dialect::run(
            manager,
            "ALTER TABLE api_client ADD COLUMN points BIGINT;
            ALTER TABLE api_client ADD COLUMN points_per_second BIGINT",
        )
        .await
    }
}
