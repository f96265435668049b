//! The values that a merge gives to the row that remains, and its place in a tree.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use entity::{Noun, account, customer, kind::Kind};
use sea_orm::prelude::Uuid;

use crate::{
    Result,
    store::{
        Tx,
        merging::state::Merge,
        statement::cell::{Cell, Column, Record},
    },
};

/// Returns the values that the winner gets from the loser: those that it lacks, and the items of both sets. The primary
/// contacts and the place in the tree have rules of their own.
pub(super) fn filled(noun: &'static Noun, winner: &Record, loser: &Record) -> Vec<(Column, Cell)> {
    let apart: [Column; 3] = [customer::EMAIL.into(), customer::PHONE.into(), account::PARENT_ID.into()];
    let is_apart = |name: &str| {
        apart.iter().any(|column| column.name == name)
            || ["erased_at", "archived_at"].contains(&name)
            || noun.system.iter().any(|field| field.column == name)
    };
    let mut changes = Vec::new();
    for (column, cell) in winner.cells.iter().filter(|(column, _)| !is_apart(column.name)) {
        let other = loser.cell(column.name);
        let field = noun.fields.iter().find(|field| field.column == column.name);
        let new = match field.map(|field| field.kind) {
            Some(Kind::Tags { most, .. }) => united_tags(cell, other, most),
            Some(Kind::Attributes { most, .. }) => united_attributes(cell, other, most),
            _ if cell.is_null() => other.clone(),
            _ => continue,
        };
        if new != *cell {
            changes.push((*column, new));
        }
    }
    changes
}

/// Returns the tags of the winner and as many of the loser's as there is room for, in alphabetical order.
fn united_tags(own: &Cell, other: &Cell, most: usize) -> Cell {
    let read = |cell: &Cell| -> Vec<String> { serde_json::from_str(cell.text().unwrap_or("[]")).unwrap_or_default() };
    let mut tags: BTreeSet<String> = read(own).into_iter().collect();
    for tag in read(other) {
        if tags.len() < most {
            tags.insert(tag);
        }
    }
    Cell::Text(serde_json::json!(tags).to_string())
}

/// Returns the attributes of the winner and as many of the loser's with other names as there is room for, by name.
fn united_attributes(own: &Cell, other: &Cell, most: usize) -> Cell {
    let read = |cell: &Cell| -> Vec<(String, serde_json::Value)> {
        let items: Vec<serde_json::Value> = serde_json::from_str(cell.text().unwrap_or("[]")).unwrap_or_default();
        items.into_iter().filter_map(|item| Some((item.get("name")?.as_str()?.to_owned(), item))).collect()
    };
    let mut attributes: BTreeMap<String, serde_json::Value> = read(own).into_iter().collect();
    for (name, item) in read(other) {
        if attributes.len() < most {
            attributes.entry(name).or_insert(item);
        }
    }
    let items: Vec<serde_json::Value> = attributes.into_values().collect();
    Cell::Text(serde_json::json!(items).to_string())
}

/// Returns the new parent of the winner, if it changes: a winner below the loser takes the loser's place; one without a
/// parent gets that of the loser, unless that is the winner or below it.
pub(super) async fn new_parent(tx: &Tx, winner: &Record, loser: &Record) -> Result<Option<Cell>> {
    let (own, column) = (winner.id(), account::PARENT_ID.name());
    let parent = loser.cell(column);
    if tx.above(&account::NOUN, column, own).await?.contains(&loser.id()) {
        return Ok(Some(parent.clone()));
    }
    let Some(wanted) = parent.id().filter(|_| winner.cell(column).is_null()) else { return Ok(None) };
    let is_below = wanted == own || tx.above(&account::NOUN, column, wanted).await?.contains(&own);
    Ok((!is_below).then(|| parent.clone()))
}

/// Returns the changes of an account that exists again: none, or no parent if an account that it gets back is above that
/// now.
pub(super) async fn placed(tx: &Tx, merge: &Merge) -> Result<Vec<(Column, Cell)>> {
    let column = account::PARENT_ID.name();
    let Some(parent) = merge.row()?.cell(column).id() else { return Ok(Vec::new()) };
    let mut above = vec![parent];
    above.extend(tx.above(&account::NOUN, column, parent).await?);
    let returning: HashSet<Uuid> = tx.moved_by(merge, &account::NOUN, &above).await?.into_iter().collect();
    let is_cycle = above.iter().any(|id| returning.contains(id));
    Ok(if is_cycle { vec![(account::PARENT_ID.into(), Cell::Null)] } else { Vec::new() })
}
