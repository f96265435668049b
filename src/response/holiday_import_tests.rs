use std::panic::catch_unwind;

use chrono::NaiveDate;
use proptest::prelude::*;

use super::{Code, Mistake, read};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn taken(document: &str) -> Result<Vec<(String, String)>, Vec<Mistake>> {
    let days = read(document, day("2026-01-01"), day("2027-12-31"), || Ok(())).unwrap()?;
    Ok(days.into_iter().map(|day| (day.date.to_string(), day.name)).collect())
}

fn calendar(events: &str) -> String {
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\n{events}END:VCALENDAR\r\n")
}

fn event(lines: &str) -> String {
    let lines = lines.replace('|', "\r\n");
    format!("BEGIN:VEVENT\r\nUID:one\r\nSUMMARY:A holiday\r\n{lines}\r\nEND:VEVENT\r\n")
}

fn dates(lines: &str) -> Vec<String> {
    taken(&calendar(&event(lines))).unwrap().into_iter().map(|(date, _)| date).collect()
}

#[test]
fn all_day_events_are_holidays() {
    assert_eq!(dates("DTSTART;VALUE=DATE:20261225"), ["2026-12-25"]);
    assert_eq!(dates("DTSTART;VALUE=DATE:20261225|DTEND;VALUE=DATE:20261227"), ["2026-12-25", "2026-12-26"]);
    assert_eq!(dates("DTSTART;VALUE=DATE:20251231|DTEND;VALUE=DATE:20260102"), ["2026-01-01"]);
    assert_eq!(dates("DTSTART:20261225T090000Z"), [""; 0]);
    assert_eq!(dates("DTSTART;VALUE=DATE:20261225|STATUS:CANCELLED"), [""; 0]);
    assert_eq!(dates("DTSTART;VALUE=DATE:20291225"), [""; 0]);
}

#[test]
fn recurring_events_are_holidays_on_each_of_their_days() {
    assert_eq!(dates("DTSTART;VALUE=DATE:19901225|RRULE:FREQ=YEARLY"), ["2026-12-25", "2027-12-25"]);
    // The fourth Thursday of November.
    let thanks = "DTSTART;VALUE=DATE:20201126|RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH";
    assert_eq!(dates(thanks), ["2026-11-26", "2027-11-25"]);
    assert_eq!(dates("DTSTART;VALUE=DATE:20251225|RRULE:FREQ=YEARLY;UNTIL=20261225"), ["2026-12-25"]);
    assert_eq!(dates("DTSTART;VALUE=DATE:20251225|RRULE:FREQ=YEARLY;COUNT=2"), ["2026-12-25"]);
    assert_eq!(dates("DTSTART;VALUE=DATE:20261225|RRULE:FREQ=YEARLY|EXDATE;VALUE=DATE:20261225"), ["2027-12-25"]);
    assert_eq!(dates("DTSTART;VALUE=DATE:20200229|RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"), [""; 0]);
}

#[test]
fn texts_are_read_as_they_are_meant() {
    let folded =
        "BEGIN:VEVENT\r\nUID:two\r\nDTSTART;VALUE=DATE:20260101\r\nSUMMARY:New\\, old \r\n and next\r\nEND:VEVENT\r\n";
    let day = |name: &str| vec![("2026-01-01".to_owned(), name.to_owned())];
    assert_eq!(taken(&calendar(folded)), Ok(day("New, old and next")));
    assert_eq!(taken(&format!("\u{feff}{}", calendar(folded).replace("\r\n", "\n"))), Ok(day("New, old and next")));
    // The same event twice is one holiday.
    let one = event("DTSTART;VALUE=DATE:20260101");
    assert_eq!(taken(&calendar(&format!("{one}{one}"))), Ok(day("A holiday")));
}

