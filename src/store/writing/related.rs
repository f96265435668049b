//! Rows of other nouns that are made and changed together with a row, and have no own events.

use entity::Noun;

use super::{draft::Draft, write::NewRow};
use crate::{
    Result,
    store::{
        Tx,
        statement::cell::{Cell, Column, Record},
    },
};

/// A locked row, and its new values.
pub type RowChange = (Record, Vec<(Column, Cell)>);

impl Tx {
    /// Writes the related rows of the drafts without errors.
    pub(super) async fn store_related(&self, drafts: &[Draft]) -> Result<()> {
        let sound = || drafts.iter().filter(|draft| draft.errors.is_empty());
        for (noun, rows) in by_noun(sound().flat_map(|draft| draft.related_rows.iter().cloned())) {
            let rows: Vec<NewRow> = rows;
            self.make_all(noun, &rows).await?;
        }
        for (noun, changes) in by_noun(sound().flat_map(|draft| draft.related_changes.iter().cloned())) {
            self.alter(noun, changes).await?;
        }
        Ok(())
    }

    /// Changes locked rows that belong to another row's change.
    pub async fn alter(&self, noun: &'static Noun, changes: Vec<RowChange>) -> Result<()> {
        let now = Cell::Int(self.now().timestamp_millis());
        let records: Vec<Record> = changes.into_iter().map(|(row, values)| row.changed(&values, &now)).collect();
        self.insert(noun, &records, true).await
    }
}

impl Tx {
    /// Changes columns of locked rows in which the server keeps what it did with them, such as how far it has read. The
    /// version and the time of the last change stay as they are, and there are no events.
    pub async fn keep(&self, noun: &'static Noun, changes: Vec<RowChange>) -> Result<()> {
        let kept = |(row, values): RowChange| {
            let (version, updated_at) = (Cell::Int(row.version()), row.cell("updated_at").clone());
            let mut row = row.changed(&values, &updated_at);
            if let Some((_, cell)) = row.cells.iter_mut().find(|(column, _)| column.name == "version") {
                *cell = version;
            }
            row
        };
        let records: Vec<Record> = changes.into_iter().map(kept).collect();
        self.insert(noun, &records, true).await
    }
}

fn by_noun<T>(items: impl Iterator<Item = (&'static Noun, T)>) -> Vec<(&'static Noun, Vec<T>)> {
    let mut grouped: Vec<(&'static Noun, Vec<T>)> = Vec::new();
    for (noun, item) in items {
        match grouped.iter_mut().find(|(known, _)| known.table == noun.table) {
            Some((_, items)) => items.push(item),
            None => grouped.push((noun, vec![item])),
        }
    }
    grouped
}
