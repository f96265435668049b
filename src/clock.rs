//! The only module that reads the clock.

use chrono::{DateTime, Utc};

/// Returns the current time. Inner layers receive the time as a parameter instead.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}
