//! Which organizations were deleted: all that is left of them.

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
        // It outlives the organization's own row, so no key leads there. Every server polls it, for all organizations.
        dialect::run(
            manager,
            "CREATE TABLE organization_deletion (
                organization_id {uuid} NOT NULL PRIMARY KEY,
                id {uuid} NOT NULL,
                deleted_at BIGINT NOT NULL
            )",
        )
        .await
    }
}
