//! References that merges emptied because they would name the same row as another one of their row.

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
            "CREATE TABLE row_merge_emptied (
                organization_id {uuid} NOT NULL REFERENCES organization (id),
                reference {text} NOT NULL,
                row_id {uuid} NOT NULL,
                PRIMARY KEY (organization_id, reference, row_id)
            )",
        )
        .await
    }
}
