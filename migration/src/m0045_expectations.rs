//! The service dimension of an expectation, and where the organization learned of it.

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
        dialect::run(manager, "ALTER TABLE expectation ADD COLUMN dimension {text}").await?;
        dialect::add_reference(manager, "expectation", "discovered_in_interaction", "interaction").await?;
        dialect::add_reference(manager, "expectation", "discovered_in_feedback", "feedback_record").await
    }
}
