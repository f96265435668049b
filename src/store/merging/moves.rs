//! Moves the references to a row to another row, in steps, with a log.

use entity::{
    merging::{self, DistinctReferences, MovedReference},
    noun::Noun,
};
use sea_orm::prelude::Uuid;

use super::{distinct::Way, state::Merge};
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

/// Rows that a merge would change by one of their references.
#[derive(Clone, Copy, Debug)]
pub struct ReferenceCount {
    /// The reference.
    pub reference: &'static MovedReference,
    /// Number of rows, at least 1.
    pub rows: i64,
    /// Number of these whose reference becomes empty.
    pub emptied: i64,
}

impl<C: Connection> Scope<C> {
    /// Returns the number of rows that a merge of `loser` into `winner` would change, for each reference by which it
    /// changes some.
    pub async fn reference_counts(
        &self,
        noun: &'static Noun,
        (winner, loser): (Uuid, Uuid),
    ) -> Result<Vec<ReferenceCount>> {
        let mut counts = Vec::new();
        for reference in merging::references(noun) {
            let mut rows = self.count_of(reference.noun, &[(reference.column, loser)]).await?;
            let mut emptied = 0;
            if let Some(pair) = DistinctReferences::of(reference.noun).filter(|pair| pair.emptied == reference.column) {
                let beside = self.count_of(pair.noun, &[(pair.kept, loser), (pair.emptied, winner)]).await?;
                emptied = beside + self.count_of(pair.noun, &[(pair.kept, winner), (pair.emptied, loser)]).await?;
                rows += beside;
            }
            if rows > 0 {
                counts.push(ReferenceCount { reference, rows, emptied });
            }
        }
        Ok(counts)
    }

    /// Returns the number of rows with these references.
    pub(super) async fn count_of(&self, noun: &'static Noun, references: &[(&'static str, Uuid)]) -> Result<i64> {
        let mut sql = self.sql();
        sql.push("SELECT ").column(Alias::ROW, noun.tenant).push(", COUNT(*) FROM ").name(&[noun.table]);
        sql.push(" AS t WHERE ").filter_tenant(Alias::ROW, noun, self.organization());
        for (column, id) in references {
            sql.push(" AND ").column(Alias::ROW, column).push(" = ").bind(*id);
        }
        sql.push(" GROUP BY ").column(Alias::ROW, noun.tenant);
        let rows = self.read_rows(sql.finish(), &[CellKind::Int]).await?;
        Ok(rows.first().and_then(|row| row[0].int()).unwrap_or_default())
    }
}

impl Tx {
    /// Moves up to `most` references to the merged row. Returns how many, and whether none is left.
    pub(super) async fn move_references(&self, merge: &Merge, most: usize) -> Result<(usize, bool)> {
        let mut left = most;
        let references = merging::references(merge.noun);
        // First the rows that name both: until then they show the same row twice.
        for pair in &merging::DISTINCT {
            let of_pair = |reference: &&MovedReference| reference.noun.table == pair.noun.table;
            let mut of_pair = references.iter().filter(of_pair).peekable();
            if of_pair.peek().is_none() {
                continue;
            }
            let ids = self.naming_both(pair, merge, left).await?;
            left -= ids.len();
            for reference in of_pair {
                self.move_rows(merge, reference, &ids).await?;
            }
            if left == 0 {
                return Ok((most, false));
            }
        }
        for reference in references {
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
        let moved = self.refer_to(reference, ids, Way::There(merge)).await?;
        if moved.is_empty() {
            return Ok(());
        }
        let rows: Vec<[Cell; 3]> = moved
            .iter()
            .map(|(reference, id)| [Cell::Id(merge.loser), Cell::Text(reference.name()), Cell::Id(*id)])
            .collect();
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
        self.refer_to(reference, ids, Way::Back(merge)).await?;
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
        sql.push(" AS t WHERE ").filter_tenant(Alias::ROW, noun, self.organization()).push(" AND ");
        sql.column(Alias::ROW, reference.column).push(" = ").bind(id).push(" ORDER BY t.id LIMIT ").number(most);
        let rows = self.rows(sql.finish(), &[CellKind::Id]).await?;
        Ok(rows.iter().filter_map(|row| row[0].id()).collect())
    }

    /// Changes the references of these rows, and returns the changed ones.
    async fn refer_to(
        &self,
        reference: &MovedReference,
        ids: &[Uuid],
        way: Way<'_>,
    ) -> Result<Vec<(MovedReference, Uuid)>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        // As stored: the visible value of the column is the other row already.
        let records = self.lock_as(reference.noun, ids, false).await?;
        if let Some(pair) = DistinctReferences::of(reference.noun) {
            return self.refer_apart(pair, reference, (ids, records), way).await;
        }
        let (from, to) = way.ends();
        let mut moving: Vec<Record> =
            records.into_values().filter(|record| record.cell(reference.column).id() == Some(from)).collect();
        moving.sort_by_key(Record::id);
        let moved = moving.iter().map(|record| (*reference, record.id())).collect();
        let column = column_named(reference.noun, reference.column);
        let changes = moving.into_iter().map(|record| (record, vec![(column, Cell::Id(to))]));
        self.change(reference.noun, changes.collect()).await?;
        Ok(moved)
    }
}
