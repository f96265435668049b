//! Fields that must be recorded of interactions, by kind of point.

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
        let table = NounTable {
            name: "required_field",
            columns: "point_kind {text} NOT NULL, field {text} NOT NULL, reason {text}, reason_folded {text}",
            unique: &["point_kind, field"],
            ..NounTable::NONE
        };
        table.create(manager).await
    }
}
