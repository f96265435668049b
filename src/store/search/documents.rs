//! Entries of the index and, on `SQLite`, the documents of FTS5 that belong to them: a document is the number and the
//! words of an entry.

use sea_orm::prelude::Uuid;

use crate::{
    Error, Result,
    store::{
        Tx,
        statement::{
            builder::Sql,
            cell::{Cell, CellKind},
        },
    },
};

/// Number of documents that one statement changes.
const AT_A_TIME: usize = 5_000;

/// Kinds of what [`returned`] returns after the organization.
pub(in crate::store) const RETURNED: &[CellKind] = &[CellKind::Int, CellKind::Text];

/// The words of a source of a row.
#[derive(Debug)]
pub(super) struct Entry {
    pub row: Uuid,
    /// Name of the source.
    pub source: &'static str,
    /// The words, separated by spaces.
    pub words: String,
}

/// Appends the end of a statement that deletes entries, which returns what [`Tx::forget_documents`] takes.
pub(in crate::store) fn returned(sql: &mut Sql) {
    let is_postgres = sql.is_postgres();
    sql.push(" RETURNING organization_id, ");
    sql.push(if is_postgres { "CAST(0 AS BIGINT), ''" } else { "document, tokens" });
}

impl Tx {
    /// Removes the documents of deleted entries. PostgreSQL has none.
    pub(in crate::store) async fn forget_documents(&self, removed: &[Vec<Cell>]) -> Result<()> {
        if self.is_postgres() {
            return Ok(());
        }
        for some in removed.chunks(AT_A_TIME) {
            let mut sql = self.sql();
            sql.push("INSERT INTO search_text (search_text, rowid, tokens) VALUES ").list(some, |sql, row| {
                sql.push("('delete', ").cell(&row[0], CellKind::Int).push(", ");
                sql.cell(&row[1], CellKind::Text).push(")");
            });
            self.execute(sql.finish()).await?;
        }
        Ok(())
    }

    /// Writes entries. On PostgreSQL they replace those of the same rows and sources; on `SQLite`, there must be none.
    pub(super) async fn write_entries(&self, entries: &[Entry]) -> Result<()> {
        if self.is_postgres() {
            return self
                .write_rows(entries.len(), |sql| {
                    self.insert_entries(sql, entries);
                    sql.push(" ON CONFLICT (organization_id, row_id, source) DO UPDATE SET tokens = excluded.tokens");
                    sql.push(" RETURNING organization_id");
                })
                .await;
        }
        let mut sql = self.sql();
        self.insert_entries(&mut sql, entries);
        returned(&mut sql);
        let written = self.rows(sql.finish(), RETURNED).await?;
        if written.len() != entries.len() {
            return Err(Error::internal("entries of the search were not stored"));
        }
        self.add_documents(&written).await
    }

    /// Writes entries of rows and sources that have none.
    pub(super) async fn write_missing_entries(&self, entries: &[Entry]) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut sql = self.sql();
        self.insert_entries(&mut sql, entries);
        sql.push(" ON CONFLICT (organization_id, row_id, source) DO NOTHING");
        returned(&mut sql);
        let written = self.rows(sql.finish(), RETURNED).await?;
        self.add_documents(&written).await
    }

    fn insert_entries(&self, sql: &mut Sql, entries: &[Entry]) {
        let cells =
            |entry: &Entry| [Cell::Id(entry.row), Cell::Text(entry.source.to_owned()), Cell::Text(entry.words.clone())];
        let rows: Vec<[Cell; 3]> = entries.iter().map(cells).collect();
        sql.push("INSERT INTO search_entry (organization_id, row_id, source, tokens) ");
        sql.tenant_rows(self.organization(), [CellKind::Id, CellKind::Text, CellKind::Text], &rows);
    }

    /// Adds the documents of new entries. PostgreSQL has none.
    async fn add_documents(&self, written: &[Vec<Cell>]) -> Result<()> {
        if self.is_postgres() {
            return Ok(());
        }
        for some in written.chunks(AT_A_TIME) {
            let mut sql = self.sql();
            sql.push("INSERT INTO search_text (rowid, tokens) VALUES ").list(some, |sql, row| {
                sql.push("(").cell(&row[0], CellKind::Int).push(", ").cell(&row[1], CellKind::Text).push(")");
            });
            self.execute(sql.finish()).await?;
        }
        Ok(())
    }
}
