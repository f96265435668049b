//! Members of the organization, and the departments that they belong to.

use sea_orm_migration::prelude::*;

use crate::{dialect, noun_table::NounTable};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        NounTable {
            name: "member",
            columns: "subject {text} NOT NULL, name {text} NOT NULL, name_folded {text} NOT NULL,
                skills {text} NOT NULL, capacity BIGINT, away_from_at BIGINT, away_until_at BIGINT, archived_at BIGINT",
            unique: &["subject"],
            orders: &[
                ("subject", false),
                ("name", false),
                ("capacity", true),
                ("away_from_at", true),
                ("away_until_at", true),
            ],
            tags: &["skills"],
            ..NounTable::NONE
        }
        .create(manager)
        .await?;
        dialect::links(manager, "member", "department").await
    }
}
