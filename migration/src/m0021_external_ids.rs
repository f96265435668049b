//! Any number of external ids of a system on a row.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend, Statement},
};

use crate::dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 22] = [
    "department",
    "medium",
    "influencer",
    "interaction_point",
    "expectation",
    "customer",
    "feedback_record",
    "routing_rule",
    "journey",
    "stage",
    "step",
    "step_link",
    "assumption",
    "objective",
    "objective_conflict",
    "desired_result",
    "offer",
    "evidence",
    "message",
    "message_variant",
    "review_question",
    "review_answer",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let is_sqlite = manager.get_connection().get_database_backend() == DbBackend::Sqlite;
        for table in TABLES {
            if is_sqlite {
                remake(manager, table).await?;
            } else {
                drop_key(manager, table).await?;
                dialect::external_ids_by_row(manager, table).await?;
            }
        }
        Ok(())
    }
}

/// Makes the table anew: `SQLite` can drop no key of a table.
async fn remake(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    let old = format!("{table}_external_id_old");
    dialect::run(manager, &format!("ALTER TABLE {table}_external_id RENAME TO {old}")).await?;
    dialect::external_ids(manager, table).await?;
    let columns = format!("organization_id, {table}_id, system, external_id");
    dialect::run(
        manager,
        &format!(
            "INSERT INTO {table}_external_id ({columns}) SELECT {columns} FROM {old}
                ORDER BY organization_id, system, external_id;
            DROP TABLE {old}"
        ),
    )
    .await
}

/// Drops the key on organization, row and system. PostgreSQL made its name, and cut it at 63 bytes.
async fn drop_key(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let find = format!(
        "SELECT conname::text AS name FROM pg_constraint
            WHERE conrelid = to_regclass('{table}_external_id') AND contype = 'u'"
    );
    for row in connection.query_all_raw(Statement::from_string(DbBackend::Postgres, find)).await? {
        let name: String = row.try_get("", "name")?;
        dialect::run(manager, &format!("ALTER TABLE {table}_external_id DROP CONSTRAINT \"{name}\"")).await?;
    }
    Ok(())
}
