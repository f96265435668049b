use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Timelike as _, Utc};
use chrono_tz::Tz;
use entity::{
    kind::{Date, LocalTime},
    organization::Weekday::{self, *},
};
use proptest::prelude::*;

use super::BusinessTime;

const DAYS: [Weekday; 7] = [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday];

type Interval = (Weekday, LocalTime, LocalTime);

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn time(minutes: i64) -> LocalTime {
    LocalTime::parse(&format!("{:02}:{:02}", minutes / 60, minutes % 60)).unwrap()
}

fn from_nine_to_five() -> impl Iterator<Item = Interval> {
    DAYS.into_iter().take(5).map(|day| (day, time(9 * 60), time(17 * 60)))
}

/// Hours from nine to five on weekdays.
fn office(zone: &str, holidays: &[&str]) -> BusinessTime {
    let holidays = holidays.iter().map(|day| Date::parse(day).unwrap());
    BusinessTime::new(zone.parse().unwrap(), from_nine_to_five(), holidays)
}

#[test]
fn the_published_cases_hold() {
    let calendar = office("UTC", &[]);
    for (from, hours, due) in [
        ("2026-11-20T16:30:00Z", 1, "2026-11-23T09:30:00Z"),
        ("2026-11-18T07:00:00Z", 2, "2026-11-18T11:00:00Z"),
        ("2026-11-20T16:00:00Z", 1, "2026-11-20T17:00:00Z"),
        ("2026-11-21T12:00:00Z", 8, "2026-11-23T17:00:00Z"),
        ("2026-11-20T09:00:00Z", 40, "2026-11-26T17:00:00Z"),
    ] {
        assert_eq!(calendar.after(at(from), TimeDelta::hours(hours)), Some(at(due)), "{from} + {hours} h");
        assert_eq!(calendar.between(at(from), at(due)), TimeDelta::hours(hours), "{from} to {due}");
    }
}

#[test]
fn hours_follow_the_local_clock_across_a_change() {
    let calendar = office("Europe/Berlin", &[]);
    // Germany changed its clocks on Sunday, 29 March and 25 October 2026.
    assert_eq!(calendar.after(at("2026-03-27T15:30:00Z"), TimeDelta::hours(1)), Some(at("2026-03-30T07:30:00Z")));
    assert_eq!(calendar.after(at("2026-10-23T14:30:00Z"), TimeDelta::hours(1)), Some(at("2026-10-26T08:30:00Z")));
}

#[test]
fn an_hour_that_is_skipped_does_not_pass_and_one_that_is_repeated_passes_twice() {
    let night = [(Sunday, time(60), time(4 * 60))];
    let calendar = BusinessTime::new("Europe/Berlin".parse().unwrap(), night, []);
    let passed = |from: &str, to: &str| calendar.between(at(from), at(to)).num_hours();
    assert_eq!(passed("2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"), 2);
    assert_eq!(passed("2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z"), 4);
    assert_eq!(passed("2026-11-07T12:00:00Z", "2026-11-08T12:00:00Z"), 3);
}

#[test]
fn a_day_that_the_date_line_skips_is_not_worked() {
    // Samoa had no 30 December 2011, a Friday.
    let calendar = office("Pacific/Apia", &[]);
    assert_eq!(calendar.between(at("2011-12-26T00:00:00Z"), at("2012-01-02T00:00:00Z")), TimeDelta::hours(4 * 8 + 5));
}

#[test]
fn holidays_are_closed_and_a_calendar_without_hours_is_open_otherwise() {
    let calendar = office("UTC", &["2026-11-23"]);
    assert_eq!(calendar.after(at("2026-11-20T16:30:00Z"), TimeDelta::hours(1)), Some(at("2026-11-24T09:30:00Z")));
    let always = BusinessTime::new(Tz::UTC, [], [Date::parse("2026-11-23").unwrap()]);
    assert_eq!(always.after(at("2026-11-22T23:00:00Z"), TimeDelta::hours(2)), Some(at("2026-11-24T01:00:00Z")));
}

