//! Event logs for process mining: the completed interactions at the points of a journey, as XES or OCEL.

mod log;
mod ocel;
mod read;
mod types;
mod xes;

use chrono::TimeDelta;
use entity::{Permission, Permissions, id, journey, noun::StringEnum};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

pub use self::log::EventLog;
pub use self::types::EventLogFormat;
use self::types::{EventLogArguments, JourneyEventLog};
use crate::{
    Result,
    auth::signed_url::Grant,
    graphql::{slice::Query, typed::fields::QueryFn},
    store::Scope,
};

/// The scopes that an event log requires.
const SCOPES: [Permission; 2] = [Permission::MapRead, Permission::RecordRead];
/// Lifetime of the URL of an event log: a download must begin within it.
const LIFE: TimeDelta = TimeDelta::minutes(15);

/// The query `journeyEventLog`.
pub(super) const EVENT_LOG: Query = Query {
    name: "journeyEventLog",
    doc: "A signed URL from which the completed interactions at the points of a journey can be downloaded within 15 \
          minutes, as an event log for process mining. It needs no token. An event is called by the label of the first \
          step that places its point, or else by the name of the point.",
    permissions: &SCOPES,
    run: &QueryFn::new(|scope, input| Box::pin(event_log(scope, input))),
};

/// An event log to write: which journey, when the interactions took place, and the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventLogQuery {
    /// The journey.
    pub journey: Uuid,
    /// The first instant and the first one after the range, in epoch milliseconds; open without a limit.
    pub between: (Option<i64>, Option<i64>),
    /// The format.
    pub format: EventLogFormat,
}

impl EventLogQuery {
    /// Returns the path and query of the URL of the log.
    pub fn resource(&self) -> String {
        let Self { journey, between: (from, to), format } = self;
        let text = |limit: &Option<i64>| limit.map(|limit| limit.to_string()).unwrap_or_default();
        let (journey, format) = (id::encode(journey::NOUN.prefix, *journey), format.name().to_ascii_lowercase());
        format!("/journeys/{journey}/events.{format}?from={}&to={}", text(from), text(to))
    }

    /// Reads the parts of a URL; `None` if they are not those of a log.
    pub fn parse(journey: &str, format: &str, from: &str, to: &str) -> Option<Self> {
        let limit = |text: &str| if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) };
        let (_, journey) = id::decode(journey).filter(|(prefix, _)| *prefix == journey::NOUN.prefix)?;
        let format = EventLogFormat::parse(&format.to_ascii_uppercase())?;
        Some(Self { journey, between: (limit(from)?, limit(to)?), format })
    }
}

async fn event_log(scope: &Scope, input: EventLogArguments) -> Result<Option<JourneyEventLog>> {
    let EventLogArguments { journey_ref, between, format } = input;
    let addresses = scope.addresses()?;
    let Some(journey) = journey_ref.find(scope).await? else { return Ok(None) };
    let between = between.unwrap_or_default().millis();
    let resource = EventLogQuery { journey: journey.0, between, format }.resource();
    let scopes: Permissions = SCOPES.into_iter().collect();
    let grant = Grant { resource: &resource, scopes, life: Some(LIFE) };
    let url = addresses.sign(scope.actor(), grant, scope.now())?;
    Ok(Some(JourneyEventLog { url, expires_at: ChronoUnixTimestampMillis(scope.now() + LIFE) }))
}
