//! Erasure: who was erased, what was emptied, and by what hashes their return is noticed.

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
        // Keys are kept as hashes from here on; those of the last day would not be found again.
        dialect::run(
            manager,
            "ALTER TABLE customer ADD COLUMN erased_at BIGINT;
            CREATE TABLE erasure (
                organization_id {uuid} NOT NULL REFERENCES organization (id),
                id {uuid} NOT NULL,
                person_id {uuid} NOT NULL,
                erased_at BIGINT NOT NULL,
                salt {text} NOT NULL,
                erased_rows {text} NOT NULL,
                PRIMARY KEY (organization_id, id)
            );
            CREATE INDEX ix_erasure_salt ON erasure (organization_id, salt);
            CREATE TABLE erasure_identifier (
                organization_id {uuid} NOT NULL,
                hash {text} NOT NULL,
                erasure_id {uuid} NOT NULL,
                PRIMARY KEY (organization_id, hash),
                FOREIGN KEY (organization_id, erasure_id) REFERENCES erasure (organization_id, id)
            );
            CREATE INDEX ix_erasure_identifier_erasure ON erasure_identifier (organization_id, erasure_id);
            DELETE FROM idempotency",
        )
        .await
    }
}
