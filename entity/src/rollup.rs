//! Rollups: counts and sums that are maintained as rows change, so that queries over many rows need not count them.

use crate::{Noun, feedback_record};

/// Counts of rows and sums of their numbers, by a relation and by week.
///
/// Weeks follow the time zone and week start of the organization. Every change updates the rollup in its transaction. The
/// columns of the table are the tenant, the relation's column, the start of the week, `n`, and `x_sum` and `x_n` for each
/// number.
#[derive(Debug)]
pub struct Rollup {
    /// Noun of the counted rows.
    pub noun: &'static Noun,
    /// Table of the counts.
    pub table: &'static str,
    /// Column of the relation. Rows in which it is null are counted under an id of zeros.
    pub key: &'static str,
    /// Column with the instant that determines the week.
    pub time: &'static str,
    /// Summed columns: integers unchanged, other numbers in billionths, so that sums are exact.
    pub numbers: &'static [&'static str],
}

/// All rollups.
pub static ROLLUPS: [&Rollup; 1] = [&FEEDBACK];

/// Feedback records by interaction point and week.
pub static FEEDBACK: Rollup = Rollup {
    noun: &feedback_record::NOUN,
    table: "feedback_week",
    key: "point_id",
    time: "received_at",
    numbers: &["sentiment_score", "nps", "csat", "ces"],
};

/// Returns the rollup of a noun, if there is one.
pub fn of(noun: &Noun) -> Option<&'static Rollup> {
    ROLLUPS.into_iter().find(|rollup| rollup.noun.table == noun.table)
}
