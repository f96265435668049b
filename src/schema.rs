//! The schema: what nouns have besides their descriptions. What one chapter adds to another's noun is joined here.

use std::sync::LazyLock;

use async_graphql::{EmptySubscription, Schema};
use entity::{NOUNS, department, desired_result, feedback_record, influencer, message, offer};

use crate::{
    exchange::api_client,
    graphql::{
        execution::root::{Modules, MutationRoot, QueryRoot},
        slice::Module,
    },
    insight::{copy_test, coverage, coverage_types, groups, review},
    map::{
        assumption, document, evidence, expectation, interaction_point, journey, medium, message_variant, objective,
        objective_conflict, review_answer, review_question, stage, step, step_link,
    },
    record::customer,
    response::{preview, routing},
    tenancy::{attribute_definition, organization},
};

/// The slices of Rapport.
#[derive(Debug)]
pub struct Rapport;

impl Modules for Rapport {
    fn all() -> &'static [&'static Module] {
        static PLAIN: LazyLock<Vec<Module>> = LazyLock::new(|| NOUNS.into_iter().map(Module::new).collect());
        static ALL: LazyLock<Vec<&Module>> = LazyLock::new(|| {
            let own = |plain: &'static Module| MODULES.iter().find(|own| own.noun.table == plain.noun.table);
            PLAIN.iter().map(|plain| own(plain).copied().unwrap_or(plain)).collect()
        });
        &ALL
    }
}

/// What nouns have besides their descriptions; a noun that is not named here has nothing.
static MODULES: &[&Module] = &[
    &Module {
        mutations: &[review_question::SEED, document::IMPORT],
        objects: &[document::OBJECTS[1]],
        reports: &[document::REPORT],
        ..organization::SLICE
    },
    &Module { rules: routing::ON_DEPARTMENT, ..Module::new(&department::NOUN) },
    &Module { joined: review::OF_JOURNEY, ..journey::SLICE },
    &stage::SLICE,
    &Module { joined: review::OF_POINT, ..interaction_point::SLICE },
    &step::SLICE,
    &step_link::SLICE,
    &evidence::backed::<influencer::Entity>(),
    &medium::SLICE,
    &expectation::SLICE,
    &assumption::SLICE,
    &objective::SLICE,
    &objective_conflict::SLICE,
    &evidence::backed::<desired_result::Entity>(),
    &evidence::backed::<offer::Entity>(),
    &evidence::SLICE,
    &Module {
        queries: &[copy_test::RECYCLE],
        joined: copy_test::OF_MESSAGE,
        objects: copy_test::OBJECTS,
        sets: &["points", "evidence"],
        ..evidence::backed::<message::Entity>()
    },
    &message_variant::SLICE,
    &review_question::SLICE,
    &Module { queries: &[review::REVIEWS_DUE], objects: review::OBJECTS, ..review_answer::SLICE },
    &customer::SLICE,
    &Module {
        rules: routing::ON_FEEDBACK,
        mutations: &[routing::REROUTE],
        queries: &[groups::QUERY, coverage::QUERY],
        inputs: &[groups::BUCKET],
        objects: &[
            groups::OBJECTS[0],
            groups::OBJECTS[1],
            groups::OBJECTS[2],
            groups::OBJECTS[3],
            groups::OBJECTS[4],
            coverage_types::OBJECTS[0],
            coverage_types::OBJECTS[1],
            coverage_types::OBJECTS[2],
        ],
        enums: &[groups::ENUMS[0], groups::ENUMS[1], groups::ENUMS[2], coverage_types::ENUM],
        ..Module::new(&feedback_record::NOUN)
    },
    &Module { queries: &[preview::QUERY], inputs: &[preview::INPUT], objects: &[&preview::PREVIEW], ..routing::RULES },
    &attribute_definition::SLICE,
    &api_client::SLICE,
];

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
