//! The schema: every slice registered, limits set.

use async_graphql::{EmptySubscription, Schema};

use crate::graphql::{
    root::{MutationRoot, QueryRoot, Slices},
    slice::Slice,
};

/// The slices of Rapport. A new noun is registered here.
#[derive(Debug)]
pub struct Rapport;

static DEPARTMENT: Slice = Slice::new(&entity::department::NOUN);
static POINT: Slice = Slice::new(&entity::interaction_point::NOUN);
static EXPECTATION: Slice = Slice::new(&entity::expectation::NOUN);
static INFLUENCER: Slice = Slice::new(&entity::influencer::NOUN);
static MEDIUM: Slice = Slice::new(&entity::medium::NOUN);
static CUSTOMER: Slice = Slice::new(&entity::customer::NOUN);
static FEEDBACK: Slice = Slice::new(&entity::feedback_record::NOUN);
static RULE: Slice = Slice::new(&entity::routing_rule::NOUN);
static ROUTING: Slice = Slice::new(&entity::routing::NOUN);
static ORGANIZATION: Slice = Slice::new(&entity::organization::NOUN);

impl Slices for Rapport {
    const ALL: &'static [&'static Slice] = &[
        &ORGANIZATION,
        &DEPARTMENT,
        &POINT,
        &EXPECTATION,
        &INFLUENCER,
        &MEDIUM,
        &CUSTOMER,
        &FEEDBACK,
        &RULE,
        &ROUTING,
    ];
}

/// The schema of the API.
pub type ApiSchema = Schema<QueryRoot<Rapport>, MutationRoot<Rapport>, EmptySubscription>;

/// Builds the schema.
pub fn build() -> ApiSchema {
    Schema::build(QueryRoot::default(), MutationRoot::default(), EmptySubscription)
        .limit_depth(15)
        .limit_aliases(30)
        .limit_directives(5)
        .disable_suggestions()
        .finish()
}
