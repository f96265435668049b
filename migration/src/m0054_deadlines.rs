//! Deadlines of cases, whom cases wait for, and the case that an interaction is about.

use sea_orm_migration::prelude::*;

use crate::{
    dialect,
    noun_table::{create, key},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(
            manager,
            "ALTER TABLE customer_case ADD COLUMN waiting_for {text};
            ALTER TABLE customer_case ADD COLUMN due_at BIGINT",
        )
        .await?;
        dialect::orders(manager, "customer_case", &[("due_at", true)]).await?;
        dialect::add_reference(manager, "interaction", "case", "customer_case").await?;
        let table = "CREATE TABLE deadline (
            organization_id {uuid} NOT NULL,
            id {uuid} NOT NULL,
            version BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            kind {text} NOT NULL,
            policy_name {text} NOT NULL,
            policy_version BIGINT NOT NULL,
            target_minutes BIGINT NOT NULL,
            started_at BIGINT NOT NULL,
            due_at BIGINT,
            paused_at BIGINT,
            resumed_at BIGINT NOT NULL,
            completed_at BIGINT,
            elapsed BIGINT NOT NULL,
            is_paused_for_customer BOOLEAN NOT NULL,
            is_paused_for_third_party BOOLEAN NOT NULL,
            case_id {uuid} NOT NULL,
            policy_id {uuid} NOT NULL,
            calendar_id {uuid} NOT NULL,
            {key}";
        let keys = [
            "FOREIGN KEY (organization_id) REFERENCES organization (id)".to_owned(),
            key("case_id", "customer_case", "id", " ON DELETE CASCADE"),
            key("policy_id", "response_policy", "id", ""),
            key("calendar_id", "business_calendar", "id", ""),
        ];
        create(manager, "deadline", table.to_owned(), &keys).await?;
        let orders = [
            ("created_at", false),
            ("updated_at", false),
            ("started_at", false),
            ("due_at", true),
            ("completed_at", true),
        ];
        dialect::orders(manager, "deadline", &orders).await?;
        for column in ["case_id", "policy_id", "calendar_id"] {
            let index = format!("CREATE INDEX ix_deadline_{column} ON deadline (organization_id, {column}, id)");
            dialect::run(manager, &index).await?;
        }
        Ok(())
    }
}
