//! Work in steps: jobs with a cursor, erasures that take several transactions, and which rows a remembered call names.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

use crate::dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Results of the last day name rows that were not noted: they are found by `call_id IS NULL`.
        dialect::run(
            manager,
            "ALTER TABLE idempotency ADD COLUMN call_id {uuid};
            CREATE INDEX ix_idempotency_call ON idempotency (organization_id, call_id);
            ALTER TABLE erasure ADD COLUMN row_count BIGINT NOT NULL DEFAULT 0;
            ALTER TABLE erasure ADD COLUMN done_at BIGINT;
            UPDATE erasure SET done_at = erased_at;
            CREATE INDEX ix_erasure_person ON erasure (organization_id, person_id, id);
            ALTER TABLE erasure_identifier ADD COLUMN part_id {uuid};
            CREATE INDEX ix_feedback_record_person ON feedback_record (organization_id, customer_id, id)
                WHERE customer_id IS NOT NULL",
        )
        .await?;
        tied(
            manager,
            "CREATE TABLE idempotency_row (
                organization_id {uuid} NOT NULL,
                row_id {uuid} NOT NULL,
                call_id {uuid} NOT NULL,
                created_at BIGINT NOT NULL,
                PRIMARY KEY (organization_id, row_id, call_id)",
            &[("organization_id", "organization", "id")],
        )
        .await?;
        tied(
            manager,
            "CREATE TABLE job (
                organization_id {uuid} NOT NULL,
                id {uuid} NOT NULL,
                kind {text} NOT NULL,
                row_id {uuid} NOT NULL,
                progress {text} NOT NULL,
                steps BIGINT NOT NULL,
                stepped_at BIGINT NOT NULL,
                PRIMARY KEY (organization_id, id)",
            &[("organization_id", "organization", "id")],
        )
        .await?;
        tied(
            manager,
            "CREATE TABLE erasure_part (
                organization_id {uuid} NOT NULL,
                id {uuid} NOT NULL,
                erasure_id {uuid} NOT NULL,
                erased_rows {text} NOT NULL,
                PRIMARY KEY (organization_id, id)",
            &[("organization_id, erasure_id", "erasure", "organization_id, id")],
        )
        .await?;
        // What each erasure emptied so far becomes its one part, under the erasure's own id: nothing is lost with the column.
        // How many rows those were is not counted: `row_count` stays 0.
        dialect::run(
            manager,
            "CREATE INDEX ix_idempotency_row_created_at ON idempotency_row (organization_id, created_at);
            CREATE UNIQUE INDEX ix_job_row ON job (organization_id, kind, row_id);
            CREATE INDEX ix_erasure_part_erasure ON erasure_part (organization_id, erasure_id, id);
            INSERT INTO erasure_part (organization_id, id, erasure_id, erased_rows)
                SELECT organization_id, id, id, erased_rows FROM erasure;
            ALTER TABLE erasure DROP COLUMN erased_rows",
        )
        .await
    }
}

/// Makes a table, then its foreign keys: where tables are spread, a table is made before it is tied to others. `SQLite`
/// can only make both at once. Keys are (columns, table, its columns).
async fn tied(manager: &SchemaManager<'_>, table: &str, keys: &[(&str, &str, &str)]) -> Result<(), DbErr> {
    let foreign = |(columns, other, theirs): &(&str, &str, &str)| {
        format!("FOREIGN KEY ({columns}) REFERENCES {other} ({theirs})")
    };
    if manager.get_connection().get_database_backend() == DbBackend::Sqlite {
        let keys: Vec<String> = keys.iter().map(|key| format!(", {}", foreign(key))).collect();
        return dialect::run(manager, &format!("{table}{})", keys.concat())).await;
    }
    dialect::run(manager, &format!("{table})")).await?;
    let name = table.split_whitespace().nth(2).unwrap_or_default();
    for key in keys {
        dialect::run(manager, &format!("ALTER TABLE {name} ADD {}", foreign(key))).await?;
    }
    Ok(())
}
