//! Rollups: counts and sums that are maintained as rows change, so that queries over many rows need not count them.

use crate::{
    Noun,
    feedback_record::{self, CesScale},
};

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
    /// Summed numbers: integers unchanged, others in billionths, so that sums are exact.
    pub numbers: &'static [Number],
}

/// A number that a rollup sums.
#[derive(Debug)]
pub struct Number {
    /// Name of the sum; the columns of the table append `_sum` and `_n`.
    pub name: &'static str,
    /// Summed column.
    pub column: &'static str,
    /// Column and value that select the rows whose number is summed; `None` selects all rows.
    pub only: Option<(&'static str, &'static str)>,
}

impl Number {
    const fn of(column: &'static str) -> Self {
        Self { name: column, column, only: None }
    }

    /// The effort answers on one scale.
    const fn ces(name: &'static str, scale: CesScale) -> Self {
        let only = Some((feedback_record::CES_SCALE.name(), scale.text()));
        Self { name, column: feedback_record::CES.name(), only }
    }

    /// Returns the columns that determine the number of a row.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> {
        [self.column].into_iter().chain(self.only.map(|(column, _)| column))
    }
}

/// All rollups.
pub static ROLLUPS: [&Rollup; 1] = [&FEEDBACK];

/// Feedback records by interaction point and week.
pub static FEEDBACK: Rollup = Rollup {
    noun: &feedback_record::NOUN,
    table: "feedback_week",
    key: "point_id",
    time: "received_at",
    numbers: &FEEDBACK_NUMBERS,
};

/// Numbers of [`FEEDBACK`].
pub const FEEDBACK_NUMBERS: [Number; 7] = [
    Number::of(feedback_record::SENTIMENT_SCORE.name()),
    Number::of(feedback_record::NPS.name()),
    Number::of(feedback_record::CSAT.name()),
    Number::ces("ces", CesScale::Ease7),
    Number::ces("ces_ease_5", CesScale::Ease5),
    Number::ces("ces_effort_7", CesScale::Effort7),
    Number::ces("ces_effort_5", CesScale::Effort5),
];

/// Returns the rollup of a noun, if there is one.
pub fn of(noun: &Noun) -> Option<&'static Rollup> {
    ROLLUPS.into_iter().find(|rollup| rollup.noun.table == noun.table)
}
