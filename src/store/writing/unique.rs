//! Values that only one row of a noun has.

use std::collections::HashMap;

use entity::Noun;
use sea_orm::prelude::Uuid;

use super::draft::Draft;
use crate::{
    Result,
    error::Code,
    store::{
        Tx,
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind, Column, column_named},
        },
    },
};

impl Tx {
    /// Refuses drafts whose unique values another row has, stored or earlier in the call. What a row of the call gives up
    /// is not free for another one: both are written by one statement.
    pub(super) async fn refuse_taken(&self, noun: &'static Noun, drafts: &mut [Draft]) -> Result<()> {
        let columns: Vec<Column> = noun.unique.iter().map(|name| column_named(noun, name)).collect();
        let given = |draft: &Draft| -> Option<Vec<Cell>> {
            let is_wanted = draft.errors.is_empty() && columns.iter().any(|column| draft.gives_cell(column.name));
            let values: Vec<Cell> = columns.iter().map(|column| draft.cell(column.name).clone()).collect();
            (is_wanted && !values.iter().any(Cell::is_null)).then_some(values)
        };
        let wanted: Vec<Vec<Cell>> = drafts.iter().filter_map(given).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let statement = self.rows_like(noun, &columns, &wanted);
        let kinds: Vec<CellKind> =
            std::iter::once(CellKind::Id).chain(columns.iter().map(|column| column.kind)).collect();
        let rows = self.read_rows(statement.finish(), &kinds).await?;
        let owner = |row: Vec<Cell>| row.split_first().and_then(|(id, values)| Some((key(values), id.id()?)));
        let mut owners: HashMap<String, Uuid> = rows.into_iter().filter_map(owner).collect();
        for draft in drafts {
            let Some(values) = given(draft) else { continue };
            if *owners.entry(key(&values)).or_insert(draft.id) != draft.id {
                let fields: Vec<&str> = columns.iter().map(|column| column.field).collect();
                let message = format!("another {} has this {}", noun.singular, fields.join(" and "));
                draft.refuse(Code::Taken, fields.last().copied().unwrap_or_default(), message);
            }
        }
        Ok(())
    }

    /// Selects the ids and unique values of the rows that have, column by column, values of `wanted`.
    fn rows_like(&self, noun: &'static Noun, columns: &[Column], wanted: &[Vec<Cell>]) -> Sql {
        let mut sql = self.sql();
        sql.push("SELECT ").column(Alias::ROW, noun.tenant).push(", ").column(Alias::ROW, "id");
        for column in columns {
            sql.push(", ").column(Alias::ROW, column.name);
        }
        sql.push(" FROM ").name(&[noun.table]).push(" AS ").alias(Alias::ROW).push(" WHERE ");
        sql.filter_tenant(Alias::ROW, noun, self.organization());
        for (place, column) in columns.iter().enumerate() {
            let cells: Vec<Cell> = wanted.iter().filter_map(|values| values.get(place)).cloned().collect();
            sql.push(" AND ").is_one_of_cells(Alias::ROW, column.name, column.kind, &cells);
        }
        sql
    }
}

/// Returns a text that only equal values share: texts are quoted in it.
fn key(values: &[Cell]) -> String {
    format!("{values:?}")
}
