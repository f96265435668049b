//! Attribute definitions: an admin declares attributes as personal or not, up to a number of them.

use entity::attribute_definition::{Entity, NAME, NOUN};
use sea_orm::EntityTrait;

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
    let mut count = tx.all_unchecked(Entity::find()).await?.len();
    for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
        if draft.get(NAME).is_some_and(|name| name.chars().any(char::is_control)) {
            draft.refuse(Code::Invalid, "name", "an attribute name must not contain control characters");
        } else if draft.is_new() && count >= MAX {
            draft.refuse(Code::TooLong, "name", format!("an organization defines at most {MAX} attributes"));
        } else {
            count += usize::from(draft.is_new());
        }
    }
    Ok(())
}
