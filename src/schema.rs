//! The GraphQL schema, assembled from the parts of all modules.

use std::sync::LazyLock;

use async_graphql::{EmptySubscription, Schema};

use crate::{
    exchange,
    graphql::{
        execution::root::{Modules, MutationRoot, QueryRoot},
        slice::{Api, Part},
    },
    insight, map, record, response,
    store::operation::jobs::Kind,
    tenancy,
};

/// Parts of the API by module.
const CHAPTERS: [&[Part]; 6] =
    [tenancy::PARTS, map::PARTS, record::PARTS, response::PARTS, insight::PARTS, exchange::PARTS];

/// Marker type of Rapport's API.
#[derive(Debug)]
pub struct Rapport;

impl Modules for Rapport {
    fn api() -> &'static Api {
        static API: LazyLock<Api> = LazyLock::new(|| Api::of(&CHAPTERS));
        &API
    }
}

/// Type of the GraphQL schema.
pub type ApiSchema = Schema<QueryRoot<Rapport>, MutationRoot<Rapport>, EmptySubscription>;

/// Returns the kinds of jobs that chapters declare.
pub fn jobs() -> &'static [&'static Kind] {
    &Rapport::api().jobs
}

/// Builds the GraphQL schema.
pub fn build() -> ApiSchema {
    Schema::build(QueryRoot::default(), MutationRoot::default(), EmptySubscription)
        // The guard enforces the limits on the original document; the document here also contains merged selections.
        .limit_recursive_depth(usize::MAX)
        // Callers with a token get Rapport's own suggestions: see `graphql::documents::hints`.
        .disable_suggestions()
        .finish()
}
