//! The one place that reads the clock.

use chrono::{DateTime, Utc};

/// The time now. Everything below the edge takes it as a parameter.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}