#[test]
fn what_is_not_reached_within_ten_years_is_never_due() {
    let seldom = BusinessTime::new(Tz::UTC, [(Monday, time(0), time(1))], []);
    assert_eq!(seldom.after(at("2026-11-22T00:00:00Z"), TimeDelta::minutes(523)), None);
    assert!(seldom.after(at("2026-11-22T00:00:00Z"), TimeDelta::minutes(500)).is_some());
    let far = DateTime::<Utc>::MAX_UTC - TimeDelta::days(1);
    assert_eq!(seldom.after(far, TimeDelta::minutes(3)), None);
    assert!(seldom.between(DateTime::<Utc>::MIN_UTC, at("2026-11-22T00:00:00Z")) < TimeDelta::minutes(523));
}

#[test]
fn nothing_passes_backwards() {
    let calendar = office("UTC", &[]);
    let (earlier, later) = (at("2026-11-18T10:00:00Z"), at("2026-11-18T12:00:00Z"));
    assert_eq!(calendar.between(later, earlier), TimeDelta::zero());
    assert_eq!(calendar.after(later, TimeDelta::hours(-1)), Some(later));
}

/// An independent model: asks the local clock of each minute.
struct Model {
    zone: Tz,
    intervals: Vec<Interval>,
    holidays: Vec<NaiveDate>,
}

impl Model {
    fn is_open(&self, at: DateTime<Utc>) -> bool {
        let local = at.with_timezone(&self.zone);
        let minute = i64::from(local.hour() * 60 + local.minute());
        let weekday = DAYS[local.weekday().num_days_from_monday() as usize];
        let holds =
            |(day, opens, closes): &Interval| *day == weekday && (opens.minutes()..closes.minutes()).contains(&minute);
        !self.holidays.contains(&local.date_naive()) && (self.intervals.is_empty() || self.intervals.iter().any(holds))
    }

    fn between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
        let minutes = (to - from).num_minutes();
        (0..minutes).filter(|minute| self.is_open(from + TimeDelta::minutes(*minute))).count().try_into().unwrap()
    }

    fn after(&self, from: DateTime<Utc>, mut left: i64) -> Option<DateTime<Utc>> {
        let minutes = (0..60 * 24 * 60).map(|minute| from + TimeDelta::minutes(minute));
        for minute in minutes {
            if self.is_open(minute) {
                left -= 1;
            }
            if left == 0 {
                return Some(minute + TimeDelta::minutes(1));
            }
        }
        None
    }
}

/// Zones whose clocks change by an hour, by half an hour, at midnight, or not at all.
const ZONES: [&str; 8] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Havana",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "America/Santiago",
];

/// Up to three intervals a day that do not overlap.
fn intervals() -> impl Strategy<Value = Vec<Interval>> {
    let day = prop::collection::btree_set(0..=96_i64, 0..=6);
    prop::collection::vec(day, 7).prop_map(|days| {
        let of_day = |(day, edges): (Weekday, std::collections::BTreeSet<i64>)| {
            let edges: Vec<i64> = edges.into_iter().collect();
            edges.chunks_exact(2).map(|pair| (day, time(pair[0] * 15), time(pair[1] * 15))).collect::<Vec<_>>()
        };
        DAYS.into_iter().zip(days).flat_map(of_day).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn each_minute_counts_as_the_local_clock_shows(
        zone in prop::sample::select(&ZONES[..]),
        intervals in intervals(),
        closed in prop::collection::vec(0..30_i64, 0..4),
        // A change of the clocks is near in half of the cases: March, April, September, October and November of 2026.
        start in prop_oneof![0..525_600_i64, 100_000..150_000_i64, 360_000..440_000_i64],
        left in 1..3_000_i64,
    ) {
        let zone: Tz = zone.parse().unwrap();
        let from = at("2026-01-01T00:00:00Z") + TimeDelta::minutes(start);
        let holidays: Vec<NaiveDate> = closed.iter().map(|day| (from + TimeDelta::days(*day)).date_naive()).collect();
        let calendar = BusinessTime::new(zone, intervals.clone(), holidays.iter().copied().map(Date::of));
        let model = Model { zone, intervals, holidays };
        let due = model.after(from, left);
        let ours = calendar.after(from, TimeDelta::minutes(left));
        match due {
            Some(_) => prop_assert_eq!(ours, due),
            None => prop_assert!(ours.is_none_or(|ours| ours - from > TimeDelta::days(59))),
        }
        let to = due.unwrap_or(from + TimeDelta::days(60)).min(from + TimeDelta::days(20));
        prop_assert_eq!(calendar.between(from, to), TimeDelta::minutes(model.between(from, to)));
    }
}
