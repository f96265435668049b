//! The scale of an effort answer, and the effort answers counted by scale.

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
        // Answers so far were on the default scale, whose counts are `ces_sum` and `ces_n`: the counts stay valid.
        dialect::run(
            manager,
            "ALTER TABLE feedback_record ADD COLUMN ces_scale {text} NOT NULL DEFAULT 'EASE_7';
            ALTER TABLE feedback_week ADD COLUMN ces_ease_5_sum BIGINT NOT NULL DEFAULT 0;
            ALTER TABLE feedback_week ADD COLUMN ces_ease_5_n BIGINT NOT NULL DEFAULT 0;
            ALTER TABLE feedback_week ADD COLUMN ces_effort_7_sum BIGINT NOT NULL DEFAULT 0;
            ALTER TABLE feedback_week ADD COLUMN ces_effort_7_n BIGINT NOT NULL DEFAULT 0;
            ALTER TABLE feedback_week ADD COLUMN ces_effort_5_sum BIGINT NOT NULL DEFAULT 0;
            ALTER TABLE feedback_week ADD COLUMN ces_effort_5_n BIGINT NOT NULL DEFAULT 0",
        )
        .await
    }
}
