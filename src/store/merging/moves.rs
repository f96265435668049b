//! Moves the references to a row to another row, in steps, with a log.

use entity::{
    merging::{self, MovedReference},
    noun::Noun,
};
use sea_orm::prelude::Uuid;

use super::state::Merge;
use crate::{
    Result,
    store::{
        Connection, Scope, Tx,
        statement::{
            builder::Alias,
            cell::{Cell, CellKind, Record, column_named},
        },
    },
};

impl<C: Connection> Scope<C> {
    /// Returns the number of rows that refer to a row, for each reference by which some do.
    pub async fn reference_counts(&self, noun: &'static Noun, id: Uuid) -> Result<Vec<(&'static MovedReference, i64)>> {
        let mut counts = Vec::new();
        for reference in merging::references(noun) {
            let other = reference.noun;
            let mut sql = self.sql();
            sql.push("SELECT ").column(Alias::ROW, other.tenant).push(", COUNT(*) FROM ").name(&[other.table]);
            sql.push(" AS t WHERE ").filter_tenant(Alias::ROW, other.tenant, self.organization()).push(" AND ");
            sql.column(Alias::ROW, reference.column).push(" = ").bind(id);
            sql.push(" GROUP BY ").column(Alias::ROW, other.tenant);
            let rows = self.read_rows(sql.finish(), &[CellKind::Int]).await?;
            counts.extend(rows.first().and_then(|row| row[0].int()).map(|count| (reference, count)));
        }
        Ok(counts)
    }
}

impl Tx {
    /// Moves up to `most` references to the merged row. Returns how many, and whether none is left.
    pub(super) async fn move_references(&self, merge: &Merge, most: usize) -> Result<(usize, bool)> {
        let mut left = most;
        for reference in merging::references(merge.noun) {
            let ids = self.referring(reference, merge.loser, left).await?;
            left -= ids.len();
            self.move_rows(merge, reference, &ids).await?;
            if left == 0 {
                return Ok((most, false));
            }
        }
        Ok((most - left, true))
    }

    /// Moves the references of these rows to the merged row, and logs them.
    pub(super) async fn move_rows(&self, merge: &Merge, reference: &MovedReference, ids: &[Uuid]) -> Result<()> {
        let moved = self.refer_to(reference, ids, (merge.loser, merge.target)).await?;
        if moved.is_empty() {
            return Ok(());
        }
        let name = reference.name();
        let rows: Vec<[Cell; 3]> =
            moved.iter().map(|id| [Cell::Id(merge.loser), Cell::Text(name.clone()), Cell::Id(*id)]).collect();
        let mut sql = self.sql();
        sql.push("INSERT INTO row_merge_move (organization_id, loser_id, reference, row_id) ");
        sql.tenant_rows(self.organization(), [CellKind::Id, CellKind::Text, CellKind::Id], &rows);
        sql.push(" ON CONFLICT (organization_id, loser_id, reference, row_id) DO NOTHING");
        self.execute(sql.finish()).await.map(drop)
    }

    /// Gives up to `most` references back that the merge moved and that nobody has changed since. Returns how many the
    /// log had, and whether it has no more.
    pub(super) async fn give_references_back(&self, merge: &Merge, most: usize) -> Result<(usize, bool)> {
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.reference, t.row_id FROM row_merge_move AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization())
            .push(" AND t.loser_id = ")
            .bind(merge.loser);
        sql.push(" ORDER BY t.reference, t.row_id LIMIT ").number(most);
        let logged = self.rows(sql.finish(), &[CellKind::Text, CellKind::Id]).await?;
        for reference in merging::references(merge.noun) {
            let name = reference.name();
            let of_it = logged.iter().filter(|row| row[0].text() == Some(name.as_str()));
            let ids: Vec<Uuid> = of_it.filter_map(|row| row[1].id()).collect();
            self.give_rows_back(merge, reference, &ids).await?;
        }
        Ok((logged.len(), logged.len() < most))
    }

    /// Gives the references of these rows back that nobody has changed since, and removes them from the log.
    pub(super) async fn give_rows_back(&self, merge: &Merge, reference: &MovedReference, ids: &[Uuid]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        self.refer_to(reference, ids, (merge.target, merge.loser)).await?;
        self.forget_moves(merge, reference, ids).await
    }

    /// Removes rows from the log: an undone merge leaves them where they are.
    pub(super) async fn forget_moves(&self, merge: &Merge, reference: &MovedReference, ids: &[Uuid]) -> Result<()> {
        let mut sql = self.sql();
        sql.push("DELETE FROM row_merge_move AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization())
            .push(" AND t.loser_id = ")
            .bind(merge.loser);
        sql.push(" AND t.reference = ").bind(reference.name()).push(" AND ").is_one_of(Alias::ROW, "row_id", ids);
        sql.push(" RETURNING organization_id");
        self.rows(sql.finish(), &[]).await.map(drop)
    }

    /// Returns those of the rows that the merge moved by a reference.
    pub(super) async fn moved_among(
        &self,
        merge: &Merge,
        reference: &MovedReference,
        ids: &[Uuid],
    ) -> Result<Vec<Uuid>> {
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.row_id FROM row_merge_move AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization())
            .push(" AND t.loser_id = ")
            .bind(merge.loser);
        sql.push(" AND t.reference = ").bind(reference.name()).push(" AND ").is_one_of(Alias::ROW, "row_id", ids);
        let rows = self.rows(sql.finish(), &[CellKind::Id]).await?;
        Ok(rows.iter().filter_map(|row| row[0].id()).collect())
    }

    /// Returns the first rows that refer to a row.
    async fn referring(&self, reference: &MovedReference, id: Uuid, most: usize) -> Result<Vec<Uuid>> {
        let noun = reference.noun;
        let mut sql = self.sql();
        sql.push("SELECT ").column(Alias::ROW, noun.tenant).push(", t.id FROM ").name(&[noun.table]);
        sql.push(" AS t WHERE ").filter_tenant(Alias::ROW, noun.tenant, self.organization()).push(" AND ");
        sql.column(Alias::ROW, reference.column).push(" = ").bind(id).push(" ORDER BY t.id LIMIT ").number(most);
        let rows = self.rows(sql.finish(), &[CellKind::Id]).await?;
        Ok(rows.iter().filter_map(|row| row[0].id()).collect())
    }

    /// Changes the references of these rows that are `from`, and returns the changed rows.
    async fn refer_to(&self, reference: &MovedReference, ids: &[Uuid], (from, to): (Uuid, Uuid)) -> Result<Vec<Uuid>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        // As stored: the visible value of the column is the other row already.
        let records = self.lock_as(reference.noun, ids, false).await?.into_values();
        let column = column_named(reference.noun, reference.column);
        let mut moving: Vec<Record> =
            records.filter(|record| record.cell(reference.column).id() == Some(from)).collect();
        moving.sort_by_key(Record::id);
        let moved = moving.iter().map(Record::id).collect();
        let changes = moving.into_iter().map(|record| (record, vec![(column, Cell::Id(to))]));
        self.change(reference.noun, changes.collect()).await?;
        Ok(moved)
    }
}
