//! Writes drafts: the same code for one row and for a thousand, in a fixed number of statements.

use std::collections::HashMap;

use entity::{
    Col,
    event::EventOperation,
    merging,
    noun::{Field, Noun},
};
use sea_orm::prelude::Uuid;

use super::{
    defaults::complete,
    draft::{Draft, Outcome, WriteResult},
    external_id_changes::refuse_kept,
    lifecycle::{advance, state_changes},
};
use crate::{
    Result,
    error::Code,
    store::{
        Tx,
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind, Column, Record, columns, fold},
        },
        transaction::event::Event,
    },
};

pub use crate::store::writing::hooks::{ChildOf, Hooks};

/// Values of a new row, by column.
pub type NewRow = Vec<(Column, Cell)>;

/// Maximum number of parameters that a statement binds on either database.
pub(in crate::store) const MAX_VALUES: usize = 30_000;

impl Tx {
    /// Writes drafts of one noun. With `is_all_or_nothing`, an error in one draft prevents writing any; the caller
    /// rolls back.
    pub async fn write(
        &self,
        noun: &'static Noun,
        rules: &Hooks,
        drafts: &mut [Draft],
        is_all_or_nothing: bool,
    ) -> Result<Vec<WriteResult>> {
        self.actor().require(noun.write)?;
        self.write_by_rule(noun, rules, drafts, is_all_or_nothing).await
    }

