//! Tests of the boundaries of time buckets.

use proptest::prelude::*;
use sea_orm::Iterable;

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn edges(unit: BucketUnit, zone: Tz, from: &str, to: &str) -> Vec<String> {
    boundaries(unit, zone, Weekday::Monday, at(from), at(to), 1_000)
        .unwrap()
        .into_iter()
        .map(|edge| zone.timestamp_millis_opt(edge).unwrap().format("%Y-%m-%dT%H:%M%:z").to_string())
        .collect()
}

fn lengths_in_minutes(unit: BucketUnit, zone: Tz, from: &str, to: &str) -> Vec<i64> {
    let edges = boundaries(unit, zone, Weekday::Monday, at(from), at(to), 1_000).unwrap();
    edges.windows(2).map(|pair| (pair[1] - pair[0]) / 60_000).collect()
}

#[test]
fn each_unit_starts_where_the_calendar_says() {
    use BucketUnit::{Day, Month, Quarter, Week, Year};
    let (from, to) = ("2026-05-14T09:30:00Z", "2026-05-14T09:30:00Z");
    let cases = [
        (Day, ["2026-05-14T00:00+02:00", "2026-05-15T00:00+02:00"]),
        (Week, ["2026-05-11T00:00+02:00", "2026-05-18T00:00+02:00"]),
        (Month, ["2026-05-01T00:00+02:00", "2026-06-01T00:00+02:00"]),
        (Quarter, ["2026-04-01T00:00+02:00", "2026-07-01T00:00+02:00"]),
        (Year, ["2026-01-01T00:00+01:00", "2027-01-01T00:00+01:00"]),
    ];
    for (unit, expected) in cases {
        assert_eq!(edges(unit, Tz::Europe__Berlin, from, to), expected, "{unit:?}");
    }
}

#[test]
fn a_week_starts_on_the_day_asked_for() {
    for (day, expected) in [(Weekday::Thursday, 14), (Weekday::Friday, 8), (Weekday::Sunday, 10)] {
        let now = at("2026-05-14T12:00:00Z");
        let edges = boundaries(BucketUnit::Week, Tz::UTC, day, now, now, 1).unwrap();
        assert_eq!(DateTime::from_timestamp_millis(edges[0]).unwrap().day(), expected, "{day:?}");
    }
}

#[test]
fn an_instant_on_an_edge_is_in_the_bucket_it_starts() {
    let found = edges(BucketUnit::Day, Tz::UTC, "2026-05-14T00:00:00Z", "2026-05-15T00:00:00Z");
    assert_eq!(found, ["2026-05-14T00:00+00:00", "2026-05-15T00:00+00:00", "2026-05-16T00:00+00:00"]);
}

#[test]
fn days_are_shorter_and_longer_when_the_clocks_change() {
    let day = BucketUnit::Day;
    let berlin = Tz::Europe__Berlin;
    let spring = lengths_in_minutes(day, berlin, "2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z");
    assert_eq!(spring, [24 * 60, 23 * 60, 24 * 60]);
    let autumn = lengths_in_minutes(day, berlin, "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z");
    assert_eq!(autumn, [24 * 60, 25 * 60, 24 * 60]);
}

#[test]
fn a_day_without_midnight_starts_when_its_clock_does() {
    let day = BucketUnit::Day;
    let found = edges(day, Tz::America__Sao_Paulo, "2018-11-03T12:00:00Z", "2018-11-04T12:00:00Z");
    assert_eq!(found, ["2018-11-03T00:00-03:00", "2018-11-04T01:00-02:00", "2018-11-05T00:00-02:00"]);
    let found = edges(day, Tz::Africa__Cairo, "2023-04-28T12:00:00Z", "2023-04-28T12:00:00Z");
    assert_eq!(found, ["2023-04-28T01:00+03:00", "2023-04-29T00:00+03:00"]);
    // The gap began before midnight: 23:30 was followed by 00:30.
    let found = edges(day, Tz::America__Toronto, "1919-03-31T12:00:00Z", "1919-03-31T12:00:00Z");
    assert_eq!(found, ["1919-03-31T00:30-04:00", "1919-04-01T00:00-04:00"]);
}

