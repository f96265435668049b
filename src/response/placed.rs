//! The department of what nobody places.

use entity::{Col, id::DepartmentId};

use super::routing::fallback;
use crate::{
    Result,
    store::{Tx, writing::draft::Draft},
};

/// Gives drafts without a department the one that feedback without a matching rule is routed to.
pub(super) async fn place(tx: &Tx, drafts: &mut [Draft], department: Col<DepartmentId>) -> Result<()> {
    let is_unplaced = |draft: &Draft| draft.errors.is_empty() && draft.get(department).is_none();
    if drafts.iter().any(is_unplaced) {
        let fallback = fallback(tx).await?.department;
        for draft in drafts.iter_mut().filter(|draft| is_unplaced(draft)) {
            draft.set(department, DepartmentId(fallback));
        }
    }
    Ok(())
}
