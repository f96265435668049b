//! Notices: customers are told by mediums that they allow, and of what is done.

mod announce;
mod consents;

use std::collections::HashMap;

use entity::{
    id::{CustomerId, ImprovementId, InteractionId},
    improvement::{self, ImprovementStatus},
    interaction,
    notice::{
        ABANDONED_AT, CUSTOMER_ID, IMPROVEMENT_ID, INTERACTION_ID, MEDIUM_ID, NOTE, NOUN, NoticeObstacle, NoticeStatus,
        OBSTACLE, STATUS, TOLD_AT, Transition,
    },
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use self::consents::Consents;
use super::case::clear;
use crate::{
    Result,
    error::Code,
    graphql::slice::Module,
    record::past::refuse_future,
    store::{
        Tx,
        writing::{draft::Draft, write::Hooks},
    },
    text::is_blank,
};

pub(super) use announce::announce;

/// Rules of notices.
const RULES: Hooks = Hooks { prepare: |tx, drafts| Box::pin(prepare(tx, drafts)), ..Hooks::NONE };

/// GraphQL module of notices.
pub const SLICE: Module = Module { rules: RULES, ..Module::new(&NOUN) };

async fn prepare(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
        settle(tx, draft);
    }
    let tells = |draft: &Draft| draft.does(Transition::Tell);
    if drafts.iter().any(tells) {
        check(tx, drafts).await?;
    }
    Ok(())
}

/// Completes and checks what a notice says of its status.
fn settle(tx: &Tx, draft: &mut Draft) {
    let now = Some(ChronoUnixTimestampMillis(tx.now()));
    match draft.get(STATUS) {
        Some(NoticeStatus::Told) => {
            if draft.get(TOLD_AT).is_none() {
                draft.set(TOLD_AT, now);
            }
            if draft.does(Transition::Tell) {
                clear(draft, OBSTACLE);
                clear(draft, ABANDONED_AT);
            }
        }
        Some(NoticeStatus::Impossible) if draft.get(ABANDONED_AT).is_none() => draft.set(ABANDONED_AT, now),
        _ => {}
    }
    refuse_future(tx, draft, TOLD_AT);
    refuse_future(tx, draft, ABANDONED_AT);
    let is_explained = draft.get(NOTE).is_some_and(|note| !is_blank(&note));
    if draft.does(Transition::Abandon) && draft.get(OBSTACLE) == Some(NoticeObstacle::Other) && !is_explained {
        draft.refuse(Code::Required, "note", "say why the customer cannot be told");
    }
}

/// Refuses to tell by a medium that the customer does not allow, of what is not done, or in somebody else's interaction.
async fn check(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    let telling = || drafts.iter().filter(|draft| draft.does(Transition::Tell));
    let customers: Vec<Uuid> = telling().filter_map(|draft| draft.get(CUSTOMER_ID)).map(Uuid::from).collect();
    let improvements: Vec<Uuid> = telling().filter_map(|draft| draft.get(IMPROVEMENT_ID)).map(Uuid::from).collect();
    let interactions: Vec<Uuid> = telling().filter_map(|draft| draft.get(INTERACTION_ID)).map(Uuid::from).collect();
    let consents = Consents::read(tx, &customers).await?;
    let statuses: HashMap<ImprovementId, ImprovementStatus> =
        tx.select_by_ids_unchecked((improvement::ID, improvement::STATUS), &improvements).await?.into_iter().collect();
    let met: HashMap<InteractionId, Option<CustomerId>> = tx
        .select_by_ids_unchecked((interaction::ID, interaction::CUSTOMER_ID), &interactions)
        .await?
        .into_iter()
        .collect();
    for draft in drafts.iter_mut().filter(|draft| draft.does(Transition::Tell)) {
        let Some(customer) = draft.get(CUSTOMER_ID) else { continue };
        let status = draft.get(IMPROVEMENT_ID).and_then(|id| statuses.get(&id));
        if status != Some(&ImprovementStatus::Done) {
            draft.refuse(Code::Invalid, "by", "the improvement is not DONE");
        }
        let met = draft.get(INTERACTION_ID).and_then(|id| met.get(&id).copied().flatten());
        if met.is_some_and(|met| met != customer) {
            draft.refuse(Code::Invalid, "interactionRef", "the interaction is with another customer");
        }
        let at = draft.get(TOLD_AT).map_or(tx.now(), |at| at.0);
        match draft.get(MEDIUM_ID) {
            None => draft.refuse(Code::Required, "mediumRef", "say by which medium the customer was told"),
            Some(medium) if !consents.allow(customer, medium, at) => {
                let message = "the customer did not allow this medium for the purpose SERVICE when they were told";
                draft.refuse(Code::Invalid, "mediumRef", message);
            }
            Some(_) => {}
        }
    }
    Ok(())
}
