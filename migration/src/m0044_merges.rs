//! Merges of rows: which row each merged one became, and what moved.

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
        // No keys lead to the merged rows: the loser's is gone, and several nouns share the table.
        dialect::run(
            manager,
            "CREATE TABLE row_merge (
                organization_id {uuid} NOT NULL REFERENCES organization (id),
                id {uuid} NOT NULL,
                noun {text} NOT NULL,
                loser_id {uuid} NOT NULL,
                winner_id {uuid} NOT NULL,
                target_id {uuid} NOT NULL,
                merged_at BIGINT NOT NULL,
                moved_count BIGINT NOT NULL,
                done_at BIGINT,
                undone_at BIGINT,
                snapshot {text},
                PRIMARY KEY (organization_id, id),
                UNIQUE (organization_id, loser_id)
            );
            CREATE INDEX ix_row_merge_target ON row_merge (organization_id, target_id);
            CREATE TABLE row_merge_move (
                organization_id {uuid} NOT NULL REFERENCES organization (id),
                loser_id {uuid} NOT NULL,
                reference {text} NOT NULL,
                row_id {uuid} NOT NULL,
                PRIMARY KEY (organization_id, loser_id, reference, row_id)
            )",
        )
        .await
    }
}
