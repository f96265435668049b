//! Index tables of columns that hold sets: one row for each item.

use entity::noun::{Field, Kind, Noun};
use sea_orm::prelude::Uuid;

use super::{
    attribute_items::{attribute_item, read},
    write::MAX_VALUES,
};
use crate::{
    Result,
    store::{
        Tx,
        erasure::mask::nothing,
        statement::{
            builder::Alias,
            cell::{Cell, CellKind, Record},
        },
    },
};

impl Tx {
    /// Inserts the items of complete rows. With `replaces`, replaces the items of rows whose sets changed.
    pub(in crate::store) async fn insert_items(
        &self,
        noun: &'static Noun,
        records: &[Record],
        replaces: bool,
    ) -> Result<()> {
        for field in noun.fields.iter().filter(|field| field.kind.is_set()) {
            // Also delete the items of an empty set: during an erasure, the set may be hidden from the transaction that
            // writes the row, and then no change is visible.
            let is_written = |record: &&Record| {
                !replaces || record.was(field.column).is_some() || *record.cell(field.column) == nothing(field)
            };
            let records: Vec<&Record> = records.iter().filter(is_written).collect();
            if replaces && !records.is_empty() {
                let ids: Vec<Uuid> = records.iter().map(|record| record.id()).collect();
                let mut sql = self.sql();
                sql.push("DELETE FROM ").name(&[noun.table, "_", field.column]).push(" AS t WHERE ");
                sql.filter_tenant(Alias::ROW, "organization_id", self.organization()).push(" AND ");
                sql.is_one_of_named(Alias::ROW, &[noun.table, "_id"], &ids).push(" RETURNING organization_id");
                self.rows(sql.finish(), &[]).await?;
            }
            let items = records.iter().flat_map(|record| {
                let id = Cell::Id(record.id());
                items(field, record.cell(field.column)).into_iter().map(move |item| (id.clone(), item))
            });
            if let Kind::Attributes { .. } = field.kind {
                let kinds = [CellKind::Id, CellKind::Text, CellKind::Text, CellKind::Float, CellKind::Int];
                let read = |(id, item): (Cell, String)| {
                    let [folded, number, instant] = read(&item);
                    [id, Cell::Text(item), folded, number, instant]
                };
                self.put_items(noun, field, ", item, value_folded, number, instant) ", kinds, items.map(read)).await?;
            } else {
                let item = |(id, item)| [id, Cell::Text(item)];
                self.put_items(noun, field, ", item) ", [CellKind::Id, CellKind::Text], items.map(item)).await?;
            }
        }
        Ok(())
    }

    async fn put_items<const N: usize>(
        &self,
        noun: &'static Noun,
        field: &'static Field,
        columns: &'static str,
        kinds: [CellKind; N],
        items: impl Iterator<Item = [Cell; N]>,
    ) -> Result<()> {
        let items: Vec<[Cell; N]> = items.collect();
        for part in items.chunks(MAX_VALUES / (N + 1)) {
            self.write_rows(part.len(), |sql| {
                sql.push("INSERT INTO ").name(&[noun.table, "_", field.column]).push(" (organization_id, ");
                sql.name(&[noun.table, "_id"]).push(columns).tenant_rows(self.organization(), kinds, part);
                sql.push(" RETURNING organization_id");
            })
            .await?;
        }
        Ok(())
    }
}

/// Returns the items of a set column for its index table.
pub(in crate::store) fn items(field: &Field, cell: &Cell) -> Vec<String> {
    let Some(text) = cell.text() else { return Vec::new() };
    let parsed: Vec<serde_json::Value> = serde_json::from_str(text).unwrap_or_default();
    let item = |value: &serde_json::Value| match field.kind {
        Kind::Attributes { .. } => Some(attribute_item(value["name"].as_str()?, value["value"].as_str()?)),
        _ => Some(value.as_str()?.to_owned()),
    };
    parsed.iter().filter_map(item).collect()
}