    /// Like [`Tx::write`], without a permission check: for rows that a rule of the server writes, whoever the caller is.
    pub async fn write_by_rule(
        &self,
        noun: &'static Noun,
        rules: &Hooks,
        drafts: &mut [Draft],
        is_all_or_nothing: bool,
    ) -> Result<Vec<WriteResult>> {
        self.find(noun, rules.child_of.as_ref(), drafts).await?;
        self.resolve(drafts, |_| true).await?;
        self.resolve_sets(drafts).await?;
        // The rows are found. Rules act for the organization.
        let _whole = self.for_organization();
        self.refuse_archived(noun, drafts).await?;
        self.refuse_erased(noun, drafts).await?;
        for draft in drafts.iter_mut() {
            complete(draft, self.now());
            advance(draft, self.now());
        }
        rules.prepare_all(self, drafts).await?;
        self.refuse_taken(noun, drafts).await?;
        refuse_kept(drafts);
        if let Some(child_of) = &rules.child_of {
            self.assign_positions(noun, child_of, drafts, is_all_or_nothing).await?;
            if refuse_kept(drafts) {
                // Positions are already assigned, and the positions of other parts were shifted for them.
                for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
                    draft.refuse(Code::Taken, "externalIds", "a row that exchanges external ids with this one failed");
                }
            }
        }
        let has_mistakes = drafts.iter().any(|draft| !draft.errors.is_empty());
        let mut stored = HashMap::new();
        if !(has_mistakes && is_all_or_nothing) {
            stored = self.store(noun, drafts).await?;
            rules.written_all(self, drafts).await?;
        }
        let outcome = |draft: &Draft| {
            if !draft.errors.is_empty() || (has_mistakes && is_all_or_nothing) {
                Outcome::Failed
            } else if draft.is_new() {
                Outcome::Created
            } else if draft.is_unchanged() {
                Outcome::Unchanged
            } else {
                Outcome::Updated
            }
        };
        Ok(drafts
            .iter()
            .map(|draft| {
                let outcome = outcome(draft);
                let is_there = outcome != Outcome::Failed || !draft.is_new();
                let row = match outcome {
                    Outcome::Unchanged => draft.current.clone(),
                    Outcome::Failed => None,
                    _ => stored.remove(&draft.id),
                };
                WriteResult { id: is_there.then_some(draft.id), outcome, errors: draft.errors.clone(), row }
            })
            .collect())
    }

    /// Writes the drafts without errors. Returns the written rows in their new state.
    async fn store(&self, noun: &'static Noun, drafts: &[Draft]) -> Result<HashMap<Uuid, Record>> {
        let sound = || drafts.iter().filter(|draft| draft.errors.is_empty());
        let now = Cell::Int(self.now().timestamp_millis());
        let (mut created, mut updated) = (Vec::new(), Vec::new());
        for draft in sound() {
            let changes = draft.changes();
            let mut fields: Vec<&'static str> = changes.iter().map(|(column, _)| column.field).collect();
            // An amount of money and its currency are one field.
            fields.dedup();
            if draft.changes_external_ids() {
                fields.push("externalIds");
            }
            fields.extend(&draft.changed_relations);
            if let Some(current) = &draft.current {
                if !fields.is_empty() {
                    updated.push((current.clone().changed(&changes, &now), fields));
                }
            } else {
                fields.extend(draft.lines.iter().map(|(relation, _)| relation.name));
                created.push((Record::made(noun, draft.id, &changes, &now), fields));
            }
        }
        self.know_words(drafts);
        let mut stored = self.put_rows(noun, created, EventOperation::Created).await?;
        stored.extend(self.put_rows(noun, updated, EventOperation::Updated).await?);
        self.store_external_ids(noun, drafts).await?;
        self.store_lines(drafts).await?;
        if let Some(lifecycle) = noun.lifecycle() {
            let changes = state_changes(lifecycle, drafts, self.now(), &self.actor().subject);
            if !changes.is_empty() {
                self.make_all(lifecycle.history.target, &changes).await?;
            }
        }
        self.store_related(drafts).await?;
        Ok(stored.into_iter().map(|record| (record.id(), record)).collect())
    }

    /// Sets a column of rows to null, before unique values are reassigned.
    pub async fn clear<T>(&self, column: Col<T>, ids: &[Uuid]) -> Result<()> {
        let (noun, column) = (column.noun(), column.name());
        let mut sql = self.sql();
        sql.push("UPDATE ").name(&[noun.table]).push(" AS t SET ").name(&[column]).push(" = NULL WHERE ");
        sql.filter_tenant(Alias::ROW, noun, self.organization()).push(" AND ");
        sql.is_one_of(Alias::ROW, "id", ids).push(" RETURNING ").name(&[noun.tenant]);
        self.rows(sql.finish(), &[]).await.map(drop)
    }

    /// Locks the organization against concurrent changes that must be serialized, such as changes of the shape of a
    /// tree. Does not block inserting rows that reference the organization.
    pub async fn lock_organization(&self) -> Result<()> {
        let mut sql = self.sql();
        if sql.is_postgres() {
            sql.push("SELECT t.id FROM organization AS t WHERE ");
            sql.filter_tenant(Alias::ROW, "id", self.organization()).push(" FOR NO KEY UPDATE");
            self.rows(sql.finish(), &[]).await?;
        }
        Ok(())
    }

    /// Writes complete rows and queues their events.
    pub async fn put(
        &self,
        noun: &'static Noun,
        rows: Vec<(Record, Vec<&'static str>)>,
        operation: EventOperation,
    ) -> Result<()> {
        self.put_rows(noun, rows, operation).await.map(drop)
    }

    /// Changes columns of locked rows and queues an event for each row.
    pub async fn change(&self, noun: &'static Noun, changes: Vec<(Record, Vec<(Column, Cell)>)>) -> Result<()> {
        let now = Cell::Int(self.now().timestamp_millis());
        let rows = changes.into_iter().map(|(record, changes)| {
            let fields = changes.iter().map(|(column, _)| column.field).collect();
            (record.changed(&changes, &now), fields)
        });
        self.put(noun, rows.collect(), EventOperation::Updated).await
    }

    /// Like [`Tx::put`]; returns the rows.
    pub(super) async fn put_rows(
        &self,
        noun: &'static Noun,
        rows: Vec<(Record, Vec<&'static str>)>,
        operation: EventOperation,
    ) -> Result<Vec<Record>> {
        let (records, fields): (Vec<Record>, Vec<_>) = rows.into_iter().unzip();
        self.insert(noun, &records, operation != EventOperation::Created).await?;
        for (record, fields) in records.iter().zip(fields) {
            self.count_later(noun, record, operation);
            self.note(Event { noun: noun.name, row: record.id(), operation, version: record.version(), fields });
        }
        Ok(records)
    }

    /// Inserts complete rows, or replaces the rows with the same ids. The caller must have locked rows to replace.
    pub(super) async fn insert(&self, noun: &'static Noun, records: &[Record], replaces: bool) -> Result<()> {
        let columns = columns(noun);
        let folded: Vec<&'static Field> = noun.all_fields().filter(|field| field.is_searchable).collect();
        let width = columns.len() + folded.len() + 1;
        let groups = if replaces { by_changed_references(noun, records) } else { vec![records.iter().collect()] };
        for part in groups.iter().flat_map(|group| group.chunks(MAX_VALUES / width)) {
            if replaces {
                // Other queued writes may affect the same rows.
                self.flush().await?;
            }
            self.write_rows(part.len(), |sql| {
                self.insert_rows(sql, noun, (&columns, &folded), part);
                if replaces {
                    replace(sql, noun, (&columns, &folded), part);
                }
                sql.push(" RETURNING ").name(&[noun.tenant]).push(" AS organization_id");
            })
            .await?;
            if replaces {
                self.flush().await?;
            }
        }
        self.index_rows(noun, records, replaces);
        self.insert_items(noun, records, replaces).await
    }

    fn insert_rows(
        &self,
        sql: &mut Sql,
        noun: &'static Noun,
        (columns, folded): (&[Column], &[&'static Field]),
        records: &[&Record],
    ) {
        let is_tenant_own = noun.tenant != "id";
        sql.push("INSERT INTO ").name(&[noun.table]).push(" (");
        if is_tenant_own {
            sql.name(&[noun.tenant]).push(", ");
        }
        sql.list(columns, |sql, column| {
            sql.name(&[column.name]);
        });
        for field in folded {
            sql.push(", ").name(&[field.column, "_folded"]);
        }
        let searched = |record: &Record, field: &Field| {
            record.cell(field.column).text().map_or(Cell::Null, |text| Cell::Text(fold(text)))
        };
        if sql.is_postgres() && records.len() > 1 {
            sql.push(") SELECT ");
            if is_tenant_own {
                sql.bind_tenant(self.organization()).push(", ");
            }
            sql.push("v.* FROM UNNEST(").list(columns.iter().enumerate(), |sql, (place, column)| {
                sql.array(column.kind, records.iter().map(|record| &record.cells[place].1));
            });
            for field in folded {
                sql.push(", ").array(CellKind::Text, records.iter().map(|record| searched(record, field)));
            }
            sql.push(") AS v");
            return;
        }
        sql.push(") VALUES ").list(records, |sql, record| {
            sql.push("(");
            if is_tenant_own {
                sql.bind_tenant(self.organization()).push(", ");
            }
            sql.list(&record.cells, |sql, (column, cell)| {
                sql.cell(cell, column.kind);
            });
            for field in folded {
                sql.push(", ").cell(&searched(record, field), CellKind::Text);
            }
            sql.push(")");
        });
    }
}

/// Returns the rows in groups that change the same references to rows that can be merged.
fn by_changed_references<'a>(noun: &'static Noun, records: &'a [Record]) -> Vec<Vec<&'a Record>> {
    let references: Vec<&str> = merging::columns(noun).collect();
    let mut groups: Vec<(Vec<bool>, Vec<&Record>)> = Vec::new();
    for record in records {
        let changed: Vec<bool> = references.iter().map(|column| record.was(column).is_some()).collect();
        match groups.iter_mut().find(|(known, _)| *known == changed) {
            Some((_, group)) => group.push(record),
            None => groups.push((changed, vec![record])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Appends the clause that updates an existing row. `SQLite` writes every index of a column that is set, even to the
/// same value, so only the columns that differ in at least one row are set. PostgreSQL compares the values itself, and
/// a constant statement text keeps one plan; but a reference to a row that can be merged is only set if it changes: as
/// long as the row is being merged, the row that was read names the other one, and the merge, which logs what it moves,
/// has not moved it yet.
fn replace(sql: &mut Sql, noun: &'static Noun, (columns, folded): (&[Column], &[&'static Field]), records: &[&Record]) {
    sql.push(" ON CONFLICT (");
    if noun.tenant != "id" {
        sql.name(&[noun.tenant]).push(", ");
    }
    sql.name(&["id"]).push(") DO UPDATE SET ");
    let is_postgres = sql.is_postgres();
    let is_set = |name: &str| {
        (is_postgres && merging::columns(noun).all(|column| column != name))
            || matches!(name, "version" | "updated_at")
            || records.iter().any(|record| record.was(name).is_some())
    };
    let changing = columns.iter().filter(|column| !matches!(column.name, "id" | "created_at") && is_set(column.name));
    sql.list(changing, |sql, column| {
        sql.name(&[column.name]).push(" = excluded.").name(&[column.name]);
    });
    for field in folded.iter().filter(|field| is_set(field.column)) {
        sql.push(", ").name(&[field.column, "_folded"]).push(" = excluded.").name(&[field.column, "_folded"]);
    }
}

impl Draft {
    pub(in crate::store) fn is_unchanged(&self) -> bool {
        !self.is_new() && self.changes().is_empty() && !self.changes_external_ids() && self.changed_relations.is_empty()
    }
}

impl Record {
    /// Returns a new row at version 1.
    pub(super) fn made(noun: &'static Noun, id: Uuid, values: &[(Column, Cell)], now: &Cell) -> Self {
        let cell = |column: Column| {
            let given = values.iter().rev().find(|(known, _)| known.name == column.name).map(|(_, cell)| cell.clone());
            let cell = match column.name {
                "id" => Cell::Id(id),
                "version" => Cell::Int(1),
                "created_at" | "updated_at" => now.clone(),
                _ => given.unwrap_or(Cell::Null),
            };
            (column, cell)
        };
        Self { cells: columns(noun).into_iter().map(cell).collect(), before: Vec::new() }
    }

    /// Returns the row after a change, with the next version.
    #[must_use]
    pub fn changed(mut self, changes: &[(Column, Cell)], now: &Cell) -> Self {
        let version = Cell::Int(self.version() + 1);
        for (column, cell) in &mut self.cells {
            match column.name {
                "version" => *cell = version.clone(),
                "updated_at" => *cell = now.clone(),
                name => {
                    if let Some((_, given)) = changes.iter().rev().find(|(known, _)| known.name == name)
                        && given != cell
                    {
                        let was = std::mem::replace(cell, given.clone());
                        if !self.before.iter().any(|(known, _)| known.name == name) {
                            self.before.push((*column, was));
                        }
                    }
                }
            }
        }
        self
    }
}
