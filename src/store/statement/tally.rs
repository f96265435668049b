//! Counts the rows that reference each of some rows, for rules of the server.

use std::collections::HashMap;

use entity::Col;
use sea_orm::prelude::Uuid;

use super::{
    builder::Alias,
    cell::{Cell, CellKind},
    filter::Predicate,
};
use crate::{
    Result,
    store::{Connection, Scope},
};

/// The rows that reference one row.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// How many of them meet a condition.
    pub count: i64,
    /// When the newest was created, in epoch milliseconds; `None` if there are none.
    pub newest: Option<i64>,
}

impl<C: Connection> Scope<C> {
    /// Counts the rows that reference each of these rows by a column, and of those the ones that meet a condition. Rows
    /// that none references are omitted. Without a permission check; for rules that the server applies to every caller.
    pub async fn tallies<T>(
        &self,
        column: Col<T>,
        ids: &[Uuid],
        condition: &Predicate,
    ) -> Result<HashMap<Uuid, Tally>> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let noun = column.noun();
        let mut sql = self.sql();
        sql.push("SELECT ").column(Alias::ROW, noun.tenant).push(", ").column(Alias::ROW, column.name());
        sql.push(", COUNT(CASE WHEN ");
        condition.write(&mut sql, noun, self.organization(), Alias::ROW)?;
        sql.push(" THEN 1 END), MAX(").column(Alias::ROW, "created_at").push(") FROM ").name(&[noun.table]);
        sql.push(" AS ").alias(Alias::ROW).push(" WHERE ");
        sql.filter_tenant(Alias::ROW, noun, self.organization()).push(" AND ");
        sql.is_one_of(Alias::ROW, column.name(), ids).push(" GROUP BY ").column(Alias::ROW, noun.tenant).push(", ");
        sql.column(Alias::ROW, column.name());
        let rows = self.read_rows(sql.finish(), &[CellKind::Id, CellKind::Int, CellKind::Int]).await?;
        let tally = |row: &Vec<Cell>| Some((row[0].id()?, Tally { count: row[1].int()?, newest: row[2].int() }));
        Ok(rows.iter().filter_map(tally).collect())
    }
}
