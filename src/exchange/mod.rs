//! Exchange with other systems: the API clients with which they access the API, the documents that they may send, the feed
//! of changes, the webhooks that send changes to them, imports of files, and the export of an organization.

pub mod api_client;
mod changes;
pub mod documents;
pub mod export;
pub mod import;
mod old_rows;
pub mod webhook;

use entity::organization;

use crate::graphql::slice::Part;

/// Nouns that this module adds to the API.
pub const PARTS: &[Part] = &[
    Part::Noun(&api_client::SLICE),
    Part::Query(&changes::CHANGES),
    Part::Subscription(&changes::SUBSCRIPTION),
    Part::Noun(&documents::SLICE),
    Part::Mutation(&organization::NOUN, &documents::PUSH),
    Part::Report(&organization::NOUN, &documents::REPORT),
    Part::Noun(&webhook::ENDPOINTS),
    Part::Noun(&webhook::DELIVERIES),
    Part::Query(&webhook::SAMPLES),
    Part::Job(&webhook::REPLAY_JOB),
    Part::Job(&webhook::LOG_JOB),
    Part::Noun(&import::IMPORTS),
    Part::Noun(&import::LINES),
    Part::Job(&import::JOB),
    Part::Job(&import::OLD_JOB),
];
