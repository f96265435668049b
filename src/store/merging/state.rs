//! Reads the merges of rows: for progress, and for the rules about further merges.

use std::collections::HashSet;

use entity::{merging, noun::Noun};
use sea_orm::prelude::Uuid;

use super::snapshot::Snapshot;
use crate::{
    Error, Result,
    store::{
        Connection, ExternalId, Scope, Tx,
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind},
        },
    },
};

/// A merge of a row into another.
#[derive(Clone, Debug)]
pub struct Merge {
    /// Id of the merge.
    pub id: Uuid,
    /// The merged row.
    pub loser: Uuid,
    /// The row into which it was merged.
    pub winner: Uuid,
    /// The row that it is now: the winner, or the row into which that one was merged.
    pub target: Uuid,
    /// Time of the merge, in epoch milliseconds.
    pub merged_at: i64,
    /// Number of rows that were moved so far.
    pub moved: i64,
    /// Completion of the merge, in epoch milliseconds; `None` while rows are moved.
    pub done_at: Option<i64>,
    /// When it was undone, in epoch milliseconds; `None` unless rows are being given back.
    pub undone_at: Option<i64>,
    pub(super) snapshot: Option<String>,
    /// The noun.
    pub noun: &'static Noun,
}

impl Merge {
    /// Returns the external ids that the merged row had; none if a snapshot no longer exists.
    pub fn external_ids(&self) -> Result<Vec<ExternalId>> {
        let snapshot = self.snapshot.as_deref().map(Snapshot::read).transpose()?;
        Ok(snapshot.map_or(Vec::new(), |snapshot| snapshot.external_ids()))
    }

    /// Returns whether rows are being moved or given back.
    pub const fn is_running(&self) -> bool {
        self.done_at.is_none() || self.undone_at.is_some()
    }
}

const KINDS: [CellKind; 10] = [
    CellKind::Id,
    CellKind::Text,
    CellKind::Id,
    CellKind::Id,
    CellKind::Id,
    CellKind::Int,
    CellKind::Int,
    CellKind::Int,
    CellKind::Int,
    CellKind::Text,
];

impl Tx {
    /// Removes what would allow to undo the merges into a row: the data of the merged rows.
    pub(in crate::store) async fn forget_snapshots(&self, row: Uuid) -> Result<()> {
        let mut sql = self.sql();
        sql.push("UPDATE row_merge AS t SET snapshot = NULL WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization());
        sql.push(" AND t.target_id = ").bind(row).push(" AND t.undone_at IS NULL RETURNING organization_id");
        self.rows(sql.finish(), &[]).await.map(drop)
    }

    /// Removes the merges into rows that are deleted. Returns the rows into which others are being merged, which cannot
    /// be deleted yet.
    pub(in crate::store) async fn forget_merges(&self, noun: &'static Noun, ids: &[Uuid]) -> Result<HashSet<Uuid>> {
        if !merging::is_mergeable(noun) {
            return Ok(HashSet::new());
        }
        let merges = self.merges_into(ids).await?;
        let running = merges.iter().filter(|merge| merge.is_running()).map(|merge| merge.target);
        let running: HashSet<Uuid> = running.collect();
        let over: Vec<Uuid> =
            merges.iter().filter(|merge| !running.contains(&merge.target)).map(|merge| merge.loser).collect();
        if !over.is_empty() {
            let mut sql = self.sql();
            sql.push("DELETE FROM row_merge_emptied AS t WHERE ");
            sql.filter_tenant(Alias::ROW, "organization_id", self.organization());
            let log = Alias::nested('m', 1);
            sql.push(" AND t.row_id IN (SELECT ").alias(log).push(".row_id FROM row_merge_move AS ").alias(log);
            sql.push(" WHERE ");
            sql.filter_tenant_again("it removes only own rows", log, "organization_id", self.organization());
            sql.push(" AND ").is_one_of(log, "loser_id", &over).push(") RETURNING organization_id");
            self.rows(sql.finish(), &[]).await?;
            for table in ["row_merge_move", "row_merge"] {
                let mut sql = self.sql();
                sql.push("DELETE FROM ").name(&[table]).push(" AS t WHERE ");
                sql.filter_tenant(Alias::ROW, "organization_id", self.organization()).push(" AND ");
                sql.is_one_of(Alias::ROW, "loser_id", &over).push(" RETURNING organization_id");
                self.rows(sql.finish(), &[]).await?;
            }
        }
        Ok(running)
    }
}

impl<C: Connection> Scope<C> {
    /// Returns the merges into these rows, oldest first: those that became one of them, by whatever way.
    pub async fn merges_into(&self, ids: &[Uuid]) -> Result<Vec<Merge>> {
        let condition = |sql: &mut Sql| {
            sql.is_one_of(Alias::ROW, "target_id", ids);
        };
        self.merges(condition).await
    }

