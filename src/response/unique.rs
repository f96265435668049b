//! Texts that only one row of a noun has.

use std::collections::HashMap;

use entity::{Col, Tenanted};
use sea_orm::{ColumnTrait, QueryFilter, prelude::Uuid};

use crate::{
    Result,
    error::Code,
    store::{Tx, statement::cell::Column, writing::draft::Draft},
};

/// Refuses drafts with a text that another row has, stored or earlier in the call. What a row of the call gives up is not
/// free for another one: both are written by one statement. `text_of` returns the text of a model and its id.
pub async fn refuse_taken<E: Tenanted>(
    tx: &Tx,
    drafts: &mut [Draft],
    column: Col<String>,
    stored: E::Column,
    text_of: fn(E::Model) -> (String, Uuid),
) -> Result<()>
where
    E::Model: Sync,
{
    let given = |draft: &Draft| draft.get(column).filter(|_| draft.errors.is_empty() && draft.gives(column));
    let texts: Vec<String> = drafts.iter().filter_map(given).collect();
    if texts.is_empty() {
        return Ok(());
    }
    let rows = tx.all_unchecked(E::find().filter(stored.is_in(texts))).await?;
    let mut owners: HashMap<String, Uuid> = rows.into_iter().map(text_of).collect();
    for draft in drafts {
        let Some(text) = given(draft) else { continue };
        if *owners.entry(text).or_insert(draft.id) != draft.id {
            let field = Column::from(column).field;
            draft.refuse(Code::Taken, field, format!("another {} has this {field}", draft.noun.singular));
        }
    }
    Ok(())
}
