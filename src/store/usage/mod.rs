//! What one request or one organization may use: permits, turns at the writer, computation, and what was used.

pub mod compute;
pub mod fair_queue;
pub mod meter;
pub mod tenant_limiter;
