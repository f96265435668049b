//! Converts the measured work of a request into points. `docs/reference/points.md` documents the prices for clients.

use crate::store::usage::meter::Spent;

/// Rows read, or tenths of points for the response, per point.
const TENTHS: u64 = 10;
/// Microseconds of the single `SQLite` writer per point: all other writers wait meanwhile.
const OF_THE_WRITER: u128 = 20;
/// Microseconds of a transaction's statements on PostgreSQL per point: other requests use connections of their own.
const OF_A_TRANSACTION: u128 = 100;
/// Rows and lines in one `SQLite` transaction that cost nothing extra: it does not block other writers for too long.
const SHORT: u64 = 1_000;
/// Points per row and line beyond [`SHORT`]: the price allows an occasional large transaction, not a steady load.
const OF_A_ROW_BEYOND: u64 = 40;

/// Returns the points due for the measured work.
pub fn due(spent: &Spent, has_one_writer: bool) -> u64 {
    let (each, beyond) = if has_one_writer { (OF_THE_WRITER, OF_A_ROW_BEYOND) } else { (OF_A_TRANSACTION, 0) };
    let work = u64::try_from(spent.writer.as_micros() / each).unwrap_or(u64::MAX);
    let rows = spent.answered.max(spent.rows_read).div_ceil(TENTHS);
    rows.max(work).saturating_add(spent.points).saturating_add(spent.at_once.saturating_sub(SHORT) * beyond)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Spent, due};
    use crate::graphql::documents::limits::Limits;

    #[test]
    fn work_is_charged_by_what_it_takes_and_answers_by_what_they_hold() {
        let spent = |millis, rows_read, answered, points| Spent {
            writer: Duration::from_millis(millis),
            rows_read,
            answered,
            points,
            ..Spent::default()
        };
        assert_eq!(due(&spent(20, 0, 0, 0), true), 1_000);
        assert_eq!(due(&spent(20, 0, 0, 0), false), 200);
        assert_eq!(due(&spent(0, 1_000, 4_001, 0), true), 401);
        assert_eq!(due(&spent(0, 5_000, 1, 0), true), 500);
        assert_eq!(due(&spent(20, 100, 100, 50), true), 1_050);
        assert_eq!(due(&Spent::default(), true), 0);
        let long = |at_once| Spent { at_once, ..Spent::default() };
        assert_eq!((due(&long(1_000), true), due(&long(1_002), true), due(&long(10_000), false)), (0, 80, 0));
    }

    #[test]
    fn a_first_sync_of_thirty_thousand_rows_fits_twice_into_a_full_bucket() {
        // Slightly more time than a call with 1,000 new customers takes on a busy machine, and the points reserved for
        // it. PostgreSQL is slow at this until it has analyzed a new table.
        for (millis, has_one_writer) in [(150, true), (800, false)] {
            let writer = Duration::from_millis(millis);
            let call = Spent { writer, rows_written: 4_000, answered: 11_000, ..Spent::default() };
            let points = due(&call, has_one_writer).max(2_001);
            assert!(2 * 30 * points <= Limits::DEFAULT.points.into(), "{points}");
        }
    }
}
