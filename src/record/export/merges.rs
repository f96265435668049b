//! What is kept of merges, as rows of the export of a person.

use std::collections::HashMap;

use entity::{id, personal::PERSON};
use sea_orm::prelude::Uuid;
use serde_json::{Map, Value, json};

use super::{ExportedRow, cell_as_json, happened, instant, keys_as_json};
use crate::{
    Result,
    store::{
        Scope,
        merging::{kept::Kept, state::Merge},
        statement::cell::{Cell, Column},
        transaction::history::HistoryEntry,
    },
};

/// Returns what is kept of merges as rows, in the same order.
pub(super) async fn rows(scope: &Scope, person: Uuid, kept: &[Kept]) -> Result<Vec<ExportedRow>> {
    let merged = |kept: &Kept| if let Kept::Merge(merge) = kept { Some(merge.loser) } else { None };
    let losers: Vec<Uuid> = kept.iter().filter_map(merged).collect();
    let mut events = if losers.is_empty() { HashMap::new() } else { scope.history(PERSON, &losers).await? };
    let row = |kept: &Kept| match kept {
        Kept::Merge(merge) => {
            Ok(("RowMerge", merge_as_json(merge, person, events.remove(&merge.loser).unwrap_or_default())?))
        }
        Kept::Move { loser, reference, row } => {
            let moved = json!({
                "loser": id::encode(PERSON.prefix, *loser),
                "type": reference.noun.name,
                "relation": reference.relation.name,
                "row": id::encode(reference.noun.prefix, *row),
            });
            Ok(("RowMergeMove", moved))
        }
    };
    kept.iter().map(row).collect()
}

/// Returns a merge as JSON: the merged row as it was, with its history, and the values that the other one got. While it is
/// being undone, the merged row is another person's again, and only in that person's export.
fn merge_as_json(merge: &Merge, person: Uuid, events: Vec<HistoryEntry>) -> Result<Value> {
    let is_own = merge.undone_at.is_none() || merge.loser == person;
    let mut values = Map::from_iter([
        ("loser".to_owned(), json!(id::encode(PERSON.prefix, merge.loser))),
        ("winner".to_owned(), json!(id::encode(PERSON.prefix, merge.winner))),
        ("mergedAt".to_owned(), instant(merge.merged_at)),
        ("movedCount".to_owned(), json!(merge.moved)),
        ("doneAt".to_owned(), merge.done_at.map_or(Value::Null, instant)),
    ]);
    if merge.is_kept() && is_own {
        let row = merge.row()?;
        let shown = |(column, cell): (Column, Cell)| (column.field.to_owned(), cell_as_json(PERSON, column, &cell));
        let mut row: Map<String, Value> = row.cells.into_iter().map(shown).collect();
        row.insert("externalIds".to_owned(), keys_as_json(&merge.external_ids()?));
        values.insert("row".to_owned(), row.into());
        values.insert("events".to_owned(), happened(events));
    }
    if merge.is_kept() {
        let given = merge.given()?.into_iter().map(|(column, before, after)| {
            let shown = |cell: &Cell| cell_as_json(PERSON, column, cell);
            (column.field.to_owned(), json!({ "before": shown(&before), "after": shown(&after) }))
        });
        values.insert("winnerChanges".to_owned(), given.collect());
    }
    Ok(values.into())
}
