//! Deletes a row with the effects that its module adds.

use sea_orm::prelude::Uuid;

use crate::{
    Result, UserError,
    error::Code,
    graphql::slice::Module,
    store::{Tx, writing::draft::Reference},
};

/// Deletes a row, if it is a part of `whole`: the column of the reference to the whole and its id.
pub async fn delete_row(
    tx: &Tx,
    module: &Module,
    id: Option<Uuid>,
    expected_version: Option<i64>,
    whole: Option<(&str, Uuid)>,
) -> Result<Result<(), UserError>> {
    let (noun, child_of) = (module.noun, module.rules.child_of.as_ref());
    tx.lock_parent(noun, child_of, id).await?;
    let record = match tx.lock_one(noun, noun.write, &Reference::Id(id), expected_version).await? {
        Ok(record) => record,
        Err(error) => return Ok(Err(error)),
    };
    if whole.is_some_and(|(column, whole)| record.cell(column).id() != Some(whole)) {
        return Ok(Err(UserError::new(Code::NotFound, "by", format!("no such {} among the parts", noun.name))));
    }
    if let Err(error) = tx.delete(noun, &record).await? {
        return Ok(Err(error));
    }
    tx.renumber(noun, child_of, &record).await?;
    (module.rules.deleted)(tx, &record).await?;
    Ok(Ok(()))
}
