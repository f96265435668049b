//! Rows of one whole that name each other are of the same whole.

use std::collections::HashMap;

use entity::noun::{Link, Noun};
use sea_orm::prelude::Uuid;

use crate::{
    Result,
    error::Code,
    store::{
        Tx,
        statement::cell::{Cell, given},
        writing::draft::Draft,
    },
};

/// Refuses drafts that name a row of the noun `target` by one of `relations` which is of another whole than they are.
/// Both nouns have the relation `whole`, in the same column.
pub(super) async fn require_same_parent(
    tx: &Tx,
    drafts: &mut [Draft],
    whole: &'static str,
    target: &'static Noun,
    relations: &[&'static str],
) -> Result<()> {
    let column = |relation: &str| -> &'static str {
        let known = drafts.first().and_then(|draft| draft.noun.relation(relation));
        match known.map(|known| &known.link) {
            Some(Link::One { column, .. }) => column,
            _ => unreachable!("rules name relations of their noun"),
        }
    };
    if drafts.is_empty() {
        return Ok(());
    }
    let whole_column = column(whole);
    let columns: Vec<(&'static str, &'static str)> = relations.iter().map(|name| (*name, column(name))).collect();
    let named: Vec<Uuid> = drafts
        .iter()
        .filter(|draft| draft.errors.is_empty())
        .flat_map(|draft| columns.iter().filter(|(_, column)| draft.gives(column)).map(|(_, column)| draft.get(column)))
        .filter_map(Cell::id)
        .collect();
    if named.is_empty() {
        return Ok(());
    }
    let wanted = [given(target, "id", Cell::Null).0, given(target, whole_column, Cell::Null).0];
    let rows = tx.by_ids_unchecked(target, &wanted, &named).await?;
    let wholes: HashMap<Uuid, Uuid> = rows.iter().filter_map(|row| row[0].id().zip(row[1].id())).collect();
    for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
        let own = draft.get(whole_column).id();
        for (name, column) in &columns {
            if let Some(id) = draft.get(column).id().filter(|_| draft.gives(column))
                && wholes.get(&id).copied() != own
            {
                let message = format!("this {} belongs to another {whole}", target.name);
                draft.refuse(Code::Invalid, &format!("{name}Ref"), message);
            }
        }
    }
    Ok(())
}
