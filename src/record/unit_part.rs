//! Parts of units: none is retired before it goes into service.

use entity::unit_part::{IN_SERVICE_AT, NOUN, RETIRED_AT};

use super::past::{refuse_before, refuse_future};
use crate::{
    graphql::slice::Module,
    store::writing::write::{ChildOf, Hooks},
};

/// GraphQL module of the parts of units.
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
        child_of: Some(ChildOf { relation: "unit", position: None, most: 1_000 }),
        ..Hooks::NONE
    },
    ..Module::new(&NOUN)
};
