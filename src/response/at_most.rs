//! Limits of how many rows of a noun an organization has.

use entity::{Col, col::ColumnType};

use crate::{
    Result,
    error::Code,
    store::{Tx, statement::filter::Predicate, writing::draft::Draft},
};

/// Refuses new rows beyond the first `most` of a noun, whose ids are in `id`, archived rows included.
pub(super) async fn at_most<T: ColumnType>(tx: &Tx, drafts: &mut [Draft], id: Col<T>, most: usize) -> Result<()> {
    let is_new = |draft: &Draft| draft.errors.is_empty() && draft.is_new();
    if !drafts.iter().any(is_new) {
        return Ok(());
    }
    // Two at once could both make the last one.
    tx.lock_organization().await?;
    let mut known = tx.select_where_unchecked((id,), &Predicate::always(), most).await?.len();
    for draft in drafts.iter_mut().filter(|draft| is_new(draft)) {
        known += 1;
        if known > most {
            let message = format!("the organization has {most} {}; change or delete one of them", draft.noun.plural);
            draft.refuse(Code::TooLong, "name", message);
        }
    }
    Ok(())
}
