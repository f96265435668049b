//! Ids for events, so that they can be listed as any noun, and the seals over them.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // UUIDv7 by its layout: milliseconds, then the sequence where the standard wants a counter, then chance.
        let id = if manager.get_database_backend() == DbBackend::Postgres {
            "CAST(lpad(to_hex(occurred_at), 12, '0') || '7' || lpad(to_hex(sequence & 4095), 3, '0') || '8' ||
                substr(replace(CAST(gen_random_uuid() AS TEXT), '-', ''), 18) AS UUID)"
        } else {
            "unhex(printf('%012x7%03x8', occurred_at, sequence & 4095) || substr(hex(randomblob(8)), 2))"
        };
        // A new table and not another key: SQLite cannot change one.
        let text = "CREATE TABLE event_with_id (
                organization_id {uuid} NOT NULL REFERENCES organization (id),
                id {uuid} NOT NULL,
                sequence BIGINT NOT NULL,
                noun {text} NOT NULL,
                row_id {uuid} NOT NULL,
                operation {text} NOT NULL,
                version BIGINT NOT NULL,
                subject {text} NOT NULL,
                client_id {text},
                occurred_at BIGINT NOT NULL,
                fields {text} NOT NULL,
                {key},
                UNIQUE (organization_id, sequence)
            );
            INSERT INTO event_with_id SELECT organization_id, {made}, sequence, noun, row_id, operation, version, subject,
                client_id, occurred_at, fields FROM event;
            DROP TABLE event;
            ALTER TABLE event_with_id RENAME TO event;
            CREATE INDEX ix_event_row ON event (organization_id, row_id, id);
            CREATE TABLE audit_head (
                organization_id {uuid} NOT NULL PRIMARY KEY REFERENCES organization (id),
                last_sequence BIGINT NOT NULL,
                hash {text} NOT NULL
            );
            INSERT INTO audit_head SELECT id, 0, '' FROM organization;
            CREATE TABLE audit_seal (
                organization_id {uuid} NOT NULL REFERENCES organization (id),
                first_sequence BIGINT NOT NULL,
                last_sequence BIGINT NOT NULL,
                leaves {text} NOT NULL,
                digest {text} NOT NULL,
                sealed_at BIGINT NOT NULL,
                hash {text} NOT NULL,
                PRIMARY KEY (organization_id, first_sequence)
            )";
        dialect::run(manager, &text.replace("{made}", id)).await?;
        dialect::orders(manager, "event", &[("occurred_at", false)]).await
    }
}
