//! Comments on cases, how attempts were verified, and rules that open cases.

use sea_orm_migration::prelude::*;

use crate::{dialect, noun_table::NounTable};

#[derive(DeriveMigrationName)]
pub struct Migration;

const COMMENT: NounTable<'_> = NounTable {
    name: "case_comment",
    columns: "body {text} NOT NULL, body_folded {text} NOT NULL, written_at BIGINT NOT NULL, subject {text} NOT NULL,
        case_id {uuid} NOT NULL",
    keys: &[("case_id", "customer_case", "id")],
    orders: &[("written_at", false)],
    ..NounTable::NONE
};

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        COMMENT.create(manager).await?;
        dialect::run(
            manager,
            "ALTER TABLE attempt ADD COLUMN verified_by {text};
            ALTER TABLE attempt ADD COLUMN verified_at BIGINT;
            ALTER TABLE routing_rule ADD COLUMN is_case_opened BOOLEAN NOT NULL DEFAULT FALSE",
        )
        .await
    }
}