#[test]
fn a_day_with_two_midnights_starts_at_the_first() {
    let found = edges(BucketUnit::Day, Tz::America__Havana, "2025-11-02T12:00:00Z", "2025-11-02T12:00:00Z");
    assert_eq!(found, ["2025-11-02T00:00-04:00", "2025-11-03T00:00-05:00"]);
}

#[test]
fn a_day_that_the_date_line_skipped_is_no_bucket() {
    let found = edges(BucketUnit::Day, Tz::Pacific__Apia, "2011-12-29T22:00:00Z", "2011-12-30T22:00:00Z");
    assert_eq!(found, ["2011-12-29T00:00-10:00", "2011-12-31T00:00+14:00", "2012-01-01T00:00+14:00"]);
}

#[test]
fn hours_are_aligned_to_the_local_clock() {
    let found = edges(BucketUnit::Hour, Tz::Asia__Kolkata, "2026-05-14T09:10:00Z", "2026-05-14T09:40:00Z");
    assert_eq!(found, ["2026-05-14T14:00+05:30", "2026-05-14T15:00+05:30", "2026-05-14T16:00+05:30"]);
}

#[test]
fn hours_stay_real_hours_when_the_clocks_change_by_one() {
    for (from, to) in
        [("2026-03-29T00:10:00Z", "2026-03-29T02:50:00Z"), ("2026-10-25T00:10:00Z", "2026-10-25T02:50:00Z")]
    {
        assert_eq!(lengths_in_minutes(BucketUnit::Hour, Tz::Europe__Berlin, from, to), [60, 60, 60]);
    }
}

#[test]
fn a_change_by_half_an_hour_makes_one_hour_shorter_or_longer() {
    let zone = Tz::Australia__Lord_Howe;
    let found = edges(BucketUnit::Hour, zone, "2025-10-04T14:45:00Z", "2025-10-04T16:10:00Z");
    let expected =
        ["2025-10-05T01:00+10:30", "2025-10-05T02:30+11:00", "2025-10-05T03:00+11:00", "2025-10-05T04:00+11:00"];
    assert_eq!(found, expected);
    let found = edges(BucketUnit::Hour, zone, "2026-04-04T14:45:00Z", "2026-04-04T16:10:00Z");
    assert_eq!(found, ["2026-04-05T01:00+11:00", "2026-04-05T02:00+10:30", "2026-04-05T03:00+10:30"]);
}

#[test]
fn more_buckets_than_allowed_are_refused_without_counting_them_all() {
    let (from, to) = (at("2026-01-01T00:00:00Z"), at("2026-01-03T23:59:59Z"));
    let days = |most| boundaries(BucketUnit::Day, Tz::UTC, Weekday::Monday, from, to, most);
    assert_eq!(days(3).unwrap().len(), 4);
    assert_eq!(days(2), None);
    assert_eq!(days(0), None);
    assert_eq!(boundaries(BucketUnit::Hour, Tz::UTC, Weekday::Monday, from, DateTime::<Utc>::MAX_UTC, 50), None);
}

#[test]
fn the_ends_of_the_calendar_are_refused() {
    for unit in BucketUnit::iter() {
        for zone in [Tz::Pacific__Kiritimati, Tz::Pacific__Niue] {
            for end in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
                assert_eq!(boundaries(unit, zone, Weekday::Sunday, end, end, 10), None, "{unit:?} {zone}");
            }
        }
    }
}

