//! Reads what is kept of the merges of a person, in pages: the merges, and after each of them the log of what it moved.

use entity::{
    merging::{self, MovedReference},
    personal::PERSON,
};
use sea_orm::prelude::Uuid;

use super::state::Merge;
use crate::{
    Result,
    store::{
        Connection, Scope,
        statement::{
            builder::Alias,
            cell::{Cell, CellKind},
        },
    },
};

/// Something that is kept of a merge.
#[derive(Debug)]
pub enum Kept {
    /// The merge, with what undoing it needs.
    Merge(Box<Merge>),
    /// A reference that it moved.
    Move {
        /// The merged person.
        loser: Uuid,
        /// The reference.
        reference: &'static MovedReference,
        /// The row that refers to the person.
        row: Uuid,
    },
}

/// A position in this order: the next page begins after it. The default is the start.
#[derive(Clone, Debug, Default)]
pub struct KeptPlace {
    /// Id of the merge.
    pub merge: Uuid,
    /// The reference that was moved, and the row; `None` before the log of the merge.
    pub moved: Option<(&'static MovedReference, Uuid)>,
}

impl KeptPlace {
    /// Returns the reference with this name.
    pub fn reference(name: &str) -> Option<&'static MovedReference> {
        merging::references(PERSON).iter().find(|reference| reference.name() == name)
    }
}

impl<C: Connection> Scope<C> {
    /// Returns what is kept of the merges of a person after a position, at most `most`, each with its own position.
    pub async fn kept_of_merges(&self, person: Uuid, place: &KeptPlace, most: usize) -> Result<Vec<(Kept, KeptPlace)>> {
        let (mut found, mut at) = (Vec::new(), place.clone());
        let mut merge = if at.merge.is_nil() { None } else { self.merge_by_id(at.merge).await? };
        // The log of a merge that was undone meanwhile is gone.
        merge = merge.filter(|merge| merge.target == person || merge.loser == person);
        while found.len() < most {
            if let Some(merge) = merge.take() {
                let moves = self.moves_of(&merge, at.moved, most - found.len()).await?;
                found.extend(moves.into_iter().map(|(reference, row)| {
                    let place = KeptPlace { merge: merge.id, moved: Some((reference, row)) };
                    (Kept::Move { loser: merge.loser, reference, row }, place)
                }));
                at = KeptPlace { merge: merge.id, moved: None };
                continue;
            }
            let Some(next) = self.next_merge_about(person, at.merge).await? else { break };
            at = KeptPlace { merge: next.id, moved: None };
            found.push((Kept::Merge(Box::new(next.clone())), at.clone()));
            merge = Some(next);
        }
        Ok(found)
    }

    /// Returns the first rows of the log of a merge after a position.
    async fn moves_of(
        &self,
        merge: &Merge,
        after: Option<(&'static MovedReference, Uuid)>,
        most: usize,
    ) -> Result<Vec<(&'static MovedReference, Uuid)>> {
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.reference, t.row_id FROM row_merge_move AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization()).push(" AND t.loser_id = ");
        sql.bind(merge.loser);
        if let Some((reference, row)) = after {
            sql.push(" AND (t.reference, t.row_id) > (").bind(reference.name()).push(", ").bind(row).push(")");
        }
        sql.push(" ORDER BY t.reference, t.row_id LIMIT ").number(most);
        let rows = self.read_rows(sql.finish(), &[CellKind::Text, CellKind::Id]).await?;
        let read = |row: &Vec<Cell>| KeptPlace::reference(row[0].text()?).zip(row[1].id());
        Ok(rows.iter().filter_map(read).collect())
    }
}
