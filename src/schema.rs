//! The GraphQL schema, assembled from the parts of all modules.

use std::sync::LazyLock;

use async_graphql::{Schema, Variables};

use crate::{
    Error, Result, exchange,
    graphql::{
        execution::{
            root_types::{Modules, MutationRoot, QueryRoot, SubscriptionRoot},
            run::execute,
        },
        failure::error_of,
        slice::{Api, Part},
        types::schema_index::SchemaIndex,
    },
    insight, map, record, response,
    store::operation::{document_runner::DocumentRunner, jobs::Kind},
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
pub type ApiSchema = Schema<QueryRoot<Rapport>, MutationRoot<Rapport>, SubscriptionRoot<Rapport>>;

/// Returns the kinds of jobs that chapters declare.
pub fn jobs() -> &'static [&'static Kind] {
    &Rapport::api().jobs
}

/// Returns a runner of documents of this API.
pub fn document_runner() -> DocumentRunner {
    // Most commands run no document.
    static SCHEMA: LazyLock<(ApiSchema, Result<SchemaIndex>)> = LazyLock::new(|| {
        let schema = build();
        let index = SchemaIndex::read(&schema.sdl());
        (schema, index)
    });
    DocumentRunner::new(|scope, text, variables| {
        Box::pin(async move {
            let (schema, index) = &*SCHEMA;
            let index = index.as_ref().map_err(Clone::clone)?;
            let response = execute(schema, index, (&text, Variables::from_json(variables)), scope).await;
            match response.errors.first() {
                Some(error) => Err(error_of(error)),
                None => response.data.into_json().map_err(|error| Error::internal(error.to_string())),
            }
        })
    })
}

/// Builds the GraphQL schema.
pub fn build() -> ApiSchema {
    Schema::build(QueryRoot::default(), MutationRoot::default(), SubscriptionRoot::default())
        // The guard enforces the limits on the original document; the document here also contains merged selections.
        .limit_recursive_depth(usize::MAX)
        // Callers with a token get Rapport's own suggestions: see `graphql::documents::hints`.
        .disable_suggestions()
        .finish()
}