    /// Returns the merge of a row into another, unless it was undone and all rows were given back.
    pub async fn merge_of(&self, loser: Uuid) -> Result<Option<Merge>> {
        let condition = |sql: &mut Sql| {
            sql.push("t.loser_id = ").bind(loser);
        };
        Ok(self.merges(condition).await?.pop())
    }

    /// Returns the merges into a row, and the merge of the row that is being undone.
    pub(in crate::store) async fn merges_about(&self, row: Uuid) -> Result<Vec<Merge>> {
        let condition = |sql: &mut Sql| {
            sql.push("(t.target_id = ").bind(row).push(" OR t.loser_id = ").bind(row).push(")");
        };
        self.merges(condition).await
    }

    /// Returns whether references to a row are being moved to or from it.
    pub(in crate::store) async fn is_merging(&self, row: Uuid) -> Result<bool> {
        Ok(self.merges_about(row).await?.iter().any(Merge::is_running))
    }

    /// Returns a merge by its id.
    pub(super) async fn merge_by_id(&self, id: Uuid) -> Result<Option<Merge>> {
        let condition = |sql: &mut Sql| {
            sql.push("t.id = ").bind(id);
        };
        Ok(self.merges(condition).await?.pop())
    }

    async fn merges(&self, condition: impl FnOnce(&mut Sql)) -> Result<Vec<Merge>> {
        self.merges_in(condition, " ORDER BY t.merged_at, t.id").await
    }

    /// Returns the first merge about a row, after another one in the order of their ids.
    pub(super) async fn next_merge_about(&self, row: Uuid, after: Uuid) -> Result<Option<Merge>> {
        let condition = |sql: &mut Sql| {
            sql.push("t.id > ").bind(after).push(" AND (t.target_id = ").bind(row).push(" OR t.loser_id = ");
            sql.bind(row).push(")");
        };
        Ok(self.merges_in(condition, " ORDER BY t.id LIMIT 1").await?.pop())
    }

    async fn merges_in(&self, condition: impl FnOnce(&mut Sql), order: &'static str) -> Result<Vec<Merge>> {
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.id, t.noun, t.loser_id, t.winner_id, t.target_id, t.merged_at, ");
        sql.push("t.moved_count, t.done_at, t.undone_at, t.snapshot FROM row_merge AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization()).push(" AND ");
        condition(&mut sql);
        sql.push(order);
        let rows = self.read_rows(sql.finish(), &KINDS).await?;
        let unreadable = || Error::internal("a merge cannot be read");
        let merges = rows.iter().map(|row| {
            let [
                Cell::Id(id),
                Cell::Text(noun),
                Cell::Id(loser),
                Cell::Id(winner),
                Cell::Id(target),
                Cell::Int(merged_at),
                Cell::Int(moved),
                done_at,
                undone_at,
                snapshot,
            ] = row.as_slice()
            else {
                return Err(unreadable());
            };
            Ok(Merge {
                id: *id,
                loser: *loser,
                winner: *winner,
                target: *target,
                merged_at: *merged_at,
                moved: *moved,
                done_at: done_at.int(),
                undone_at: undone_at.int(),
                snapshot: snapshot.text().map(str::to_owned),
                noun: entity::noun_named(noun).ok_or_else(unreadable)?,
            })
        });
        merges.collect()
    }
}
