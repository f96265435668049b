//! Tenants, departments, the outbox and the memory of idempotency keys.

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
        // PostgreSQL wants the table that a key refers to, SQLite cannot add a key later.
        let key = "FOREIGN KEY (id, fallback_department_id) REFERENCES department (organization_id, id)";
        let is_postgres = manager.get_database_backend() == DbBackend::Postgres;
        let inline = if is_postgres { String::new() } else { format!(", {key}") };
        let text = "CREATE TABLE organization (
                id {uuid} NOT NULL PRIMARY KEY,
                version BIGINT NOT NULL,
                created_at BIGINT NOT NULL,
                updated_at BIGINT NOT NULL,
                slug {text} NOT NULL UNIQUE,
                name {text} NOT NULL,
                time_zone {text} NOT NULL,
                week_start {text} NOT NULL,
                locale {text} NOT NULL,
                fallback_department_id {uuid}
                {circular foreign key}
            );
            CREATE TABLE department (
                {noun},
                name {text} NOT NULL,
                name_folded {text} NOT NULL,
                contact {text},
                archived_at BIGINT,
                {key}
            );
            CREATE TABLE organization_sequence (
                organization_id {uuid} NOT NULL PRIMARY KEY REFERENCES organization (id),
                last BIGINT NOT NULL
            );
            CREATE TABLE event (
                organization_id {uuid} NOT NULL REFERENCES organization (id),
                sequence BIGINT NOT NULL,
                noun {text} NOT NULL,
                row_id {uuid} NOT NULL,
                operation {text} NOT NULL,
                version BIGINT NOT NULL,
                subject {text} NOT NULL,
                client_id {text},
                occurred_at BIGINT NOT NULL,
                fields {text} NOT NULL,
                PRIMARY KEY (organization_id, sequence)
            );
            CREATE TABLE idempotency (
                organization_id {uuid} NOT NULL REFERENCES organization (id),
                subject {text} NOT NULL,
                idempotency_key {text} NOT NULL,
                fingerprint {text} NOT NULL,
                created_at BIGINT NOT NULL,
                result {text},
                PRIMARY KEY (organization_id, subject, idempotency_key)
            );
            CREATE INDEX ix_idempotency_created_at ON idempotency (created_at)";
        dialect::run(manager, &text.replace("{circular foreign key}", &inline)).await?;
        if is_postgres {
            dialect::run(manager, &format!("ALTER TABLE organization ADD {key}")).await?;
        }
        dialect::orders(manager, "department", &[("created_at", false), ("updated_at", false), ("name", false)])
            .await?;
        dialect::single_external_ids(manager, "department").await
    }
}
