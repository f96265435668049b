//! Leases of jobs: when a job is due, which server performs it and until when, and how often it has failed.

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
        // Jobs that exist, and those that a server of an earlier version begins, are due at once.
        dialect::run(
            manager,
            "ALTER TABLE job ADD COLUMN run_at BIGINT NOT NULL DEFAULT 0;
            ALTER TABLE job ADD COLUMN owner_id {uuid};
            ALTER TABLE job ADD COLUMN leased_until BIGINT;
            ALTER TABLE job ADD COLUMN fence BIGINT NOT NULL DEFAULT 0;
            ALTER TABLE job ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0;
            ALTER TABLE job ADD COLUMN failed_at BIGINT;
            ALTER TABLE job ADD COLUMN reason {text};
            CREATE INDEX ix_job_due ON job (organization_id, run_at, id) WHERE failed_at IS NULL",
        )
        .await
    }
}
