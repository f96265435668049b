//! Questions of reviews: their places, and a first set of them from the bank.

use std::collections::{HashMap, HashSet};

use entity::{
    Permission,
    review_question::{BANK_KEY, COMPONENT, Column, Entity, NOUN, POSITION, ReviewComponent, TEXT},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::review_bank::BANK;
use crate::{
    Result,
    graphql::{
        slice::{Done, Module, Mutation},
        typed::fields::MutationFn,
    },
    store::{
        Tx,
        writing::{
            draft::{Draft, Mode, Outcome, Target},
            write::Hooks,
        },
    },
};

const RULES: Hooks = Hooks { prepare: |tx, drafts| Box::pin(place(tx, drafts)), ..Hooks::NONE };

/// The slice.
pub const SLICE: Module = Module { rules: RULES, ..Module::new(&NOUN) };

/// The mutation that gives an organization the questions of the bank.
pub const SEED: Mutation = Mutation {
    name: "organizationSeedReviewQuestions",
    doc: "Adds the questions of Rapport's built-in question bank that the organization does not have, each at the end \
          of its component. Existing questions, edited or archived, are left alone; deleted questions are added \
          again. The outcome is UNCHANGED if none is missing. The organization itself does not change.",
    permissions: &[Permission::MapWrite],
    run: &MutationFn::new(|tx, ()| Box::pin(seed(tx))),
};

/// Gives new questions without a place the one after the last of their component.
async fn place(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    let is_placed = |draft: &Draft| draft.errors.is_empty() && draft.is_new() && !draft.gives(POSITION);
    let component = |draft: &Draft| draft.get(COMPONENT);
    let wanted: HashSet<ReviewComponent> =
        drafts.iter().filter(|draft| is_placed(draft)).filter_map(component).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let mut last: HashMap<ReviewComponent, i64> = HashMap::new();
    for row in tx.all_unchecked(Entity::find().filter(Column::Component.is_in(wanted))).await? {
        let known = last.entry(row.component).or_default();
        *known = row.position.max(*known);
    }
    for draft in drafts.iter_mut().filter(|draft| is_placed(draft)) {
        let Some(component) = component(draft) else { continue };
        let place = last.entry(component).or_default();
        *place += 1;
        draft.set(POSITION, *place);
    }
    Ok(())
}

async fn seed(tx: &Tx) -> Result<Done> {
    // Two at once would each give the same questions.
    tx.lock_organization().await?;
    let known = tx.all_unchecked(Entity::find().filter(Column::BankKey.is_not_null())).await?;
    let known: HashSet<String> = known.into_iter().filter_map(|row| row.bank_key).collect();
    let draft = |(key, component, text): &(&str, ReviewComponent, &str)| {
        let mut draft = Draft::new(&NOUN, Target::New, Mode::CreateOnly);
        draft.set(COMPONENT, *component);
        draft.set(TEXT, *text);
        draft.set(BANK_KEY, (*key).to_owned());
        draft
    };
    let mut drafts: Vec<Draft> = BANK.iter().filter(|(key, ..)| !known.contains(*key)).map(draft).collect();
    let id = tx.organization().0;
    if drafts.is_empty() {
        return Ok(Ok((id, Outcome::Unchanged)));
    }
    let written = tx.write(&NOUN, &RULES, &mut drafts, true).await?;
    let mistakes: Vec<_> = written.into_iter().flat_map(|row| row.errors).collect();
    Ok(if mistakes.is_empty() { Ok((id, Outcome::Updated)) } else { Err(mistakes) })
}
