//! Check that rows which reference another row of their own noun form no circle.

use entity::{
    Col,
    id::{self, NounId},
};
use sea_orm::prelude::Uuid;

use crate::{
    Result,
    error::Code,
    graphql::slice::REFERENCE,
    store::{Tx, statement::cell::Column, writing::draft::Draft},
};

/// Refuses each draft that would, by way of others too, name itself in a column that references its own noun, given the
/// accepted drafts before it. Takes the lock of the organization, so that two concurrent transactions cannot close a
/// circle together.
pub async fn refuse_circles<T: NounId>(tx: &Tx, drafts: &mut [Draft], link: Col<Option<T>>) -> Result<()> {
    let named = |draft: &Draft| draft.get(link).map(T::uuid);
    let is_linked = |draft: &Draft| draft.errors.is_empty() && !draft.is_new() && draft.gives(link);
    if !drafts.iter().any(|draft| is_linked(draft) && named(draft).is_some()) {
        return Ok(());
    }
    tx.lock_organization().await?;
    let named: Vec<Uuid> = drafts.iter().filter(|draft| draft.errors.is_empty()).filter_map(named).collect();
    let mut links = tx.chains_of(link.noun(), link.name(), &named).await?;
    let noun = link.noun();
    let field = Column::from(link).field;
    for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty() && draft.gives(link)) {
        let wanted = draft.get(link).map(T::uuid);
        let mut path = vec![draft.id];
        let mut next = wanted;
        while let Some(id) = next.filter(|id| *id != draft.id) {
            path.push(id);
            next = links.get(&id).copied().flatten();
        }
        if next.is_some() {
            path.push(draft.id);
            let path: Vec<String> = path.into_iter().map(|id| id::encode(noun.prefix, id)).collect();
            let message = format!("{field} would lead this {} back to itself: {}", noun.name, path.join(" to "));
            draft.refuse(Code::Cycle, &format!("{field}{REFERENCE}"), message);
        } else {
            links.insert(draft.id, wanted);
        }
    }
    Ok(())
}
