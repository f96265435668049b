//! Check that a row and the sibling rows it references have the same parent.

use std::collections::HashMap;

use entity::{Col, col::ColumnType, id::NounId};
use sea_orm::prelude::Uuid;

use super::draft::Draft;
use crate::{Error, Result, error::Code, store::Tx};

/// Refuses drafts that reference, through one of `columns`, a row with another parent than their own. `parent` is the
/// parent column of the drafts; `target` are the id and parent columns of the referenced rows.
pub async fn require_same_parent<P: NounId, T: NounId, C: ColumnType<Value = T>, const N: usize>(
    tx: &Tx,
    drafts: &mut [Draft],
    parent: Col<P>,
    target: (Col<T>, Col<P>),
    columns: [Col<C>; N],
) -> Result<()> {
    let named: Vec<Uuid> = drafts
        .iter()
        .filter(|draft| draft.errors.is_empty())
        .flat_map(|draft| columns.iter().filter(|column| draft.gives(**column)).filter_map(|column| draft.get(*column)))
        .map(T::uuid)
        .collect();
    if named.is_empty() {
        return Ok(());
    }
    let rows = tx.select_by_ids_unchecked(target, &named).await?;
    let parents: HashMap<Uuid, P> = rows.into_iter().map(|(id, parent)| (id.uuid(), parent)).collect();
    for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
        let own = draft.get(parent);
        for column in columns {
            if let Some(id) = draft.get(column).filter(|_| draft.gives(column))
                && parents.get(&id.uuid()).copied() != own
            {
                let (relation, parent) = (name(column)?, name(parent)?);
                let message = format!("this {} belongs to another {parent}", target.0.noun().name);
                draft.refuse(Code::Invalid, &format!("{relation}Ref"), message);
            }
        }
    }
    Ok(())
}

/// Returns the name of a column's relation in the API.
fn name<T>(column: Col<T>) -> Result<&'static str> {
    let relation = column.relation().ok_or_else(|| Error::internal(format!("{column:?} names no row")))?;
    Ok(relation.name)
}
