//! Notices: which customers are told of which improvements.

use sea_orm_migration::prelude::*;

use crate::noun_table::NounTable;

#[derive(DeriveMigrationName)]
pub struct Migration;

const NOTICE: NounTable<'_> = NounTable {
    name: "notice",
    columns: "status {text} NOT NULL, told_at BIGINT, abandoned_at BIGINT, obstacle {text}, note {text},
        note_folded {text}, improvement_id {uuid} NOT NULL, customer_id {uuid} NOT NULL, medium_id {uuid},
        interaction_id {uuid}",
    keys: &[
        ("improvement_id", "improvement", "id"),
        ("customer_id", "customer", "id"),
        ("medium_id", "medium", "id"),
        ("interaction_id", "interaction", "id"),
    ],
    orders: &[("status", false), ("told_at", true)],
    ..NounTable::NONE
};

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        NOTICE.create(manager).await
    }
}
