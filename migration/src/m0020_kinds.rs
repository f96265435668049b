//! Values with a form of their own: exact targets, days of evidence, durations of points.

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
        // Units of 0.0001. What 64 bits do not hold of them was no target.
        dialect::run(
            manager,
            "ALTER TABLE expectation ADD COLUMN target_units BIGINT;
            UPDATE expectation SET target_units = CAST(ROUND(target_value * 10000) AS BIGINT)
                WHERE ABS(target_value) < 900000000000000;
            ALTER TABLE expectation DROP COLUMN target_value;
            ALTER TABLE expectation RENAME COLUMN target_units TO target_value",
        )
        .await?;
        // Days since 1970-01-01 in UTC, those before it rounded down.
        dialect::run(
            manager,
            "ALTER TABLE evidence ADD COLUMN gathered_on BIGINT;
            UPDATE evidence
                SET gathered_on = (gathered_at - (gathered_at % 86400000 + 86400000) % 86400000) / 86400000
                WHERE gathered_at IS NOT NULL;
            DROP INDEX ix_evidence_gathered_at;
            ALTER TABLE evidence DROP COLUMN gathered_at",
        )
        .await?;
        dialect::orders(manager, "evidence", &[("gathered_on", true)]).await?;
        dialect::run(manager, "ALTER TABLE interaction_point ADD COLUMN expected_duration BIGINT").await?;
        dialect::orders(manager, "interaction_point", &[("expected_duration", true)]).await
    }
}
