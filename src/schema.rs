//! The schema: roots, limits.
use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};

/// The schema of the API.
pub type ApiSchema = Schema<Query, EmptyMutation, EmptySubscription>;

/// Queries.
#[derive(Default)]
pub struct Query;
#[Object]
impl Query {
    /// stub
    async fn organization(&self) -> Option<String> {
        None
    }
}

/// Builds the schema.
pub fn build() -> ApiSchema {
    Schema::build(Query, EmptyMutation, EmptySubscription).finish()
}
