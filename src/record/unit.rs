//! Units: none is retired before it goes into service.

use entity::unit::{IN_SERVICE_AT, NOUN, RETIRED_AT};

use super::past::{refuse_before, refuse_future};
use crate::{graphql::slice::Module, store::writing::write::Hooks};

/// GraphQL module of units.
pub const SLICE: Module = Module {
    rules: Hooks {
        prepare: |tx, drafts| {
            Box::pin(async {
                for draft in drafts {
                    refuse_future(tx, draft, RETIRED_AT);
                    refuse_before(draft, RETIRED_AT, IN_SERVICE_AT);
                }
                Ok(())
            })
        },
        ..Hooks::NONE
    },
    ..Module::new(&NOUN)
};
