//! Imports and their lines.

use sea_orm_migration::prelude::*;

use crate::{
    dialect,
    noun_table::{create, key},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const IMPORT: &str = "CREATE TABLE import (
    organization_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    row_type {text} NOT NULL,
    format {text} NOT NULL,
    encoding {text} NOT NULL,
    delimiter {text} NOT NULL,
    columns {text} NOT NULL,
    mode {text} NOT NULL,
    on_null {text} NOT NULL,
    is_dry_run BOOLEAN NOT NULL,
    max_failures BIGINT,
    state {text} NOT NULL,
    file_columns {text},
    line_count BIGINT NOT NULL,
    created_count BIGINT NOT NULL,
    updated_count BIGINT NOT NULL,
    unchanged_count BIGINT NOT NULL,
    failed_count BIGINT NOT NULL,
    failure {text},
    uploaded_at BIGINT,
    ended_at BIGINT,
    subject {text} NOT NULL,
    scopes {text} NOT NULL,
    {key}";

const LINE: &str = "CREATE TABLE import_line (
    organization_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    line_number BIGINT NOT NULL,
    outcome {text} NOT NULL,
    written_id {text},
    errors {text},
    content {text},
    import_id {uuid} NOT NULL,
    {key}";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let own = || "FOREIGN KEY (organization_id) REFERENCES organization (id)".to_owned();
        create(manager, "import", IMPORT.to_owned(), &[own()]).await?;
        dialect::orders(manager, "import", &[("created_at", false), ("updated_at", false), ("state", false)]).await?;
        let import = key("import_id", "import", "id", " ON DELETE CASCADE");
        create(manager, "import_line", LINE.to_owned(), &[own(), import]).await?;
        let orders = [("created_at", false), ("updated_at", false), ("line_number", false)];
        dialect::orders(manager, "import_line", &orders).await?;
        dialect::run(
            manager,
            "CREATE INDEX ix_import_line_import_id ON import_line (organization_id, import_id, id);
            CREATE INDEX ix_import_line_open ON import_line (organization_id, import_id, id)
                WHERE outcome = 'UNPROCESSED'",
        )
        .await
    }
}
