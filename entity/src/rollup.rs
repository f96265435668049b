//! What is kept counted as rows change, so that a group of a million rows is read and not counted.

use crate::{Noun, feedback_record};

/// Rows of a noun counted, and numbers of theirs summed, by a relation and by week.
///
/// Weeks are those of the organization's zone and week start. Kept in the transaction of every change, in the table of
/// that name: the tenant, the relation's column, the week's start, `n`, then `x_sum` and `x_n` for each number.
#[derive(Debug)]
pub struct Rollup {
    /// The rows that are counted.
    pub noun: &'static Noun,
    /// The table that holds the counts.
    pub table: &'static str,
    /// Column of the relation. Rows without one are counted under an id of zeros.
    pub key: &'static str,
    /// Column with the instant that says which week.
    pub time: &'static str,
    /// Columns that are summed: whole numbers as they are, others in billionths, so that sums are exact.
    pub numbers: &'static [&'static str],
}

/// Every rollup.
pub static ROLLUPS: [&Rollup; 1] = [&FEEDBACK];

/// Feedback records by interaction point and week.
pub static FEEDBACK: Rollup = Rollup {
    noun: &feedback_record::NOUN,
    table: "feedback_week",
    key: "point_id",
    time: "received_at",
    numbers: &["sentiment_score", "nps", "csat", "ces"],
};

/// The rollup of a noun's rows, if there is one.
pub fn of(noun: &Noun) -> Option<&'static Rollup> {
    ROLLUPS.into_iter().find(|rollup| rollup.noun.table == noun.table)
}
