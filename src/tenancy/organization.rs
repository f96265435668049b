//! The caller's own organization.

use entity::organization::NOUN;

use crate::graphql::slice::{Module, Query, Resolved};

/// The slice.
pub const SLICE: Module = Module {
    queries: &[Query {
        name: "organization",
        doc: "The organization of the token.",
        arguments: &[],
        answer: &NOUN,
        permissions: &[],
        run: |scope, _| Box::pin(async { Ok(Resolved::Row(scope.organization().0)) }),
    }],
    ..Module::new(&NOUN)
};
