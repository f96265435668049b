//! Copies a row with the rows that belong to it, based only on the descriptions of nouns.

use std::collections::{HashMap, HashSet};

use entity::{
    event::EventOperation,
    id,
    noun::{Link, Noun, Writable},
};
use sea_orm::prelude::Uuid;

use super::{
    aggregate::{Aggregate, JoinedRow, LoadedAggregate},
    links::NewLine,
};
use crate::{
    Result, UserError,
    error::Code,
    store::{
        Tx,
        statement::cell::{Cell, Column, Record},
    },
};

impl Tx {
    /// Copies a row and the rows that belong to it. Rows that reference a copied row are copied as well, link rows of
    /// copies lead to the same targets, and other references stay unchanged. `adjust` returns the value, if any, that
    /// differs in the copy of a row; lifecycle states are set to the initial state. External ids are not copied.
    /// Returns a user error for more than `most` rows and link rows.
    pub async fn copy(
        &self,
        whole: &'static Aggregate,
        root: Uuid,
        most: usize,
        adjust: impl Fn(&Record) -> Option<(Column, Cell)>,
    ) -> Result<Result<Uuid, UserError>> {
        let mut loaded = self.load_aggregate(whole, &[root], most).await?;
        if loaded.count() > most {
            let message = format!("it has more than {most} rows below it");
            return Ok(Err(UserError::new(Code::TooLong, "by", message)));
        }
        loaded.leave_out_what_names_the_missing();
        let originals = loaded.rows.iter().flat_map(|(_, rows)| rows);
        let copies: HashMap<Uuid, Uuid> = originals.map(|record| (record.id(), id::new())).collect();
        let now = Cell::Int(self.now().timestamp_millis());
        for (noun, records) in &loaded.rows {
            self.actor().require(noun.write)?;
            let rows = records.iter().map(|record| {
                let copy = record.copied(noun, &copies, adjust(record).as_ref(), &now);
                let given = copy.cells.iter().filter(|(_, cell)| !cell.is_null()).map(|(column, _)| column.field);
                let system = |field: &&str| ["id", "version", "createdAt", "updatedAt"].contains(field);
                let fields = given.filter(|field| !system(field)).collect();
                (copy, fields)
            });
            self.put(noun, rows.collect(), EventOperation::Created).await?;
        }
        for (_, relation, lines) in &loaded.lines {
            let owner = |line: &JoinedRow| copies.get(&line.from).copied().unwrap_or(line.from);
            let values = |line: &JoinedRow| line.values.iter().map(|(_, cell)| cell.clone()).collect();
            let added: Vec<NewLine> = lines.iter().map(|line| (owner(line), line.to, values(line))).collect();
            self.add_lines(relation, &added).await?;
        }
        Ok(Ok(copies[&root]))
    }
}

impl LoadedAggregate {
    /// Drops rows with a mandatory reference to a row of a loaded noun that is not loaded itself: without an archived
    /// row, the rows that require it are not copied either.
    fn leave_out_what_names_the_missing(&mut self) {
        let known: HashSet<Uuid> = self.rows.iter().flat_map(|(_, rows)| rows).map(Record::id).collect();
        let tables: HashSet<&str> = self.rows.iter().map(|(noun, _)| noun.table).collect();
        for (noun, rows) in &mut self.rows {
            let must_name = noun.relations.iter().filter_map(|relation| match relation.link {
                Link::One { column, is_nullable: false, .. } if tables.contains(relation.target.table) => Some(column),
                _ => None,
            });
            let columns: Vec<&str> = must_name.collect();
            rows.retain(|row| {
                columns.iter().all(|column| row.cell(column).id().is_some_and(|named| known.contains(&named)))
            });
        }
    }
}

impl Record {
    /// Returns the copy of a row: at version 1, not archived, and with references to copied rows replaced by references
    /// to the copies.
    fn copied(
        &self,
        noun: &'static Noun,
        copies: &HashMap<Uuid, Uuid>,
        adjusted: Option<&(Column, Cell)>,
        now: &Cell,
    ) -> Self {
        let is_reference = |name: &str| {
            noun.relations.iter().any(|known| matches!(known.link, Link::One { column, .. } if column == name))
        };
        let mut copy = self.clone();
        for (column, cell) in &mut copy.cells {
            match column.name {
                "version" => *cell = Cell::Int(1),
                "created_at" | "updated_at" => *cell = now.clone(),
                "archived_at" => *cell = Cell::Null,
                name if name == "id" || is_reference(name) => {
                    if let Some(other) = cell.id().and_then(|id| copies.get(&id)) {
                        *cell = Cell::Id(*other);
                    }
                }
                _ => {}
            }
            // Imported values describe the past of the original; the copy starts without them.
            if let Some(field) = noun.fields.iter().find(|field| field.column == column.name)
                && matches!(field.writable, Writable::Imported | Writable::Initial)
            {
                let initial = field.lifecycle.map(|lifecycle| lifecycle.initial);
                *cell = initial.map_or(Cell::Null, |state| Cell::Text(state.to_owned()));
            }
            if let Some((_, given)) = adjusted.filter(|(known, _)| known.name == column.name) {
                *cell = given.clone();
            }
        }
        copy
    }
}
