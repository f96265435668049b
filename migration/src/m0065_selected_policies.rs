//! Filters of response policies, and the policies that rules and people select by reference instead of by name.

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
        dialect::run(manager, "ALTER TABLE response_policy ADD COLUMN filter {text}").await?;
        for table in ["customer_case", "routing_rule", "routing"] {
            dialect::add_reference(manager, table, "response_policy", "response_policy").await?;
        }
        for table in ["routing_rule", "routing"] {
            dialect::run(
                manager,
                &format!(
                    "UPDATE {table} SET response_policy_id = (SELECT p.id FROM response_policy AS p
                        WHERE p.organization_id = {table}.organization_id AND p.name = {table}.response_policy)
                        WHERE response_policy IS NOT NULL;
                    ALTER TABLE {table} DROP COLUMN response_policy"
                ),
            )
            .await?;
        }
        Ok(())
    }
}
