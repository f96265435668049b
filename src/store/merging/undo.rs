//! Undoes a merge: the merged row and its external ids are there again at once, and gets back in steps what the merge
//! moved and nobody has moved since.

use std::{collections::HashSet, iter};

use entity::{
    event::EventOperation,
    merging::{self, MovedReference},
    noun::{Link, Noun},
};
use sea_orm::prelude::Uuid;

use super::{snapshot::Snapshot, state::Merge};
use crate::{
    Error, Result,
    store::{
        Connection, ExternalId, STEP, Scope, Tx,
        statement::{
            builder::Alias,
            cell::{Cell, CellKind, Column, Record, column_named},
            template::Templates,
        },
    },
};

/// A merge to undo, with what the noun's own rules add.
#[derive(Debug)]
pub struct Undoing {
    /// The merge.
    pub merge: Merge,
    /// Values of the merged row that differ from those before the merge.
    pub changes: Vec<(Column, Cell)>,
    /// Rows of a noun that stay with the other row.
    pub staying: Option<(&'static Noun, Vec<Uuid>)>,
    /// Rows of a noun that are given back before the first step, in the same transaction.
    pub first: Option<(&'static Noun, Vec<Uuid>)>,
}

impl Merge {
    fn snapshot(&self) -> Result<Snapshot> {
        let text = self.snapshot.as_deref().ok_or_else(|| Error::internal("the snapshot of a merge is gone"))?;
        Snapshot::read(text)
    }

    /// Returns whether the merge can be undone: its data was not erased.
    pub const fn is_kept(&self) -> bool {
        self.snapshot.is_some()
    }

    /// Returns the merged row as it was.
    pub fn row(&self) -> Result<Record> {
        Ok(self.snapshot()?.record(self.noun))
    }

    /// Returns the values that the other row got, each with the column and the value before.
    pub fn given(&self) -> Result<Vec<(Column, Cell, Cell)>> {
        Ok(self.snapshot()?.given(self.noun))
    }

    /// Returns the rows that were kept for the noun's own rules.
    pub fn kept(&self) -> Result<Vec<Uuid>> {
        Ok(self.snapshot()?.kept)
    }

    fn reference(&self, noun: &Noun) -> Result<&'static MovedReference> {
        let found = merging::references(self.noun).iter().find(|reference| reference.noun.table == noun.table);
        found.ok_or_else(|| Error::internal("rows to give back do not refer to the merged row"))
    }
}

impl<C: Connection> Scope<C> {
    /// Returns the rows above a row of a tree, nearest first, by the column that refers to the parent.
    pub async fn above(&self, noun: &'static Noun, column: &'static str, row: Uuid) -> Result<Vec<Uuid>> {
        let parents = self.chains_of(noun, column, &[row]).await?;
        let parent = |id: &Uuid| parents.get(id).copied().flatten();
        // Trees have no circles; the limit is for a database that was changed by other means.
        Ok(iter::successors(parent(&row), parent).take(parents.len()).collect())
    }
}

impl Tx {
    /// Undoes a merge. Both rows' organization must be locked.
    pub async fn undo_merge(&self, undoing: Undoing) -> Result<()> {
        self.require_whole_organization()?;
        let Undoing { merge, changes, staying, first } = undoing;
        let snapshot = merge.snapshot()?;
        let now = Cell::Int(self.now().timestamp_millis());
        let mut sql = self.sql();
        sql.push("UPDATE row_merge AS t SET undone_at = ").bind(self.now().timestamp_millis()).push(" WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization())
            .push(" AND t.loser_id = ")
            .bind(merge.loser);
        sql.push(" RETURNING organization_id");
        self.rows(sql.finish(), &[]).await?;
        self.return_merges(&merge).await?;
        // The merge itself counts as the version that it told of.
        let mut record = snapshot.record(merge.noun).changed(&changes, &now).changed(&[], &now);
        let lost = self.lost_references(merge.noun, &record.cells).await?;
        for (column, cell) in record.cells.iter_mut().filter(|(column, _)| lost.contains(column.name)) {
            debug_assert!(column.is_nullable, "a row that can be merged needs no other row");
            *cell = Cell::Null;
        }
        let given = |(column, cell): &(Column, Cell)| (!cell.is_null()).then_some(column.field);
        let system = ["id", "version", "createdAt", "updatedAt"];
        let fields = record.cells.iter().filter_map(given).filter(|field| !system.contains(field)).collect();
        self.put(merge.noun, vec![(record, fields)], EventOperation::Created).await?;
        self.flush().await?;
        let keys = self.return_external_ids(&merge, &snapshot.external_ids()).await?;
        if keys > 0 {
            self.index_all_external_ids(merge.noun, &[merge.loser, merge.target]).await?;
        }
        if keys > 0
            && let Some(winner) = self.lock(merge.noun, &[merge.target]).await?.remove(&merge.target)
        {
            let winner = winner.changed(&[], &now);
            self.put(merge.noun, vec![(winner, vec!["externalIds"])], EventOperation::Updated).await?;
        }
        if let Some((noun, ids)) = staying {
            self.forget_moves(&merge, merge.reference(noun)?, &ids).await?;
        }
        if let Some((noun, ids)) = first {
            self.give_rows_back(&merge, merge.reference(noun)?, &ids).await?;
        }
        if !self.advance_undo(&merge).await? {
            self.begin_merge_job(&merge).await?;
        }
        Ok(())
    }

    /// Gives at most [`STEP`] rows back. Returns whether the undoing is completed.
    pub(super) async fn advance_undo(&self, merge: &Merge) -> Result<bool> {
        let (_, is_last) = self.give_references_back(merge, STEP).await?;
        if is_last {
            self.take_back_values(merge).await?;
            let mut sql = self.sql();
            sql.push("DELETE FROM row_merge AS t WHERE ");
            sql.filter_tenant(Alias::ROW, "organization_id", self.organization())
                .push(" AND t.loser_id = ")
                .bind(merge.loser);
            sql.push(" RETURNING organization_id");
            self.rows(sql.finish(), &[]).await?;
        }
        Ok(is_last)
    }

    /// Returns those of the rows that the merge moved.
    pub async fn moved_by(&self, merge: &Merge, noun: &'static Noun, ids: &[Uuid]) -> Result<Vec<Uuid>> {
        self.moved_among(merge, merge.reference(noun)?, ids).await
    }

    /// Gives the other row the values before the merge, except those that have changed since.
    async fn take_back_values(&self, merge: &Merge) -> Result<()> {
        let Some(text) = merge.snapshot.as_deref() else { return Ok(()) };
        let Some(winner) = self.lock(merge.noun, &[merge.target]).await?.remove(&merge.target) else { return Ok(()) };
        let mut changes = Snapshot::read(text)?.restored(&winner);
        let own = merging::references(merge.noun).iter().find(|reference| reference.noun.table == merge.noun.table);
        if let Some(own) = own
            && let Some(parent) =
                changes.iter().find_map(|(column, cell)| cell.id().filter(|_| column.name == own.column))
        {
            let above = self.above(merge.noun, own.column, parent).await?;
            if parent == winner.id() || above.contains(&winner.id()) {
                changes.retain(|(column, _)| column.name != own.column);
            }
        }
        let lost = self.lost_references(merge.noun, &changes).await?;
        changes.retain(|(column, _)| !lost.contains(column.name));
        if changes.is_empty() {
            return Ok(());
        }
        self.change(merge.noun, vec![(winner, changes)]).await
    }

    /// Lets the rows that became the merged row before the merge be it again.
    async fn return_merges(&self, merge: &Merge) -> Result<()> {
        let (mut own, merges) = (vec![merge.loser], self.merges_into(&[merge.target]).await?);
        let mut place = 0;
        while let Some(winner) = own.get(place).copied() {
            place += 1;
            own.extend(merges.iter().filter(|known| known.winner == winner && known.id != merge.id).map(|it| it.loser));
        }
        if own.len() == 1 {
            return Ok(());
        }
        let mut sql = self.sql();
        sql.push("UPDATE row_merge AS t SET target_id = ").bind(merge.loser).push(" WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization()).push(" AND ");
        sql.is_one_of(Alias::ROW, "loser_id", &own[1..]).push(" RETURNING organization_id");
        self.rows(sql.finish(), &[]).await.map(drop)
    }

    /// Gives the merged row the external ids back that the other row still has, and returns how many.
    async fn return_external_ids(&self, merge: &Merge, keys: &[ExternalId]) -> Result<usize> {
        let (noun, mut returned) = (merge.noun, 0);
        for part in keys.chunks(1_000) {
            let mut sql = self.sql();
            sql.push("UPDATE ").name(&[noun.table, "_external_id"]).push(" AS t SET ").name(&[noun.table, "_id"]);
            sql.push(" = ").bind(merge.loser).push(" WHERE ");
            sql.filter_tenant(Alias::ROW, "organization_id", self.organization()).push(" AND ");
            sql.is_one_of_named(Alias::ROW, &[noun.table, "_id"], &[merge.target]);
            sql.push(" AND (t.system, t.external_id) IN (");
            if sql.is_postgres() {
                sql.push("SELECT * FROM UNNEST(");
                sql.array(CellKind::Text, part.iter().map(|key| Cell::Text(key.system.clone()))).push(", ");
                sql.array(CellKind::Text, part.iter().map(|key| Cell::Text(key.id.clone()))).push(")");
            } else {
                sql.push("VALUES ").list(part, |sql, key| {
                    sql.push("(").bind(key.system.as_str()).push(", ").bind(key.id.as_str()).push(")");
                });
            }
            sql.push(") RETURNING organization_id");
            returned += self.rows(sql.finish(), &[]).await?.len();
        }
        Ok(returned)
    }

    /// Returns the columns of references to rows that no longer exist.
    async fn lost_references(&self, noun: &'static Noun, cells: &[(Column, Cell)]) -> Result<HashSet<&'static str>> {
        let mut lost = HashSet::new();
        for relation in noun.relations {
            let Link::One { column, .. } = relation.link else { continue };
            let named = cells.iter().find_map(|(known, cell)| cell.id().filter(|_| known.name == column));
            let Some(id) = named else { continue };
            let own = [column_named(relation.target, "id")];
            let found = self.by_ids_unchecked(relation.target, &own, &[id], &Templates::default()).await?;
            if found.is_empty() {
                lost.insert(column);
            }
        }
        Ok(lost)
    }
}
