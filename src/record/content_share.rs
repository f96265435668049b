//! Content shared with customers: the customer defaults to that of the interaction.

use std::collections::HashMap;

use entity::{
    content_share::{CUSTOMER_ID, INTERACTION_ID, NOUN, SHARED_AT},
    interaction,
};
use sea_orm::prelude::Uuid;

use super::past::refuse_future;
use crate::{
    Result,
    graphql::slice::Module,
    store::{
        Tx,
        writing::{draft::Draft, write::Hooks},
    },
};

/// GraphQL module of shares of content.
pub const SLICE: Module = Module {
    rules: Hooks { prepare: |tx, drafts| Box::pin(prepare(tx, drafts)), ..Hooks::NONE },
    ..Module::new(&NOUN)
};

async fn prepare(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    let interaction = |draft: &Draft| draft.get(INTERACTION_ID).filter(|_| draft.is_new() && !draft.gives(CUSTOMER_ID));
    let ids: Vec<Uuid> = drafts.iter().filter_map(interaction).map(Uuid::from).collect();
    let rows = tx.select_by_ids_unchecked((interaction::ID, interaction::CUSTOMER_ID), &ids).await?;
    let customers: HashMap<Uuid, _> = rows.into_iter().map(|(id, customer)| (Uuid::from(id), customer)).collect();
    for draft in drafts {
        refuse_future(tx, draft, SHARED_AT);
        if let Some(customer) = interaction(draft).and_then(|id| customers.get(&Uuid::from(id)).copied()) {
            draft.set(CUSTOMER_ID, customer);
        }
    }
    Ok(())
}
