//! Sets of a row: the lines of a table between two nouns are set whole.

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

/// Most rows of a set.
const MAX: usize = 1_000;

/// Makes the rows of a relation exactly those that the input field of its name names.
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

/// Makes the rows of a relation of the named row of this version exactly these, each with what its line says besides,
/// and bumps the row's version. Refuses more than 1,000, and rows that are not there or given twice.
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
            let message = format!("this {} is in the archive", relation.target.name);
            let path = vec![relation.name.to_owned(), index.to_string()];
            UserError { code: Code::Archived, message, path }
        };
        return Ok(Err(archived.iter().map(mistake).collect()));
    }
    let is_changed = tx.set_links(noun, owner, relation, &rows).await?;
    Ok(Ok((id, if is_changed { Outcome::Updated } else { Outcome::Unchanged })))
}
