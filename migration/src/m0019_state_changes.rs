//! The history of the states of rows. The archive is no status of a journey any more.

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
        // Rows of any noun have a history, so no foreign key can lead to them: who deletes a row deletes its history.
        dialect::run(
            manager,
            "CREATE TABLE state_change (
                organization_id {uuid} NOT NULL,
                id {uuid} NOT NULL,
                row_id {uuid} NOT NULL,
                transition {text},
                from_state {text},
                to_state {text} NOT NULL,
                changed_at BIGINT NOT NULL,
                subject {text} NOT NULL,
                row_version BIGINT NOT NULL,
                {key}
            );
            CREATE INDEX ix_state_change_row ON state_change (organization_id, row_id, id);
            CREATE INDEX ix_state_change_changed_at ON state_change (organization_id, changed_at, id);
            UPDATE journey SET status = 'PUBLISHED' WHERE status = 'ARCHIVED' AND EXISTS (
                SELECT 1 FROM journey_edition AS e
                WHERE e.organization_id = journey.organization_id AND e.journey_id = journey.id
            );
            UPDATE journey SET status = 'DRAFT' WHERE status = 'ARCHIVED'",
        )
        .await
    }
}
