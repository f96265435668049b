//! Feedback counted by point and week as it is written.

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
        // `rolled_to` is `last` as long as every writer has kept the counts: a server from before this step does not, and
        // then they are made anew.
        dialect::run(
            manager,
            "CREATE TABLE feedback_week (
                organization_id {uuid} NOT NULL REFERENCES organization (id),
                point_id {uuid} NOT NULL,
                week BIGINT NOT NULL,
                n BIGINT NOT NULL,
                sentiment_score_sum BIGINT NOT NULL,
                sentiment_score_n BIGINT NOT NULL,
                nps_sum BIGINT NOT NULL,
                nps_n BIGINT NOT NULL,
                csat_sum BIGINT NOT NULL,
                csat_n BIGINT NOT NULL,
                ces_sum BIGINT NOT NULL,
                ces_n BIGINT NOT NULL,
                PRIMARY KEY (organization_id, point_id, week)
            );
            ALTER TABLE organization_sequence ADD COLUMN rolled_to BIGINT;
            ALTER TABLE organization_sequence ADD COLUMN rolled_until BIGINT;
            ALTER TABLE organization_sequence ADD COLUMN rolled_zone {text};
            ALTER TABLE organization_sequence ADD COLUMN rolled_week_start {text}",
        )
        .await
    }
}
