//! Two references of a row that never name the same row, of which a merge empties one if they would.
//!
//! The emptied reference goes on in the log as if it had moved, and a row in `row_merge_emptied` says that it stands for
//! the row that the other one names. So every undone merge that makes two of that row restores it, in whatever order
//! merges are done and undone.

use std::collections::{HashMap, HashSet};

use entity::merging::{DistinctReferences, MovedReference};
use sea_orm::prelude::Uuid;

use super::state::Merge;
use crate::{
    Result,
    store::{
        Tx,
        statement::{
            builder::Alias,
            cell::{Cell, CellKind, Column, Record, column_named},
        },
    },
};

/// The way that references go.
#[derive(Clone, Copy)]
pub(super) enum Way<'a> {
    /// From the merged row to the other one.
    There(&'a Merge),
    /// Back to the merged row, which is undone.
    Back(&'a Merge),
}

impl Way<'_> {
    /// Returns the row that the references name, and the one that they are to name.
    pub(super) const fn ends(self) -> (Uuid, Uuid) {
        match self {
            Self::There(merge) => (merge.loser, merge.target),
            Self::Back(merge) => (merge.target, merge.loser),
        }
    }
}

/// What becomes of the two references of a row.
struct Parted {
    changes: Vec<(Column, Cell)>,
    /// Whether one of them stands empty for the row that the other one names.
    is_emptied: bool,
    /// The moved ones.
    moved: Vec<MovedReference>,
}

impl Tx {
    /// Returns the first rows of a noun that would name the same row twice after the merge.
    pub(super) async fn naming_both(&self, pair: &DistinctReferences, merge: &Merge, most: usize) -> Result<Vec<Uuid>> {
        let noun = pair.noun;
        let mut sql = self.sql();
        sql.push("SELECT ").column(Alias::ROW, noun.tenant).push(", t.id FROM ").name(&[noun.table]);
        sql.push(" AS t WHERE ").filter_tenant(Alias::ROW, noun, self.organization()).push(" AND (");
        sql.column(Alias::ROW, pair.kept).push(" = ").bind(merge.loser).push(" AND ");
        sql.is_one_of(Alias::ROW, pair.emptied, &[merge.loser, merge.target]).push(" OR ");
        sql.column(Alias::ROW, pair.kept).push(" = ").bind(merge.target).push(" AND ");
        sql.column(Alias::ROW, pair.emptied).push(" = ").bind(merge.loser);
        sql.push(") ORDER BY t.id LIMIT ").number(most);
        let rows = self.rows(sql.finish(), &[CellKind::Id]).await?;
        Ok(rows.iter().filter_map(|row| row[0].id()).collect())
    }

    /// Changes one of the two references of these rows, and returns the changed ones. The rows are locked.
    pub(super) async fn refer_apart(
        &self,
        pair: &DistinctReferences,
        reference: &MovedReference,
        (ids, records): (&[Uuid], HashMap<Uuid, Record>),
        way: Way<'_>,
    ) -> Result<Vec<(MovedReference, Uuid)>> {
        let emptied = self.emptied_among(pair, ids).await?;
        // Rows that somebody deleted meanwhile are forgotten too.
        let (mut filled, mut emptying) = (emptied.clone(), Vec::new());
        let mut records: Vec<Record> = records.into_values().collect();
        records.sort_by_key(Record::id);
        let (mut moved, mut changing) = (Vec::new(), Vec::new());
        for record in records {
            let id = record.id();
            let is_emptied = emptied.contains(&id) && record.cell(pair.emptied).is_null();
            let parted = part(pair, reference, (&record, is_emptied), way);
            if parted.is_emptied {
                filled.remove(&id);
                emptying.extend((!is_emptied).then_some(id));
            }
            moved.extend(parted.moved.into_iter().map(|reference| (reference, id)));
            if !parted.changes.is_empty() {
                changing.push((record, parted.changes));
            }
        }
        self.change(reference.noun, changing).await?;
        self.note_emptied(pair, &emptying).await?;
        self.note_filled(pair, &filled.into_iter().collect::<Vec<_>>()).await?;
        Ok(moved)
    }

    /// Returns those of the rows whose reference a merge emptied.
    async fn emptied_among(&self, pair: &DistinctReferences, ids: &[Uuid]) -> Result<HashSet<Uuid>> {
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.row_id FROM row_merge_emptied AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization()).push(" AND t.reference = ");
        sql.bind(pair.emptied().name()).push(" AND ").is_one_of(Alias::ROW, "row_id", ids);
        let rows = self.rows(sql.finish(), &[CellKind::Id]).await?;
        Ok(rows.iter().filter_map(|row| row[0].id()).collect())
    }

    async fn note_emptied(&self, pair: &DistinctReferences, ids: &[Uuid]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let name = pair.emptied().name();
        let rows: Vec<[Cell; 2]> = ids.iter().map(|id| [Cell::Text(name.clone()), Cell::Id(*id)]).collect();
        let mut sql = self.sql();
        sql.push("INSERT INTO row_merge_emptied (organization_id, reference, row_id) ");
        sql.tenant_rows(self.organization(), [CellKind::Text, CellKind::Id], &rows);
        sql.push(" ON CONFLICT (organization_id, reference, row_id) DO NOTHING");
        self.execute(sql.finish()).await.map(drop)
    }

    async fn note_filled(&self, pair: &DistinctReferences, ids: &[Uuid]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut sql = self.sql();
        sql.push("DELETE FROM row_merge_emptied AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization()).push(" AND t.reference = ");
        sql.bind(pair.emptied().name()).push(" AND ").is_one_of(Alias::ROW, "row_id", ids);
        sql.push(" RETURNING organization_id");
        self.rows(sql.finish(), &[]).await.map(drop)
    }
}

/// Returns what becomes of the two references of a row when one of them is moved.
fn part(
    pair: &DistinctReferences,
    reference: &MovedReference,
    (record, is_emptied): (&Record, bool),
    way: Way<'_>,
) -> Parted {
    let (from, to) = way.ends();
    let kept = record.cell(pair.kept).id();
    let other = if is_emptied { kept } else { record.cell(pair.emptied).id() };
    let is_kept = reference.column == pair.kept;
    let named = if is_kept { kept } else { other };
    if named != Some(from) {
        return Parted { changes: Vec::new(), is_emptied, moved: Vec::new() };
    }
    // A merge makes one row of two, whichever reference names them; undoing it, each reference goes by itself.
    let is_merging = matches!(way, Way::There(_));
    let after = |id: Option<Uuid>, is_moved: bool| {
        if id == Some(from) && (is_moved || is_merging) { Some(to) } else { id }
    };
    let (kept_after, other_after) = (after(kept, is_kept), after(other, !is_kept));
    let is_one = other_after.is_some() && other_after == kept_after;
    let column = |name: &str| column_named(reference.noun, name);
    let mut changes = Vec::new();
    if is_kept {
        changes.push((column(pair.kept), Cell::Id(to)));
    }
    let emptied = if is_one { Cell::Null } else { other_after.map_or(Cell::Null, Cell::Id) };
    // The other reference of a pair that does not become one waits for its own move.
    let is_due = !is_kept || is_one || is_emptied;
    if is_due && emptied != *record.cell(pair.emptied) {
        changes.push((column(pair.emptied), emptied));
    }
    let mut moved = vec![*reference];
    if is_kept && is_merging && is_one && other == Some(from) {
        moved.push(pair.emptied());
    }
    Parted { changes, is_emptied: is_one, moved }
}
