//! Calendar feeds of work.

use sea_orm_migration::prelude::*;

use crate::noun_table::NounTable;

#[derive(DeriveMigrationName)]
pub struct Migration;

const FEED: NounTable<'_> = NounTable {
    name: "calendar_feed",
    columns: "name {text} NOT NULL, name_folded {text} NOT NULL, status {text} NOT NULL, revoked_at BIGINT,
        member_id {uuid}, department_id {uuid}",
    keys: &[("member_id", "member", "id"), ("department_id", "department", "id")],
    orders: &[("name", false), ("status", false)],
    ..NounTable::NONE
};

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        FEED.create(manager).await
    }
}
