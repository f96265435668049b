//! Attribute definitions: an admin declares attributes as personal or not, each name once per noun.

use std::collections::HashMap;

use entity::attribute_definition::{AttributeNoun, Entity, NAME, NOUN, NOUN_COLUMN};
use sea_orm::{EntityTrait, prelude::Uuid};

use crate::{
    Result,
    error::Code,
    graphql::slice::Module,
    store::{
        Tx,
        writing::{draft::Draft, write::Hooks},
    },
};

/// Maximum number of definitions per organization. A query about attributes reads all of them if the caller must not
/// see personal data.
const MAX: usize = 1_000;

/// GraphQL module of attribute definitions.
pub const SLICE: Module = Module {
    rules: Hooks { prepare: |tx, drafts| Box::pin(prepare(tx, drafts)), ..Hooks::NONE },
    ..Module::new(&NOUN)
};

async fn prepare(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    let rows = tx.all_unchecked(Entity::find()).await?;
    let mut known: HashMap<(AttributeNoun, String), Uuid> =
        rows.into_iter().map(|row| ((row.noun, row.name), row.id.0)).collect();
    for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
        let Some(key) = draft.get(NOUN_COLUMN).zip(draft.get(NAME)) else { continue };
        let owner = known.get(&key).copied();
        if key.1.chars().any(char::is_control) {
            draft.refuse(Code::Invalid, "name", "an attribute name must not contain control characters");
        } else if owner.is_some_and(|owner| draft.is_new() || owner != draft.id) {
            draft.refuse(Code::Taken, "name", "this attribute already has a definition");
        } else if draft.is_new() && known.len() >= MAX {
            draft.refuse(Code::TooLong, "name", format!("an organization defines at most {MAX} attributes"));
        } else {
            known.retain(|_, id| *id != draft.id);
            known.insert(key, draft.id);
        }
    }
    Ok(())
}
