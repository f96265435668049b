//! Mutations that replace all rows of a relation through a join table.

use entity::noun::{Noun, Relationship};

use super::input::Input;
use crate::{
    Result, UserError,
    error::Code,
    graphql::slice::Done,
    store::{
        Tx,
        writing::draft::{Outcome, Reference},
    },
};

/// Maximum number of rows of a relation.
const MAX: usize = 1_000;

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
    if wanted.len() > MAX {
        return Ok(Err(vec![UserError::new(Code::TooLong, relation.name, format!("at most {MAX} are allowed"))]));
    }
    let owner = match tx.lock_one(noun, noun.write, named, version).await? {
        Ok(owner) => owner,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    let found = tx.references(relation.target, wanted.iter().map(|(reference, _)| reference)).await?;
    let (mut rows, mut mistakes) = (Vec::new(), Vec::new());
    for (index, (reference, values)) in wanted.into_iter().enumerate() {
        let mut refuse = |code, message: &str| {
            let path = vec![relation.name.to_owned(), index.to_string()];
            mistakes.push(UserError { code, message: message.to_owned(), path });
        };
        match found.get(&reference) {
            None => refuse(Code::NotFound, &format!("no such {}", relation.target.name)),
            Some(id) if rows.iter().any(|(known, _)| known == id) => refuse(Code::Invalid, "duplicate entry"),
            Some(id) => rows.push((*id, values)),
        }
    }
    if !mistakes.is_empty() {
        return Ok(Err(mistakes));
    }
    let id = owner.id();
    let archived = tx.archived_lines(relation, &[(id, rows.clone())]).await?;
    if !archived.is_empty() {
        let mistake = |(_, index): &(usize, usize)| {
            let message = format!("this {} is archived", relation.target.name);
            let path = vec![relation.name.to_owned(), index.to_string()];
            UserError { code: Code::Archived, message, path }
        };
        return Ok(Err(archived.iter().map(mistake).collect()));
    }
    let is_changed = tx.set_links(noun, owner, relation, &rows).await?;
    Ok(Ok((id, if is_changed { Outcome::Updated } else { Outcome::Unchanged })))
}
