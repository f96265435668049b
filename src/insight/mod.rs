//! Analysis of the map and the record: groups and means over time, coverage, deviations from journeys, event logs,
//! reviews, copy tests, effects of improvements and the search.

mod buckets;
mod copy_test;
mod copy_types;
mod coverage;
mod coverage_types;
mod deviation;
mod effect;
mod effect_types;
pub mod event_log;
mod group_read;
mod group_types;
mod groups;
mod proportion;
mod review;
mod review_types;
mod search;
mod search_types;
mod weeks;

use entity::{improvement, interaction_point, journey, message};

use crate::graphql::slice::Part;

/// The queries and computed fields that this module adds to the API.
pub const PARTS: &[Part] = &[
    Part::Computed(&journey::NOUN, &review::OF_JOURNEY),
    Part::Computed(&interaction_point::NOUN, &review::OF_POINT),
    Part::Computed(&interaction_point::NOUN, &review::ITEMS_OF_POINT),
    Part::Computed(&message::NOUN, &copy_test::OF_MESSAGE),
    Part::Computed(&improvement::NOUN, &effect::OF_IMPROVEMENT),
    Part::Query(&copy_test::RECYCLE),
    Part::Query(&review::REVIEWS_DUE),
    Part::Query(&groups::GROUPS),
    Part::Query(&coverage::COVERAGE),
    Part::Query(&search::SEARCH),
    Part::Query(&deviation::DEVIATION),
    Part::Query(&event_log::EVENT_LOG),
];
