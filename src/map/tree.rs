//! Check that rows which reference a parent of their own noun form a tree.

use std::collections::HashMap;

use entity::{
    Col,
    id::{self, NounId},
};
use sea_orm::prelude::Uuid;

use crate::{
    Result,
    error::Code,
    store::{Tx, writing::draft::Draft},
};

/// Refuses each draft whose new parent would close a cycle, given the accepted drafts before it. Takes the lock of the
/// organization, so that two concurrent transactions cannot close a cycle together.
pub async fn require_tree<T: NounId>(tx: &Tx, drafts: &mut [Draft], parent: Col<Option<T>>) -> Result<()> {
    let noun = parent.noun();
    if drafts.iter().all(|draft| draft.is_new() || !draft.gives(parent)) {
        return Ok(());
    }
    tx.lock_organization().await?;
    let mut parents: HashMap<Uuid, Option<Uuid>> = tx.references_of(parent).await?;
    for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty() && draft.gives(parent)) {
        let wanted = draft.get(parent).map(T::uuid);
        let mut path = vec![draft.id];
        let mut above = wanted;
        while let Some(id) = above.filter(|id| *id != draft.id) {
            path.push(id);
            above = parents.get(&id).copied().flatten();
        }
        if above.is_some() {
            path.push(draft.id);
            let path: Vec<String> = path.into_iter().map(|id| id::encode(noun.prefix, id)).collect();
            let message = format!("this {} would become its own ancestor: {}", noun.name, path.join(" below "));
            draft.refuse(Code::Cycle, "parentRef", message);
        } else {
            parents.insert(draft.id, wanted);
        }
    }
    Ok(())
}