/// Zones that change the clock at midnight, by half an hour, two hours or a day, or whose offset is not a whole hour.
const HARD: [Tz; 18] = [
    Tz::UTC,
    Tz::Africa__Cairo,
    Tz::Africa__Casablanca,
    Tz::Africa__Monrovia,
    Tz::America__Asuncion,
    Tz::America__Havana,
    Tz::America__Sao_Paulo,
    Tz::America__Scoresbysund,
    Tz::America__St_Johns,
    Tz::Antarctica__Troll,
    Tz::Asia__Gaza,
    Tz::Asia__Kathmandu,
    Tz::Asia__Kolkata,
    Tz::Atlantic__Azores,
    Tz::Australia__Lord_Howe,
    Tz::Europe__Berlin,
    Tz::Pacific__Apia,
    Tz::Pacific__Chatham,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn buckets_are_contiguous_cover_the_range_and_start_with_their_unit(
        unit in proptest::sample::select(BucketUnit::iter().collect::<Vec<_>>()),
        week_start in proptest::sample::select(Weekday::iter().collect::<Vec<_>>()),
        zone in proptest::sample::select(HARD.to_vec()),
        // 1970 to 2040.
        from in 0_i64..2_209_000_000_000,
        buckets in 0_i64..40,
    ) {
        let calendar = Calendar { unit, zone, week_start };
        let to = from + buckets * calendar.longest().num_milliseconds() / 3;
        let instant = |edge| DateTime::from_timestamp_millis(edge).unwrap();
        let edges = boundaries(unit, zone, week_start, instant(from), instant(to), 1_000).unwrap();

        prop_assert!(edges.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(edges[0] <= from && from < edges[1]);
        prop_assert!(edges[edges.len() - 2] <= to && to < edges[edges.len() - 1]);
        for edge in edges {
            let local = instant(edge).with_timezone(&zone).naive_local();
            let just_before = instant(edge - 1).with_timezone(&zone).naive_local();
            if unit == BucketUnit::Hour {
                let offset = super::offset(calendar.zone, edge.div_euclid(1_000)).unwrap();
                let is_whole = (edge / 1_000 + offset).rem_euclid(HOUR) == 0;
                prop_assert!(is_whole || local - just_before > TimeDelta::minutes(1), "{local} in {zone}");
            } else {
                let unit_of = |date| calendar.first_date(date).unwrap();
                prop_assert!(unit_of(just_before.date()) < unit_of(local.date()), "{local} in {zone}");
            }
        }
    }

    #[test]
    fn every_instant_that_is_kept_is_in_a_bucket_of_every_unit_and_zone(
        unit in proptest::sample::select(BucketUnit::iter().collect::<Vec<_>>()),
        week_start in proptest::sample::select(Weekday::iter().collect::<Vec<_>>()),
        zone in proptest::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
        // Years 1 to 9999, the ends more often.
        at in prop_oneof![
            Just(-62_135_596_800_000_i64),
            Just(253_402_300_799_999_i64),
            -62_135_596_800_000_i64..-62_000_000_000_000_i64,
            253_300_000_000_000_i64..253_402_300_800_000_i64,
            -62_135_596_800_000_i64..253_402_300_800_000_i64,
        ],
    ) {
        let at = DateTime::from_timestamp_millis(at).unwrap();
        let edges = boundaries(unit, zone, week_start, at, at, 1);
        prop_assert!(edges.as_ref().is_some_and(|edges| edges.len() == 2), "{edges:?}");
        let edges = edges.unwrap_or_default();
        prop_assert!(edges[0] <= at.timestamp_millis() && at.timestamp_millis() < edges[1]);
    }

    #[test]
    fn two_ranges_agree_on_the_edges_they_share(
        unit in proptest::sample::select(BucketUnit::iter().collect::<Vec<_>>()),
        zone in proptest::sample::select(HARD.to_vec()),
        from in 0_i64..2_209_000_000_000,
        later in 0_i64..400_000_000,
    ) {
        let instant = |edge| DateTime::from_timestamp_millis(edge).unwrap();
        let end = instant(from + later);
        let cut = |start| boundaries(unit, zone, Weekday::Monday, instant(start), end, 1_000).unwrap();
        let (long, short) = (cut(from), cut(from + later));
        prop_assert!(long.ends_with(&short));
    }
}
