//! Keys of effects that happen once: a rule that makes a row for an occurrence records the key of the occurrence with it.

use std::collections::HashSet;

use crate::{
    Result,
    store::{
        Tx,
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind},
        },
    },
};

/// Maximum number of keys in one statement.
const MOST: usize = 1_000;

impl Tx {
    /// Records keys of effects, and returns those that were not recorded before: only their effects are to be made now. A key
    /// that another transaction records at the same time is waited for.
    pub async fn first_effects(&self, keys: HashSet<String>) -> Result<HashSet<String>> {
        let mut keys: Vec<String> = keys.into_iter().collect();
        // Two transactions that record the same keys wait for each other in the same order.
        keys.sort_unstable();
        let mut first = HashSet::with_capacity(keys.len());
        for some in keys.chunks(MOST) {
            let mut sql = self.sql();
            sql.push("INSERT INTO effect_key (organization_id, effect) VALUES ").list(some, |sql, key| {
                sql.push("(").bind_tenant(self.organization()).push(", ").bind(key.as_str()).push(")");
            });
            sql.push(" ON CONFLICT DO NOTHING RETURNING organization_id, effect");
            let new = self.rows(sql.finish(), &[CellKind::Text]).await?;
            first.extend(new.iter().filter_map(|row| row.first()?.text()).map(ToOwned::to_owned));
        }
        Ok(first)
    }

    /// Forgets keys of effects, so that they may be made again.
    pub async fn forget_effects(&self, keys: &[String]) -> Result<()> {
        let keys: Vec<Cell> = keys.iter().cloned().map(Cell::Text).collect();
        for some in keys.chunks(MOST) {
            let mut sql = self.sql();
            sql.push("DELETE FROM effect_key AS t WHERE ");
            self.are(&mut sql, some);
            sql.push(" RETURNING organization_id");
            self.rows(sql.finish(), &[]).await?;
        }
        Ok(())
    }

    fn are(&self, sql: &mut Sql, keys: &[Cell]) {
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization()).push(" AND ");
        sql.is_one_of_cells(Alias::ROW, "effect", CellKind::Text, keys);
    }
}
