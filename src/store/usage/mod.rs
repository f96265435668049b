//! Limits and metering of requests and organizations: permits, the fair queue, the compute pool, the meter.

pub mod compute;
pub mod fair_queue;
pub mod meter;
pub mod tenant_limiter;
