//! The change feed: its epoch, how long it shows changes, and an index of the events that erased rows.

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
        let text = "ALTER TABLE organization ADD COLUMN change_retention_days BIGINT;
            ALTER TABLE organization_sequence ADD COLUMN epoch {uuid};
            CREATE INDEX ix_event_erased ON event (organization_id, row_id, sequence) WHERE operation = 'ERASED'";
        dialect::run(manager, text).await
    }
}
