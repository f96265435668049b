//! The schema: the chapters put together.

use std::sync::LazyLock;

use async_graphql::{EmptySubscription, Schema};

use crate::{
    exchange,
    graphql::{
        execution::root::{Modules, MutationRoot, QueryRoot},
        slice::{Api, Part},
    },
    insight, map, record, response, tenancy,
};

/// The chapters.
const CHAPTERS: [&[Part]; 6] =
    [tenancy::PARTS, map::PARTS, record::PARTS, response::PARTS, insight::PARTS, exchange::PARTS];

/// The API of Rapport.
#[derive(Debug)]
pub struct Rapport;

impl Modules for Rapport {
    fn api() -> &'static Api {
        static API: LazyLock<Api> = LazyLock::new(|| Api::of(&CHAPTERS));
        &API
    }
}

/// The schema of the API.
pub type ApiSchema = Schema<QueryRoot<Rapport>, MutationRoot<Rapport>, EmptySubscription>;

/// Builds the schema.
pub fn build() -> ApiSchema {
    Schema::build(QueryRoot::default(), MutationRoot::default(), EmptySubscription)
        // The guard holds the limits, on documents as they were written: what comes here has its merged selections too.
        .limit_recursive_depth(usize::MAX)
        // Ours are told to callers with a token: see `graphql::mistakes`.
        .disable_suggestions()
        .finish()
}
