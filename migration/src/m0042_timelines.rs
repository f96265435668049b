//! Indexes for the timelines of customers, accounts and points. Rows without one of them are left out: most purchases
//! have no account, many interactions no point.

use sea_orm_migration::prelude::*;

use crate::dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TIMES: [(&str, &str, &[&str]); 3] = [
    ("interaction", "COALESCE(occurred_at, scheduled_at, created_at)", &["customer_id", "account_id", "point_id"]),
    ("purchase", "bought_at", &["customer_id", "account_id", "point_id"]),
    ("content_share", "shared_at", &["customer_id"]),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, time, columns) in TIMES {
            for column in columns {
                let index = format!(
                    "CREATE INDEX ix_{table}_{column}_time ON {table} (organization_id, {column}, {time}, id)
                        WHERE {column} IS NOT NULL"
                );
                dialect::run(manager, &index).await?;
            }
        }
        Ok(())
    }
}
