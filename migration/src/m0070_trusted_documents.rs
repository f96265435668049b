//! Trusted documents, and API clients that may send nothing else.

use sea_orm_migration::prelude::*;

use crate::{dialect, noun_table::create};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let client = "ALTER TABLE api_client ADD COLUMN is_trusted_documents_only BOOLEAN NOT NULL DEFAULT FALSE";
        dialect::run(manager, client).await?;
        let table = "CREATE TABLE trusted_document (
            organization_id {uuid} NOT NULL,
            id {uuid} NOT NULL,
            version BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            name {text} NOT NULL,
            name_folded {text} NOT NULL,
            document_id {text} NOT NULL,
            operation_kind {text} NOT NULL,
            body {text} NOT NULL,
            {key}, UNIQUE (organization_id, document_id)";
        let keys = ["FOREIGN KEY (organization_id) REFERENCES organization (id)".to_owned()];
        create(manager, "trusted_document", table.to_owned(), &keys).await?;
        let orders = [("created_at", false), ("updated_at", false), ("name", false), ("operation_kind", false)];
        dialect::orders(manager, "trusted_document", &orders).await
    }
}
