//! A range of time.

use sea_orm::prelude::ChronoUnixTimestampMillis;

use crate::graphql::typed::input::Input;

/// A range of time. Without a limit, it is open on that side.
#[derive(Clone, Copy, Debug, Default, Input)]
pub struct TimeRange {
    /// The first instant of the range, UTC.
    from: Option<ChronoUnixTimestampMillis>,
    /// The first instant after the range, UTC.
    to: Option<ChronoUnixTimestampMillis>,
}

impl TimeRange {
    /// Returns the limits in epoch milliseconds.
    pub fn millis(self) -> (Option<i64>, Option<i64>) {
        let millis = |at: ChronoUnixTimestampMillis| at.0.timestamp_millis();
        (self.from.map(millis), self.to.map(millis))
    }
}
