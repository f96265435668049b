//! The caller's own organization.

use entity::organization::NOUN;

use crate::graphql::slice::{Answer, Query, Slice};

/// The slice.
pub const SLICE: Slice = Slice {
    queries: &[Query {
        name: "organization",
        doc: "The organization the token belongs to.",
        arguments: &[],
        answer: &NOUN,
        permissions: &[],
        run: |scope, _| Box::pin(async { Ok(Answer::Row(scope.organization().0)) }),
    }],
    ..Slice::new(&NOUN)
};
