//! The schema: every slice registered. What one chapter adds to another's noun is joined here.

use async_graphql::{EmptySubscription, Schema};
use entity::{department, event, expectation, feedback_record, influencer, journey_edition};

use crate::{
    exchange::api_client,
    graphql::{
        root::{MutationRoot, QueryRoot, Slices},
        slice::Slice,
    },
    insight::{coverage, groups},
    map::{document, interaction_point, journey, medium, stage, step, step_link},
    record::customer,
    response::{preview, routing},
    tenancy::organization,
};

/// The slices of Rapport.
#[derive(Debug)]
pub struct Rapport;

impl Slices for Rapport {
    const ALL: &'static [&'static Slice] = &[
        &Slice {
            mutations: &[document::IMPORT],
            objects: &[document::OBJECTS[1]],
            reports: &[document::REPORT],
            ..organization::SLICE
        },
        &Slice { rules: routing::ON_DEPARTMENT, ..Slice::new(&department::NOUN) },
        &journey::SLICE,
        &stage::SLICE,
        &interaction_point::SLICE,
        &step::SLICE,
        &step_link::SLICE,
        &Slice::new(&journey_edition::NOUN),
        &Slice::new(&influencer::NOUN),
        &medium::SLICE,
        &Slice::new(&expectation::NOUN),
        &customer::SLICE,
        &Slice {
            rules: routing::ON_FEEDBACK,
            mutations: &[routing::REROUTE],
            queries: &[groups::QUERY, coverage::QUERY],
            inputs: &[groups::BUCKET],
            objects: &[
                groups::OBJECTS[0],
                groups::OBJECTS[1],
                groups::OBJECTS[2],
                coverage::OBJECTS[0],
                coverage::OBJECTS[1],
                coverage::OBJECTS[2],
            ],
            enums: &[groups::ENUMS[0], groups::ENUMS[1], groups::ENUMS[2], coverage::ENUM],
            ..Slice::new(&feedback_record::NOUN)
        },
        &Slice {
            queries: &[preview::QUERY],
            inputs: &[preview::INPUT],
            objects: &[&preview::PREVIEW],
            ..routing::RULES
        },
        &routing::HISTORY,
        &api_client::SLICE,
        &Slice::new(&event::NOUN),
    ];
}

/// The schema of the API.
pub type ApiSchema = Schema<QueryRoot<Rapport>, MutationRoot<Rapport>, EmptySubscription>;

/// Builds the schema.
pub fn build() -> ApiSchema {
    Schema::build(QueryRoot::default(), MutationRoot::default(), EmptySubscription)
        // The guard holds the limits, on documents as they were written: what comes here has its merged selections too.
        .limit_recursive_depth(usize::MAX)
        .disable_suggestions()
        .finish()
}
