//! Mutations that replace all rows of a relation through a join table.

use entity::noun::{Noun, Relationship};

use super::input::Input;
use crate::{
    Result,
    graphql::slice::Done,
    store::{
        Tx,
        writing::{
            draft::{Outcome, Reference},
            links,
        },
    },
};

/// Replaces the rows of a relation with those that the input field of the relation's name lists.
pub(in crate::graphql) async fn named(
    tx: &Tx,
    input: &Input<'_>,
    noun: &'static Noun,
    relation: &'static Relationship,
) -> Result<Done> {
    let rows = input.list(relation.name).into_iter();
    let wanted: Vec<(Reference, Vec<i64>)> = rows
        .map(|row| Ok((Input::reference(relation.name, row, relation.target)?, Vec::new())))
        .collect::<Result<_>>()?;
    set(tx, (noun, &input.row(noun)?, input.int("expectedVersion")?), relation, wanted).await
}

/// Replaces the rows of a relation of the referenced row, with the values of the join table's further columns, and
/// increments the row's version if anything changed.
///
/// Returns user errors if more than 1,000 rows are given, or a row does not exist, is archived or is given twice.
pub async fn set(
    tx: &Tx,
    (noun, named, version): (&'static Noun, &Reference, Option<i64>),
    relation: &'static Relationship,
    wanted: Vec<(Reference, Vec<i64>)>,
) -> Result<Done> {
    let owner = match tx.lock_one(noun, noun.write, named, version).await? {
        Ok(owner) => owner,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    let found = tx.references(relation.target, wanted.iter().map(|(reference, _)| reference)).await?;
    let rows = wanted.into_iter().map(|(reference, values)| (found.get(&reference).copied(), values));
    let rows = match links::chosen(relation, rows) {
        Ok(rows) => rows,
        Err(mistakes) => return Ok(Err(mistakes)),
    };
    let id = owner.id();
    let lines = [(id, rows)];
    let archived = tx.archived_lines(relation, &lines).await?;
    if !archived.is_empty() {
        return Ok(Err(archived.into_iter().map(|(_, index)| links::archived(relation, index)).collect()));
    }
    let is_changed = tx.set_links(noun, owner, relation, &lines[0].1).await?;
    Ok(Ok((id, if is_changed { Outcome::Updated } else { Outcome::Unchanged })))
}
