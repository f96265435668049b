//! API types of the effect of improvements.

use sea_orm::prelude::ChronoUnixTimestampMillis;

use crate::graphql::typed::{input::Input, output::Output};

/// Arguments of `effect`.
#[derive(Input)]
pub(super) struct EffectArguments {
    /// Length of each window in days of 24 hours, 1 to 3,650. Less than that is compared if less has passed since doneAt.
    #[input(default = 90, range = 1..=3_650)]
    pub days: i64,
}

/// What was counted in a window of time at some interaction points.
#[derive(Output)]
#[output(read = RecordRead, name = "ImprovementEffectCounts")]
pub(super) struct Counts {
    /// Number of verified assessments of completed interactions: the denominator of the met rate.
    pub n: i64,
    /// Number of those with the outcome MET or EXCEEDED: the numerator.
    pub met_count: i64,
    /// metCount divided by n, 0 to 1; null if n is 0.
    pub met_rate: Option<f64>,
    /// Lower bound of the Wilson interval of the met rate; null if the met rate is null.
    pub lower: Option<f64>,
    /// Upper bound of the interval; null if the lower bound is null.
    pub upper: Option<f64>,
    /// Number of feedback records of the kind COMPLAINT.
    pub complaint_count: i64,
    /// Number of feedback records of every kind.
    pub feedback_count: i64,
}

/// A window of time. It includes its start and excludes its end.
#[derive(Output)]
#[output(read = RecordRead, name = "ImprovementEffectWindow")]
pub(super) struct Window {
    /// Start of the window, UTC.
    pub starts_at: ChronoUnixTimestampMillis,
    /// End of the window, UTC.
    pub ends_at: ChronoUnixTimestampMillis,
    /// At the points of the improvement.
    pub own: Counts,
    /// At all other points: what changed without the improvement.
    pub others: Counts,
}

/// What was counted before and after an improvement. It is an association and no proof of a cause: whatever else changed
/// at the same time is part of it, and the other points show some of that.
#[derive(Output)]
#[output(read = RecordRead, name = "ImprovementEffect")]
pub(super) struct Effect {
    /// Name of the measure: `improvement_effect`.
    pub measure: String,
    /// Version of the definition of the measure. Values of different versions are not comparable.
    pub measure_version: i64,
    /// Definition of the measure in one sentence.
    pub definition: String,
    /// Confidence level of the intervals: 0.95.
    pub confidence: f64,
    /// Whether n of the improvement's points is below 30 before or after: too few to rely on.
    pub is_small: bool,
    /// The time until it began, as long as the time after.
    pub before: Window,
    /// The time since it is done.
    pub after: Window,
    /// Met rate after, minus that before, at the points of the improvement, -1 to 1; null if one of them is null.
    pub difference: Option<f64>,
    /// Lower bound of the interval of the difference (Newcombe, from the Wilson intervals); null if the difference is null.
    pub lower: Option<f64>,
    /// Upper bound of the interval; null if the lower bound is null.
    pub upper: Option<f64>,
}
