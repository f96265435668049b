//! Improvements, with the feedback, the expectations and the interaction points that they are linked to.

use sea_orm_migration::prelude::*;

use crate::{dialect, noun_table::NounTable};

#[derive(DeriveMigrationName)]
pub struct Migration;

const IMPROVEMENT: NounTable<'_> = NounTable {
    name: "improvement",
    columns: "title {text} NOT NULL, title_folded {text} NOT NULL, description {text}, description_folded {text},
        target {text} NOT NULL, status {text} NOT NULL, planned_at BIGINT, started_at BIGINT, done_at BIGINT,
        declined_at BIGINT, declined_reason {text}, tags {text} NOT NULL, department_id {uuid}",
    keys: &[("department_id", "department", "id")],
    orders: &[("title", false), ("status", false), ("done_at", true)],
    tags: &["tags"],
    ..NounTable::NONE
};

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        IMPROVEMENT.create(manager).await?;
        for target in ["feedback_record", "expectation", "interaction_point"] {
            dialect::links(manager, "improvement", target).await?;
        }
        Ok(())
    }
}
