//! Referrals: nobody refers themselves.

use entity::referral::{NOUN, REFERRED_AT, REFERRED_ID, REFERRER_ID};

use super::past::refuse_future;
use crate::{error::Code, graphql::slice::Module, store::writing::write::Hooks};

/// GraphQL module of referrals.
pub const SLICE: Module = Module {
    rules: Hooks {
        prepare: |tx, drafts| {
            Box::pin(async {
                for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
                    refuse_future(tx, draft, REFERRED_AT);
                    if draft.get(REFERRED_ID).is_some() && draft.get(REFERRED_ID) == draft.get(REFERRER_ID) {
                        draft.refuse(Code::Invalid, "referredRef", "this is the customer who made the referral");
                    }
                }
                Ok(())
            })
        },
        ..Hooks::NONE
    },
    ..Module::new(&NOUN)
};
