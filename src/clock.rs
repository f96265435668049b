//! The time.

use chrono::{DateTime, Utc};

/// Now.
#[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system for the time")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}
