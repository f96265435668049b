//! The words that the search finds: one entry for each searchable column of a row, and for its external ids.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend, Statement, prelude::Uuid},
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
        let is_sqlite = manager.get_connection().get_database_backend() == DbBackend::Sqlite;
        dialect::run(manager, if is_sqlite { SQLITE } else { POSTGRES }).await?;
        // Texts that the search finds, and therefore filters too.
        dialect::run(
            manager,
            "ALTER TABLE journey ADD COLUMN summary_folded {text}; ALTER TABLE occasion ADD COLUMN name_folded {text}",
        )
        .await?;
        fold(manager, "journey", "summary").await?;
        fold(manager, "occasion", "name").await?;
        // What exists is indexed in steps, after the migration: one job for each organization, which any server continues.
        let id = if is_sqlite { "randomblob(16)" } else { "gen_random_uuid()" };
        dialect::run(
            manager,
            &format!(
                "INSERT INTO job (organization_id, id, kind, row_id, progress, steps, stepped_at)
                    SELECT o.id, {id}, 'SEARCH_INDEX', o.id, '', 0, 0 FROM organization AS o"
            ),
        )
        .await
    }
}

/// Writes the folded copies of a column, of which there are few.
async fn fold(manager: &SchemaManager<'_>, table: &str, column: &str) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let backend = connection.get_database_backend();
    let find = format!("SELECT organization_id, id, {column} FROM {table} WHERE {column} IS NOT NULL");
    for row in connection.query_all_raw(Statement::from_string(backend, find)).await? {
        let (organization, id): (Uuid, Uuid) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let text: String = row.try_get_by_index(2)?;
        let places = if backend == DbBackend::Sqlite { ["?", "?", "?"] } else { ["$1", "$2", "$3"] };
        let update = format!(
            "UPDATE {table} SET {column}_folded = {} WHERE organization_id = {} AND id = {}",
            places[0], places[1], places[2]
        );
        let values = [text.to_lowercase().replace('ς', "σ").into(), organization.into(), id.into()];
        connection.execute_raw(Statement::from_sql_and_values(backend, update, values)).await?;
    }
    Ok(())
}

/// FTS5 finds an entry by the number in `document`, which VACUUM keeps because it is the key. `ascii` separates words at
/// spaces only: the words consist of other characters. Sizes of documents serve only to rank.
const SQLITE: &str = "CREATE TABLE search_entry (
        document INTEGER PRIMARY KEY,
        organization_id {uuid} NOT NULL REFERENCES organization (id),
        row_id {uuid} NOT NULL,
        source {text} NOT NULL,
        tokens {text} NOT NULL,
        UNIQUE (organization_id, row_id, source)
    );
    CREATE VIRTUAL TABLE search_text USING fts5(
        tokens, content = 'search_entry', content_rowid = 'document', columnsize = 0, tokenize = 'ascii'
    );
    INSERT INTO search_text (search_text, rank) VALUES ('secure-delete', 1)";

/// The words begin with a part of the organization's id, so that the index needs no other column to keep organizations
/// apart. A planner that believes in few organizations prefers this index to the key when it looks for words.
const POSTGRES: &str = "CREATE TABLE search_entry (
        organization_id {uuid} NOT NULL REFERENCES organization (id),
        row_id {uuid} NOT NULL,
        source {text} NOT NULL,
        tokens {text} NOT NULL,
        document TSVECTOR NOT NULL GENERATED ALWAYS AS (array_to_tsvector(string_to_array(tokens, ' '))) STORED,
        PRIMARY KEY (organization_id, row_id, source)
    );
    ALTER TABLE search_entry ALTER COLUMN organization_id SET (n_distinct = 4);
    CREATE INDEX ix_search_entry ON search_entry USING GIN (document)";
