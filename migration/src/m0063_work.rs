//! Indexes of open cases and follow-ups by what is due next.

use sea_orm_migration::prelude::*;

use crate::dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Tables, what is null of a row that is not open, and the columns by which rows are somebody's work. A case without a
/// deadline comes last.
const OPEN: [(&str, &str, [&str; 2]); 2] = [
    (
        "customer_case",
        "(CASE WHEN stage NOT IN ('CLOSED') THEN COALESCE(due_at, 253402300799999) END)",
        ["assignee_id", "department_id"],
    ),
    (
        "follow_up",
        "(CASE WHEN status NOT IN ('DONE', 'SKIPPED') THEN COALESCE(due_at, 253402300799999) END)",
        ["owner_id", "department_id"],
    ),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, due, columns) in OPEN {
            for column in columns {
                let index =
                    format!("CREATE INDEX ix_{table}_{column}_due ON {table} (organization_id, {column}, {due}, id)");
                dialect::run(manager, &index).await?;
            }
        }
        Ok(())
    }
}