#[test]
fn mistakes_have_a_code_and_a_place() {
    let mistake = |document: &str| {
        let mistakes = taken(document).unwrap_err();
        mistakes.into_iter().map(|(place, code, _)| (place, code)).collect::<Vec<_>>()
    };
    assert_eq!(mistake(""), [(None, Code::Invalid)]);
    assert_eq!(mistake("dear diary"), [(None, Code::Invalid)]);
    assert_eq!(mistake(&event("DTSTART;VALUE=DATE:20260101")), [(None, Code::Invalid)]);
    assert_eq!(mistake(&"x".repeat(1024 * 1024 + 1)), [(None, Code::TooLong)]);
    let good = event("DTSTART;VALUE=DATE:20260101");
    let bad = |lines: &str| mistake(&calendar(&format!("{good}{}", event(lines))));
    assert_eq!(bad("DTEND;VALUE=DATE:20260101"), [(Some(1), Code::Required)]);
    for lines in [
        "DTSTART;VALUE=DATE:20260230",
        "DTSTART;VALUE=DATE:2026",
        "DTSTART;VALUE=DATE:18991231",
        "DTSTART;VALUE=DATE:20260101|DTEND;VALUE=DATE:tomorrow",
        "DTSTART;VALUE=DATE:20260101|RRULE:FREQ=HOURLY",
        "DTSTART;VALUE=DATE:20260101|RRULE:FREQ=DAILY;BYHOUR=1,2,3",
        "DTSTART;VALUE=DATE:20260101|RRULE:nonsense",
        "DTSTART;VALUE=DATE:20260101|RRULE:FREQ=YEARLY;UNTIL=x",
    ] {
        assert_eq!(bad(lines), [(Some(1), Code::Invalid)], "{lines}");
    }
    let nameless = "BEGIN:VEVENT\r\nUID:one\r\nDTSTART;VALUE=DATE:20260101\r\nEND:VEVENT\r\n";
    assert_eq!(mistake(&calendar(nameless)), [(Some(0), Code::Required)]);
}

#[test]
fn a_document_is_bounded() {
    let many = |lines: &str, count: usize| {
        let events: String = (0..count).map(|place| event(lines).replace("UID:one", &format!("UID:{place}"))).collect();
        taken(&calendar(&events)).map_err(|mistakes| mistakes[0].1)
    };
    assert_eq!(many("DTSTART;VALUE=DATE:20260101", 1_001), Err(Code::TooLong));
    assert_eq!(many("DTSTART:20260101T000000Z", 5_001), Err(Code::TooLong));
    assert_eq!(many("DTSTART;VALUE=DATE:19000101|RRULE:FREQ=YEARLY;COUNT=1", 101), Err(Code::TooLong));
    assert_eq!(many("DTSTART;VALUE=DATE:19000101|RRULE:FREQ=DAILY;UNTIL=20250101", 3), Err(Code::Invalid));
    let nested = "BEGIN:VEVENT\n".repeat(80_000);
    assert_eq!(taken(&calendar(&nested)).map_err(|mistakes| mistakes[0].1), Err(Code::Invalid));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn no_document_makes_it_panic(
        lines in prop::collection::vec(
            prop_oneof![
                prop::sample::select(&[
                    "BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "BEGIN:", "END:", "begin:vevent",
                    "UID:1", "SUMMARY:x", "SUMMARY:\\", "DTSTART:20260101", "DTSTART;VALUE=DATE:20260101", "DTSTART:",
                    "DTEND:99991231", "DTEND:19000101", "RRULE:FREQ=YEARLY", "RRULE:FREQ=DAILY;INTERVAL=0",
                    "RRULE:FREQ=MONTHLY;BYDAY=-5MO,99XX", "RRULE:FREQ=YEARLY;BYYEARDAY=366;BYSETPOS=-366",
                    "RRULE:FREQ=WEEKLY;COUNT=4294967295;INTERVAL=65535", "RRULE:FREQ=YEARLY;BYWEEKNO=53;WKST=SU",
                    "EXDATE:20260101,x", "DTSTART;X=\"", ";;;", ":", " folded", "\u{0}", "\u{1f600}:\u{1f600}",
                ][..]).prop_map(str::to_owned),
                ".{0,40}",
                "RRULE:FREQ=(YEARLY|MONTHLY|WEEKLY|DAILY)(;(INTERVAL|COUNT|BYMONTH|BYMONTHDAY|BYDAY|BYSETPOS|UNTIL)=-?[0-9A-Z,]{0,9}){0,4}",
            ],
            0..40,
        ),
        is_whole in any::<bool>(),
    ) {
        let text = lines.join("\r\n");
        let document = if is_whole { calendar(&event(&text)) } else { text };
        prop_assert!(catch_unwind(|| drop(taken(&document))).is_ok());
    }
}
