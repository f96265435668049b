//! Review questions: default positions, and a mutation that adds the questions of the built-in bank.

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

/// GraphQL module of review questions.
pub const SLICE: Module = Module { rules: RULES, ..Module::new(&NOUN) };

/// The mutation `organizationSeedReviewQuestions`, which adds the missing questions of the bank.
pub const SEED: Mutation = Mutation {
    name: "organizationSeedReviewQuestions",
    doc: "Adds the questions of Rapport's built-in question bank that the organization does not have, each at the end \
          of its component. Existing questions, edited or archived, are left alone; deleted questions are added \
          again. The outcome is UNCHANGED if none is missing. The organization itself does not change.",
    permissions: &[Permission::MapWrite],
    run: &MutationFn::new(|tx, ()| Box::pin(seed(tx))),
};

/// Sets the position of each new question without one to the position after the last question of its component.
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
    // Two concurrent calls would otherwise each add the same questions.
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
