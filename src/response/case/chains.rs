//! Links between cases: no case is, by way of others, a duplicate of itself, or its own cause.

use std::collections::HashMap;

use entity::{Col, case::ID, id::CaseId};
use sea_orm::prelude::Uuid;

use crate::{
    Result,
    map::tree::refuse_circles,
    store::{Tx, writing::draft::Draft},
};

/// Refuses each draft whose link would close a circle, given the accepted drafts before it. Takes the lock of the
/// organization, so that two concurrent transactions cannot close one together.
pub(super) async fn check(tx: &Tx, drafts: &mut [Draft], link: Col<Option<CaseId>>) -> Result<()> {
    let named = |draft: &Draft| draft.get(link).map(Uuid::from);
    let is_linked = |draft: &Draft| draft.errors.is_empty() && !draft.is_new() && draft.gives(link);
    let mut wanted: Vec<Uuid> = drafts.iter().filter(|draft| is_linked(draft)).filter_map(named).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    tx.lock_organization().await?;
    let mut links: HashMap<Uuid, Option<Uuid>> = HashMap::new();
    while !wanted.is_empty() {
        let rows = tx.select_by_ids_unchecked((ID, link), &wanted).await?;
        links.extend(rows.iter().map(|(id, other)| (id.0, other.map(Uuid::from))));
        wanted = rows.into_iter().filter_map(|(_, other)| other.map(Uuid::from)).collect();
        wanted.retain(|id| !links.contains_key(id));
    }
    refuse_circles(drafts, link, links);
    Ok(())
}
