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
    /// Records keys of effects, and returns those that were not recorded before: only their effects are to be made now. If
    /// another transaction records one at the same time, this one fails with [`Error::Collision`](crate::Error::Collision)
    /// and is tried again.
    pub async fn first_effects(&self, keys: HashSet<String>) -> Result<HashSet<String>> {
        let mut keys: Vec<String> = keys.into_iter().collect();
        // Two transactions that record the same keys wait for each other in the same order.
        keys.sort_unstable();
        let keys: Vec<Cell> = keys.into_iter().map(Cell::Text).collect();
        let mut first = HashSet::with_capacity(keys.len());
        for some in keys.chunks(MOST) {
            let mut sql = self.sql();
            sql.push("SELECT t.organization_id, t.effect FROM effect_key AS t WHERE ");
            self.are(&mut sql, some);
            let known = self.read_rows(sql.finish(), &[CellKind::Text]).await?;
            let known: HashSet<&str> = known.iter().filter_map(|row| row.first()?.text()).collect();
            let new: Vec<&str> = some.iter().filter_map(Cell::text).filter(|key| !known.contains(key)).collect();
            if new.is_empty() {
                continue;
            }
            self.insert_effects(&new).await?;
            first.extend(new.into_iter().map(ToOwned::to_owned));
        }
        Ok(first)
    }

    /// Records keys of effects that were never recorded, because the rows they are about are new.
    pub async fn record_effects(&self, keys: &[&str]) -> Result<()> {
        for some in keys.chunks(MOST) {
            self.insert_effects(some).await?;
        }
        Ok(())
    }

    async fn insert_effects(&self, keys: &[&str]) -> Result<()> {
        self.write_rows(keys.len(), |sql| {
            sql.push("INSERT INTO effect_key (organization_id, effect) VALUES ").list(keys, |sql, key| {
                sql.push("(").bind_tenant(self.organization()).push(", ").bind(*key).push(")");
            });
            sql.push(" RETURNING organization_id");
        })
        .await
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
