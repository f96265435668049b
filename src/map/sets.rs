//! Relations through a table, made exactly what a caller says.

use entity::noun::{Noun, Relationship};

use crate::{
    Error, Result, UserError,
    error::Code,
    graphql::{input::Input, slice::Done},
    store::{
        Tx,
        draft::{Outcome, Reference},
    },
};

/// Most rows of a set.
const MOST: usize = 1_000;

/// A row that is wanted in a set, and what stands beside it.
pub(super) type Wanted = (Reference, Vec<i64>);

/// The rows of `target` that a list of the input names, with nothing beside them.
pub(super) fn named(input: &Input, field: &str, target: &Noun) -> Result<Vec<Wanted>> {
    let items = input.list(field).into_iter();
    items.map(|item| Ok((Input::reference(field, item, target)?, Vec::new()))).collect()
}

/// Makes the rows of a relation of `noun`, named as the input's field, exactly `wanted`, for the row whose `id` the
/// input gives.
pub(super) async fn set_whole(
    tx: &Tx,
    input: &Input,
    (noun, field): (&'static Noun, &'static str),
    wanted: Vec<Wanted>,
) -> Result<Done> {
    if wanted.len() > MOST {
        return Ok(Err(vec![UserError::new(Code::TooLong, field, format!("there are more than {MOST}"))]));
    }
    let relation: &'static Relationship =
        noun.relation(field).ok_or_else(|| Error::internal("what is set is a relation of the noun"))?;
    let target = relation.target;
    let version = input.int("expectedVersion")?;
    let owner = match tx.lock_one(noun, noun.write, input.id("id", noun)?, version).await? {
        Ok(owner) => owner,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    let found = tx.references(target, wanted.iter().map(|(reference, _)| reference)).await?;
    let (mut rows, mut mistakes) = (Vec::new(), Vec::new());
    for (index, (reference, values)) in wanted.into_iter().enumerate() {
        let mut refuse = |code, message: &str| {
            let path = vec![field.to_owned(), index.to_string()];
            mistakes.push(UserError { code, message: message.to_owned(), path });
        };
        match found.get(&reference) {
            None => refuse(Code::NotFound, &format!("no such {}", target.name)),
            Some(id) if rows.iter().any(|(known, _)| known == id) => refuse(Code::Invalid, "it is given twice"),
            Some(id) => rows.push((*id, values)),
        }
    }
    if !mistakes.is_empty() {
        return Ok(Err(mistakes));
    }
    let id = owner.id();
    let is_changed = tx.set_links(noun, owner, relation, &rows).await?;
    Ok(Ok((id, if is_changed { Outcome::Updated } else { Outcome::Unchanged })))
}
