//! API types of event logs.

use entity::id::JourneyId;
use sea_orm::prelude::ChronoUnixTimestampMillis;

use crate::{
    graphql::typed::{
        input::{Input, RefTo},
        output::Output,
    },
    record::time_range::TimeRange,
};

entity::string_enum! {
    /// Format of an event log.
    EventLogFormat as "EventLogFormat" {
        /// XES (IEEE 1849): a trace for each customer, in the order of time. Interactions without a customer are left out.
        Xes = "XES",
        /// OCEL 2.0 as JSON: events with the customers, accounts, points, mediums and departments that took part.
        Ocel = "OCEL",
    }
}

/// Arguments of `journeyEventLog`.
#[derive(Input)]
pub(super) struct EventLogArguments {
    /// The journey. The result is null if it does not exist.
    pub journey_ref: RefTo<JourneyId>,
    /// When the interactions took place.
    pub between: Option<TimeRange>,
    /// Format of the event log.
    pub format: EventLogFormat,
}

/// Where an event log can be downloaded.
#[derive(Output)]
#[output(read = RecordRead)]
pub(super) struct JourneyEventLog {
    /// The URL. Absolute if the server has a `--public-url`, otherwise it starts with the path.
    pub url: String,
    /// When the URL expires, UTC. A download that began before goes on.
    pub expires_at: ChronoUnixTimestampMillis,
}
