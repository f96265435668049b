//! The value of offers in money.

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
        // Ten-thousandths of the currency of ISO 4217.
        dialect::run(
            manager,
            "ALTER TABLE offer ADD COLUMN value BIGINT;
            ALTER TABLE offer ADD COLUMN value_currency {text}",
        )
        .await?;
        dialect::orders(manager, "offer", &[("value", true)]).await
    }
}
