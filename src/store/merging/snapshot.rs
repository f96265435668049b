//! What a merge keeps in order to be undone: the merged row with its external ids, and what the other row was given.

use std::collections::BTreeMap;

use entity::noun::Noun;
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Error, Result,
    store::{
        ExternalId,
        erasure::mask,
        statement::cell::{Cell, CellKind, Column, Record, columns},
    },
};

/// The state before a merge. Removed when the person is erased.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Snapshot {
    /// Values of the merged row, by column.
    row: BTreeMap<String, Value>,
    /// Its external ids: system and id.
    keys: Vec<(String, String)>,
    /// Columns of the other row that the merge changed, each with the value before and after.
    changed: BTreeMap<String, (Value, Value)>,
    /// Rows that the noun's own rules need to undo the merge.
    pub kept: Vec<Uuid>,
}

impl Snapshot {
    /// Takes a snapshot. `winner` is the other row with its changes.
    pub(super) fn take(loser: &Record, keys: &[ExternalId], winner: &Record, kept: Vec<Uuid>) -> Self {
        let row = loser.cells.iter().map(|(column, cell)| (column.name.to_owned(), json(cell))).collect();
        let keys = keys.iter().map(|key| (key.system.clone(), key.id.clone())).collect();
        let change = |(column, before): &(Column, Cell)| {
            (column.name.to_owned(), (json(before), json(winner.cell(column.name))))
        };
        Self { row, keys, changed: winner.before.iter().map(change).collect(), kept }
    }

    /// Returns the snapshot as text.
    pub(super) fn text(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// Reads a snapshot.
    pub(super) fn read(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|_| Error::internal("the snapshot of a merge cannot be read"))
    }

    /// Returns the merged row. A column that the noun got since is empty.
    pub(super) fn record(&self, noun: &'static Noun) -> Record {
        let value = |column: Column| {
            let known = self.row.get(column.name).map(|value| cell(value, column.kind));
            let empty =
                || noun.all_fields().find(|field| field.column == column.name).map_or(Cell::Null, mask::nothing);
            (column, known.unwrap_or_else(empty))
        };
        Record { cells: columns(noun).into_iter().map(value).collect(), before: Vec::new() }
    }

    /// Returns the external ids of the merged row.
    pub(super) fn external_ids(&self) -> Vec<ExternalId> {
        self.keys.iter().map(|(system, id)| ExternalId { system: system.clone(), id: id.clone() }).collect()
    }

    /// Returns the columns of the other row that the merge changed, each with the value before and after.
    pub(super) fn given(&self, noun: &'static Noun) -> Vec<(Column, Cell, Cell)> {
        let change = |column: Column| {
            let (before, after) = self.changed.get(column.name)?;
            Some((column, cell(before, column.kind), cell(after, column.kind)))
        };
        columns(noun).into_iter().filter_map(change).collect()
    }

    /// Returns the changes that give a row the values before the merge, except where the value has changed since.
    pub(super) fn restored(&self, winner: &Record) -> Vec<(Column, Cell)> {
        let before = |(column, now): &(Column, Cell)| {
            let (before, after) = self.changed.get(column.name)?;
            (cell(after, column.kind) == *now).then(|| (*column, cell(before, column.kind)))
        };
        winner.cells.iter().filter_map(before).collect()
    }
}

fn json(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Id(id) => Value::from(id.to_string()),
        Cell::Text(text) => Value::from(text.as_str()),
        Cell::Int(number) => Value::from(*number),
        Cell::Float(number) => Value::from(*number),
        Cell::Bool(value) => Value::from(*value),
    }
}

fn cell(value: &Value, kind: CellKind) -> Cell {
    let known = match kind {
        CellKind::Id => value.as_str().and_then(|text| Uuid::parse_str(text).ok()).map(Cell::Id),
        CellKind::Text => value.as_str().map(|text| Cell::Text(text.to_owned())),
        CellKind::Int => value.as_i64().map(Cell::Int),
        CellKind::Float => value.as_f64().map(Cell::Float),
        CellKind::Bool => value.as_bool().map(Cell::Bool),
    };
    known.unwrap_or(Cell::Null)
}
