//! Attributes as numbers and instants, and which of them an admin declared not personal.

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
        // `value_folded` is null in rows that a server from before this step wrote: they are yet to be read as numbers and
        // instants, and the partial index finds them.
        dialect::run(
            manager,
            "ALTER TABLE feedback_record_attributes ADD COLUMN value_folded {text};
            ALTER TABLE feedback_record_attributes ADD COLUMN number DOUBLE PRECISION;
            ALTER TABLE feedback_record_attributes ADD COLUMN instant BIGINT;
            CREATE INDEX ix_feedback_record_attributes_unread ON feedback_record_attributes (organization_id, item)
                WHERE value_folded IS NULL",
        )
        .await?;
        // SQLite takes foreign keys with the table only; elsewhere they are added, so that tables can be spread first.
        let is_sqlite = manager.get_connection().get_database_backend() == DbBackend::Sqlite;
        let inline = if is_sqlite { ", FOREIGN KEY (organization_id) REFERENCES organization (id)" } else { "" };
        dialect::run(
            manager,
            &format!(
                "CREATE TABLE attribute_definition (
                    organization_id {{uuid}} NOT NULL,
                    id {{uuid}} NOT NULL,
                    version BIGINT NOT NULL,
                    created_at BIGINT NOT NULL,
                    updated_at BIGINT NOT NULL,
                    noun {{text}} NOT NULL,
                    name {{text}} NOT NULL,
                    is_personal BOOLEAN NOT NULL,
                    {{key}},
                    UNIQUE (organization_id, noun, name){inline}
                )"
            ),
        )
        .await?;
        if !is_sqlite {
            dialect::run(
                manager,
                "ALTER TABLE attribute_definition ADD FOREIGN KEY (organization_id) REFERENCES organization (id)",
            )
            .await?;
        }
        let orders = [("created_at", false), ("updated_at", false), ("name", false)];
        dialect::orders(manager, "attribute_definition", &orders).await
    }
}
