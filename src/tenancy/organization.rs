//! The caller's own organization.

use crate::graphql::{slice::Query, typed::fields::QueryFn};

/// The query `organization`.
pub const ORGANIZATION: Query = Query {
    name: "organization",
    doc: "The organization of the token.",
    permissions: &[],
    run: &QueryFn::new(|scope, ()| Box::pin(async { Ok(scope.organization()) })),
};
