//! Keeps the index in step: collects what changes in a transaction, and writes it before the commit in a fixed number of
//! statements, however many rows and nouns there are.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use entity::noun::Noun;
use sea_orm::prelude::Uuid;

pub(in crate::store) use super::documents::{RETURNED, returned};
use super::{
    documents::Entry,
    source::{Source, indexed},
    words::TextWords,
};
use crate::{
    Result,
    store::{
        Tx,
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind, Column, Record},
        },
        writing::{draft::Draft, write::MAX_VALUES},
    },
};

/// Maximum number of entries or rows that one statement removes.
const AT_A_TIME: usize = 1_000;

/// What a transaction changes in the index.
#[derive(Debug, Default)]
pub(in crate::store) struct IndexChanges {
    /// Words by row and name of their source.
    entries: BTreeMap<(Uuid, &'static str), Change>,
    /// Deleted rows.
    rows: BTreeSet<Uuid>,
    /// Words by row and column that were found before the transaction.
    known: HashMap<(Uuid, &'static str), TextWords>,
}

#[derive(Debug)]
enum Change {
    /// Of a row that the transaction creates.
    New(String),
    /// Of a row that may have an entry.
    Replaced(String),
    Removed,
}

impl IndexChanges {
    fn write(&mut self, row: Uuid, source: &'static Source, words: String, is_new: bool) {
        let key = (row, source.name.as_str());
        let is_new = is_new || matches!(self.entries.get(&key), Some(Change::New(_)));
        if is_new && words.is_empty() {
            self.entries.remove(&key);
            return;
        }
        self.entries.insert(key, if is_new { Change::New(words) } else { Change::Replaced(words) });
    }

    fn remove(&mut self, row: Uuid, source: &'static Source) {
        let key = (row, source.name.as_str());
        if matches!(self.entries.get(&key), Some(Change::New(_))) {
            self.entries.remove(&key);
        } else {
            self.entries.insert(key, Change::Removed);
        }
    }
}

impl Tx {
    /// Remembers the words of drafts that are about to be written.
    pub(in crate::store) fn know_words(&self, drafts: &[Draft]) {
        let words = drafts.iter().filter(|draft| draft.errors.is_empty());
        let words = words.flat_map(|draft| draft.words.iter().map(|words| ((draft.id, words.column), words.clone())));
        self.conn.pending().index.known.extend(words);
    }

    /// Indexes complete rows before the commit. With `replaces`, only their changed columns.
    pub(in crate::store) fn index_rows(&self, noun: &'static Noun, records: &[Record], replaces: bool) {
        for source in Source::of_noun(noun) {
            let Some(field) = source.field else { continue };
            for record in records.iter().filter(|record| !replaces || record.was(field.column).is_some()) {
                let (row, text) = (record.id(), record.cell(field.column).text());
                let known = self.conn.pending().index.known.remove(&(row, field.column));
                let words = known.zip(text).and_then(|(known, text)| known.of(text));
                let words = words.unwrap_or_else(|| indexed(self.organization(), text));
                self.conn.pending().index.write(row, source, words, !replaces);
            }
        }
    }

    /// Indexes the external ids of a row before the commit: all that it has.
    pub(in crate::store) fn index_external_ids<'a>(
        &self,
        noun: &'static Noun,
        row: Uuid,
        ids: impl IntoIterator<Item = &'a str>,
        is_new: bool,
    ) {
        if let Some(source) = Source::of_external_ids(noun) {
            let words = indexed(self.organization(), ids);
            self.conn.pending().index.write(row, source, words, is_new);
        }
    }

    /// Indexes the external ids that rows have by now before the commit.
    pub(in crate::store) async fn index_all_external_ids(&self, noun: &'static Noun, rows: &[Uuid]) -> Result<()> {
        let found = self.kept_external_ids(noun, rows, false).await?;
        for row in rows {
            let ids = found.get(row).into_iter().flatten().map(|known| known.id.as_str());
            self.index_external_ids(noun, *row, ids, false);
        }
        Ok(())
    }

    /// Indexes a text of a new row that is written without its description.
    pub(in crate::store) fn index_text(&self, noun: &'static Noun, column: Column, row: Uuid, text: &str) {
        if let Some(source) = Source::of_column(noun, column.name) {
            let words = indexed(self.organization(), [text]);
            self.conn.pending().index.write(row, source, words, true);
        }
    }

    /// Removes deleted rows from the index before the commit.
    pub(in crate::store) fn unindex_rows(&self, ids: &[Uuid]) {
        let mut pending = self.conn.pending();
        pending.index.entries.retain(|(row, _), _| !ids.contains(row));
        pending.index.rows.extend(ids);
    }

    /// Removes what an erasure empties from the index before the commit, whether or not it still stands in the rows.
    pub(in crate::store) fn unindex_erased(&self, noun: &'static Noun, ids: &[Uuid]) {
        let mut pending = self.conn.pending();
        for source in Source::of_noun(noun).filter(|source| source.is_erasable()) {
            for row in ids {
                pending.index.remove(*row, source);
            }
        }
    }

    /// Writes the collected changes.
    pub(in crate::store) async fn store_index(&self) -> Result<()> {
        let IndexChanges { entries, rows, .. } = std::mem::take(&mut self.conn.pending().index);
        let rows: Vec<Uuid> = rows.into_iter().collect();
        for some in rows.chunks(AT_A_TIME) {
            self.remove_entries(|sql| {
                sql.is_one_of(Alias::ROW, "row_id", some);
            })
            .await?;
        }
        let (mut gone, mut written) = (Vec::new(), Vec::with_capacity(entries.len()));
        for ((row, source), change) in entries {
            match change {
                Change::New(words) => written.push(Entry { row, source, words }),
                Change::Replaced(words) => {
                    // FTS5 has to be told the words that it is to forget; PostgreSQL replaces the row.
                    if !self.is_postgres() {
                        gone.push((row, source));
                    }
                    written.push(Entry { row, source, words });
                }
                Change::Removed => gone.push((row, source)),
            }
        }
        for some in gone.chunks(AT_A_TIME) {
            self.remove_entries(|sql| is_one_of_entries(sql, some)).await?;
        }
        for some in written.chunks(MAX_VALUES / 4) {
            self.write_entries(some).await?;
        }
        Ok(())
    }

    /// Removes the entries for which `condition` holds.
    async fn remove_entries(&self, condition: impl FnOnce(&mut Sql)) -> Result<()> {
        let mut sql = self.sql();
        sql.push("DELETE FROM search_entry AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization()).push(" AND ");
        condition(&mut sql);
        returned(&mut sql);
        let removed = self.rows(sql.finish(), RETURNED).await?;
        self.forget_documents(&removed).await
    }
}

/// Appends the condition that an entry has one of these rows and sources.
fn is_one_of_entries(sql: &mut Sql, entries: &[(Uuid, &'static str)]) {
    let rows: Vec<Uuid> = entries.iter().map(|(row, _)| *row).collect();
    // The rows once more by themselves, for the index.
    sql.is_one_of(Alias::ROW, "row_id", &rows).push(" AND (t.row_id, t.source) IN (");
    if sql.is_postgres() {
        sql.push("SELECT * FROM UNNEST(");
        sql.array(CellKind::Id, entries.iter().map(|(row, _)| Cell::Id(*row))).push(", ");
        sql.array(CellKind::Text, entries.iter().map(|(_, source)| Cell::Text((*source).to_owned()))).push("))");
    } else {
        sql.push("VALUES ").list(entries, |sql, (row, source)| {
            sql.push("(").bind(*row).push(", ").bind(*source).push(")");
        });
        sql.push(")");
    }
}
