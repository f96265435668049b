//! Check that rows which reference another row of their own noun form no circle.

use std::collections::HashMap;

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

/// Refuses each draft whose new parent would close a cycle, given the accepted drafts before it. Takes the lock of the
/// organization, so that two concurrent transactions cannot close a cycle together.
pub async fn require_tree<T: NounId>(tx: &Tx, drafts: &mut [Draft], parent: Col<Option<T>>) -> Result<()> {
    if drafts.iter().all(|draft| draft.is_new() || !draft.gives(parent)) {
        return Ok(());
    }
    tx.lock_organization().await?;
    refuse_circles(drafts, parent, tx.references_of(parent).await?);
    Ok(())
}

/// Refuses each draft whose new link would close a circle, given the accepted drafts before it. `links` has at least the
/// rows that the drafts lead to, by way of others too, each with what it names.
pub(crate) fn refuse_circles<T: NounId>(
    drafts: &mut [Draft],
    link: Col<Option<T>>,
    mut links: HashMap<Uuid, Option<Uuid>>,
) {
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
}
