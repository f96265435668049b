use chrono::{DateTime, Utc};
use chrono_tz::{America::New_York, Europe::Berlin, Tz, UTC};

use super::Schedule;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

/// The first occurrences after an instant.
fn occurrences(expression: &str, after: &str, zone: Tz, most: usize) -> Vec<DateTime<Utc>> {
    let schedule = Schedule::parse(expression).expect("a schedule");
    let first = schedule.next(at(after), zone);
    std::iter::successors(first, |last| schedule.next(*last, zone)).take(most).collect()
}

#[test]
fn a_time_of_day_follows_the_clock_of_the_zone_over_both_changes() {
    let spring = occurrences("0 9 * * *", "2026-03-27T12:00:00Z", Berlin, 3);
    assert_eq!(spring, [at("2026-03-28T08:00:00Z"), at("2026-03-29T07:00:00Z"), at("2026-03-30T07:00:00Z")]);
    let autumn = occurrences("0 9 * * *", "2026-10-31T00:00:00Z", New_York, 2);
    assert_eq!(autumn, [at("2026-10-31T13:00:00Z"), at("2026-11-01T14:00:00Z")]);
}

#[test]
fn a_skipped_time_happens_after_the_gap_and_a_repeated_one_once() {
    // 02:30 does not exist on 29 March: the clock goes from 02:00 to 03:00, 01:00 UTC.
    let skipped = occurrences("30 2 * * *", "2026-03-28T12:00:00Z", Berlin, 2);
    assert_eq!(skipped, [at("2026-03-29T01:00:00Z"), at("2026-03-30T00:30:00Z")]);
    // 02:30 exists twice on 25 October, at 00:30 and 01:30 UTC.
    let repeated = occurrences("30 2 * * *", "2026-10-24T12:00:00Z", Berlin, 2);
    assert_eq!(repeated, [at("2026-10-25T00:30:00Z"), at("2026-10-26T01:30:00Z")]);
}

#[test]
fn minutes_pass_evenly_while_the_clock_changes() {
    let all = occurrences("*/10 * * * *", "2026-10-24T22:55:00Z", Berlin, 40);
    assert!(all.windows(2).all(|pair| (pair[1] - pair[0]).num_minutes() == 10), "{all:?}");
}

#[test]
fn what_never_happens_has_no_next_time_and_what_is_no_schedule_is_none() {
    assert!(occurrences("0 0 30 2 *", "2026-01-01T00:00:00Z", UTC, 1).is_empty());
    for text in ["", "* * *", "61 * * * *", "every day"] {
        assert!(Schedule::parse(text).is_none(), "{text}");
    }
}
