//! After how many days rows of a type are removed.

use sea_orm_migration::prelude::*;

use crate::noun_table::NounTable;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        NounTable {
            name: "retention_rule",
            columns: "noun {text} NOT NULL, days BIGINT NOT NULL, reason {text}, reason_folded {text}, removed_count BIGINT",
            orders: &[("days", false)],
            ..NounTable::NONE
        }
        .create(manager)
        .await
    }
}
