//! Purchases: amounts are not negative, and no more is paid back than was paid.

use entity::purchase::{AMOUNT, AMOUNT_CURRENCY, BOUGHT_AT, NOUN, REFUNDED, REFUNDED_CURRENCY};

use super::past::refuse_future;
use crate::{
    error::Code,
    graphql::slice::Module,
    store::writing::{draft::Draft, write::Hooks},
};

/// GraphQL module of purchases.
pub const SLICE: Module = Module {
    rules: Hooks {
        prepare: |tx, drafts| {
            Box::pin(async {
                for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
                    refuse_future(tx, draft, BOUGHT_AT);
                    check_amounts(draft);
                }
                Ok(())
            })
        },
        ..Hooks::NONE
    },
    ..Module::new(&NOUN)
};

fn check_amounts(draft: &mut Draft) {
    if !draft.gives(AMOUNT) && !draft.gives(REFUNDED) {
        return;
    }
    let (amount, refunded) = (draft.get(AMOUNT), draft.get(REFUNDED));
    if amount.is_some_and(|amount| amount.units() < 0) {
        draft.refuse(Code::OutOfRange, "amount", "an amount is not negative; give what was paid back as refunded");
    }
    let Some((amount, refunded)) = amount.zip(refunded) else { return };
    if draft.get(REFUNDED_CURRENCY) != draft.get(AMOUNT_CURRENCY) {
        draft.refuse(Code::Invalid, "refunded", "the currency is that of the amount");
    } else if refunded.units() < 0 || refunded.units() > amount.units() {
        draft.refuse(Code::OutOfRange, "refunded", "what was paid back is from 0 to the amount");
    }
}
