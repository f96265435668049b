//! Webhooks: changes are sent to other systems as signed messages of Standard Webhooks, at least once and in no promised
//! order. `docs/guides/webhooks.md` tells the rest.

mod attempt;
mod delivery;
mod dispatch;
mod endpoint;
mod event_types;
mod follow;
mod message;
mod replay;
mod samples;
mod signing;

pub use self::dispatch::{Dispatcher, run};
pub(super) use self::{
    delivery::{LOG_JOB, SLICE as DELIVERIES},
    endpoint::SLICE as ENDPOINTS,
    replay::JOB as REPLAY_JOB,
    samples::SAMPLES,
};
