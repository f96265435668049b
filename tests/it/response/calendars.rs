//! Business calendars, their intervals and holidays, and what policies may promise by them.

use serde_json::{Value, json};

use super::deadlines::{all_four, clock, office, policy};
use crate::{
    app::{App, Caller},
    elements::{listed, refused},
    journeys::{TOLD, by_id, made, mistakes, one},
};

async fn calendar(caller: &Caller<'_>) -> String {
    made(caller, "businessCalendarCreate", json!({ "name": "Office" })).await
}

fn interval(calendar: &str, weekday: &str, opens: &str, closes: &str) -> Value {
    json!({ "calendarRef": by_id(calendar), "weekday": weekday, "opens": opens, "closes": closes })
}

fn document(events: &[(&str, &str, &str)]) -> String {
    let event = |(uid, date, name): &(&str, &str, &str)| {
        format!("BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTART;VALUE=DATE:{date}\r\nSUMMARY:{name}\r\nEND:VEVENT\r\n")
    };
    let events: String = events.iter().map(event).collect();
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n{events}END:VCALENDAR\r\n")
}

fn import(calendar: &str, document: &str) -> Value {
    json!({ "by": by_id(calendar), "from": "2026-01-01", "to": "2027-12-31", "document": document })
}

#[tokio::test]
async fn a_calendar_has_the_zone_of_its_organization_unless_it_says_another() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    made(&caller, "organizationUpdate", json!({ "timeZone": "Asia/Kathmandu" })).await;
    let own = calendar(&caller).await;
    made(&caller, "businessCalendarCreate", json!({ "name": "Berlin", "timeZone": "Europe/Berlin" })).await;
    let zones = listed(&caller, "BusinessCalendar", "businessCalendars", "timeZone", Value::Null).await;
    assert_eq!(zones, ["Asia/Kathmandu", "Europe/Berlin"]);
    let unknown = json!({ "by": by_id(&own), "timeZone": "Europe/Atlantis" });
    refused(&app, &caller, vec![("businessCalendarUpdate", unknown, "INVALID", "timeZone")]).await;
}

#[tokio::test]
async fn intervals_of_a_day_do_not_overlap() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (office, shop) = (calendar(&caller).await, calendar(&caller).await);
    let morning = made(&caller, "businessIntervalCreate", interval(&office, "MONDAY", "09:00", "12:00")).await;
    let noon = made(&caller, "businessIntervalCreate", interval(&office, "MONDAY", "12:00", "13:00")).await;
    made(&caller, "businessIntervalCreate", interval(&office, "MONDAY", "22:00", "24:00")).await;
    made(&caller, "businessIntervalCreate", interval(&office, "TUESDAY", "09:00", "12:00")).await;
    made(&caller, "businessIntervalCreate", interval(&shop, "MONDAY", "09:00", "12:00")).await;
    let create = |opens: &str, closes: &str| interval(&office, "MONDAY", opens, closes);
    let cases = vec![
        ("businessIntervalCreate", create("11:59", "12:00"), "INVALID", "opens"),
        ("businessIntervalCreate", create("08:00", "23:00"), "INVALID", "opens"),
        ("businessIntervalCreate", create("23:59", "24:00"), "INVALID", "opens"),
        ("businessIntervalCreate", create("15:00", "15:00"), "OUT_OF_RANGE", "closes"),
        ("businessIntervalCreate", create("15:00", "14:00"), "OUT_OF_RANGE", "closes"),
        ("businessIntervalCreate", create("24:00", "24:00"), "OUT_OF_RANGE", "closes"),
        ("businessIntervalCreate", create("15:00", "24:01"), "INVALID", "closes"),
        ("businessIntervalUpdate", json!({ "by": by_id(&morning), "closes": "12:01" }), "INVALID", "opens"),
        ("businessIntervalUpdate", json!({ "by": by_id(&noon), "opens": "13:00" }), "OUT_OF_RANGE", "opens"),
    ];
    refused(&app, &caller, cases).await;
    // What changes in one call is judged by its end, and a refused change leaves its place taken.
    let row = |id: &str, weekday: &str, opens: &str| {
        let mut row = interval(&office, weekday, opens, &opens.replace(":00", ":30"));
        row["externalId"] = json!({ "system": "test", "id": id });
        row
    };
    let bulk = |rows: Value| {
        let caller = caller.clone();
        let input = json!({ "rows": rows, "policy": "SKIP_INVALID" });
        async move { caller.mutate("businessIntervalsBulkUpsert", input, &format!("results {{ {TOLD} }}")).await }
    };
    let results = |payload: &Value| payload["results"].as_array().unwrap().iter().map(mistakes).collect::<Vec<_>>();
    let told =
        bulk(json!([row("1", "FRIDAY", "09:00"), row("2", "FRIDAY", "10:00"), row("3", "FRIDAY", "09:00")])).await;
    assert_eq!(results(&told), [vec![], vec![], one("INVALID", &["opens"])]);
    let told = bulk(json!([row("1", "FRIDAY", "10:00"), row("2", "FRIDAY", "09:00")])).await;
    assert_eq!(results(&told), [vec![], vec![]]);
    let told = bulk(json!([row("1", "MONDAY", "09:00"), row("2", "FRIDAY", "10:00")])).await;
    assert_eq!(results(&told), [one("INVALID", &["opens"]), one("INVALID", &["opens"])]);
}

#[tokio::test]
async fn hours_of_several_intervals_and_holidays_count() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let input = json!({ "name": "Split", "timeZone": "Europe/Berlin",
        "intervals": { "upsert": [
            { "weekday": "MONDAY", "opens": "08:00", "closes": "12:00" },
            { "weekday": "MONDAY", "opens": "13:00", "closes": "17:00" },
            { "weekday": "TUESDAY", "opens": "08:00", "closes": "12:00" },
        ] },
        "holidays": { "upsert": [{ "date": "2026-11-24", "name": "Closed" }] } });
    let split = made(&caller, "businessCalendarCreate", input).await;
    policy(&caller, &split, "Nine hours", json!({ "acknowledgeMinutes": 300, "resolutionMinutes": 540 })).await;
    let case = made(&caller, "caseCreate", json!({ "title": "Leak" })).await;
    // Monday at eight in Berlin is seven in UTC.
    assert_eq!(clock(&caller, &case, "ACKNOWLEDGE").await["dueAt"], "2026-11-23T13:00:00Z");
    assert_eq!(clock(&caller, &case, "RESOLUTION").await["dueAt"], "2026-11-30T08:00:00Z");
    // A change of the calendar moves what starts afterwards.
    let closed = json!({ "calendarRef": by_id(&split), "date": "2026-11-23", "name": "Closed, too" });
    made(&caller, "holidayCreate", closed).await;
    assert_eq!(clock(&caller, &case, "ACKNOWLEDGE").await["dueAt"], "2026-11-23T13:00:00Z");
    let case = made(&caller, "caseCreate", json!({ "title": "Leak" })).await;
    assert_eq!(clock(&caller, &case, "ACKNOWLEDGE").await["dueAt"], "2026-11-30T13:00:00Z");
}

#[tokio::test]
async fn a_policy_promises_what_its_calendar_reaches() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let seldom = calendar(&caller).await;
    made(&caller, "businessIntervalCreate", interval(&seldom, "MONDAY", "09:00", "09:01")).await;
    let good = policy(&caller, &seldom, "Good", json!({ "resolutionMinutes": 500 })).await;
    let named = |name: &str, minutes: i64| json!({ "name": name, "position": 1, "calendarRef": by_id(&seldom), "resolutionMinutes": minutes });
    let open = office(&caller).await;
    let long = policy(&caller, &open, "Long", json!({ "firstResponseMinutes": 525_600 })).await;
    let cases = vec![
        ("responsePolicyCreate", named("Bad", 600), "OUT_OF_RANGE", "resolutionMinutes"),
        ("responsePolicyCreate", named("Bad", 0), "OUT_OF_RANGE", "resolutionMinutes"),
        ("responsePolicyCreate", named("Good", 1), "TAKEN", "name"),
        (
            "responsePolicyUpdate",
            json!({ "by": by_id(&good), "nextResponseMinutes": 600 }),
            "OUT_OF_RANGE",
            "nextResponseMinutes",
        ),
        (
            "responsePolicyUpdate",
            json!({ "by": by_id(&long), "calendarRef": by_id(&seldom) }),
            "OUT_OF_RANGE",
            "firstResponseMinutes",
        ),
    ];
    refused(&app, &caller, cases).await;
    // A calendar that is closed later lets clocks run without an end.
    let short = json!({ "by": by_id(&good), "resolutionMinutes": 60 });
    made(&caller, "responsePolicyUpdate", short).await;
    let hours = caller.ask("{ businessIntervals(filter: { closes: { eq: \"09:01\" } }) { nodes { id } } }").await;
    let hour = hours["businessIntervals"]["nodes"][0]["id"].as_str().unwrap().to_owned();
    let days: Vec<Value> = (0..560_u64)
        .map(|week| chrono::NaiveDate::from_ymd_opt(2026, 11, 23).unwrap() + chrono::Days::new(7 * week))
        .map(|day| json!({ "date": day.to_string(), "name": "Closed" }))
        .collect();
    made(&caller, "businessCalendarUpdate", json!({ "by": by_id(&seldom), "holidays": { "upsert": days } })).await;
    let case = made(&caller, "caseCreate", json!({ "title": "Leak" })).await;
    assert_eq!(clock(&caller, &case, "RESOLUTION").await["dueAt"], Value::Null);
    assert_eq!(clock(&caller, &case, "RESOLUTION").await["remainingMinutes"], 60);
    let gone = caller.mutate("businessIntervalDelete", json!({ "by": by_id(&hour) }), "outcome").await;
    assert_eq!(gone["outcome"], "DELETED");
    let case = made(&caller, "caseCreate", json!({ "title": "Leak" })).await;
    // Without intervals it is open at any hour of days that are no holidays.
    assert_eq!(clock(&caller, &case, "RESOLUTION").await["dueAt"], "2026-11-22T13:00:00Z");
}

#[tokio::test]
async fn an_import_can_be_repeated() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let office = office(&caller).await;
    let field = "businessCalendarImportHolidays";
    let shown = "outcome errors { code path } node { holidays(orderBy: [{ field: DATE }]) { nodes { date name externalIds { system id } } } }";
    let first = document(&[("xmas@x", "20261225", "Christmas"), ("old@x", "20201225", "Long ago")]);
    let done = caller.mutate(field, import(&office, &first), shown).await;
    let key = |date: &str, uid: &str| json!([{ "system": "icalendar", "id": format!("{office}/{date}/{uid}") }]);
    let christmas =
        |name: &str| json!({ "date": "2026-12-25", "name": name, "externalIds": key("2026-12-25", "xmas@x") });
    assert_eq!((&done["outcome"], &done["errors"]), (&json!("UPDATED"), &json!([])));
    assert_eq!(done["node"]["holidays"]["nodes"], json!([christmas("Christmas")]));
    let before = app.dump(caller.organization()).await;
    assert_eq!(caller.mutate(field, import(&office, &first), shown).await["outcome"], "UNCHANGED");
    assert_eq!(app.dump(caller.organization()).await, before);
    // A new name is one, and what is gone from the document stays.
    let second = document(&[("xmas@x", "20261225", "Xmas"), ("new@x", "20270101", "New Year")]);
    let done = caller.mutate(field, import(&office, &second), shown).await;
    let year = json!({ "date": "2027-01-01", "name": "New Year", "externalIds": key("2027-01-01", "new@x") });
    assert_eq!(done["node"]["holidays"]["nodes"], json!([christmas("Xmas"), year]));
    // The same holidays of another calendar are its own.
    let other = calendar(&caller).await;
    let done = caller.mutate(field, import(&other, &second), shown).await;
    assert_eq!(done["node"]["holidays"]["nodes"].as_array().unwrap().len(), 2);
    policy(&caller, &office, "Standard", all_four()).await;
    let case = made(&caller.after(32 * 24 * 60), "caseCreate", json!({ "title": "Leak" })).await;
    // From Thursday, 24 December at noon: five hours, and Friday is Christmas.
    assert_eq!(clock(&caller, &case, "RESOLUTION").await["dueAt"], "2026-12-29T12:00:00Z");
}

#[tokio::test]
async fn an_import_is_refused_as_a_whole() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let office = office(&caller).await;
    let field = "businessCalendarImportHolidays";
    let mixed = document(&[("a", "20261225", "Christmas"), ("b", "20261332", "Never"), ("c", "20261226", "")]);
    let before = app.dump(caller.organization()).await;
    let payload = caller.mutate(field, import(&office, &mixed), TOLD).await;
    let expected =
        [one("INVALID", &["document", "events", "1"]), one("REQUIRED", &["document", "events", "2"])].concat();
    assert_eq!(mistakes(&payload), expected);
    assert_eq!(app.dump(caller.organization()).await, before);
    let good = document(&[("a", "20261225", "Christmas")]);
    let mut backwards = import(&office, &good);
    backwards["to"] = json!("2025-12-31");
    let mut long = import(&office, &good);
    long["to"] = json!("2036-01-03");
    let cases = vec![
        (field, import(&office, "no calendar"), "INVALID", "document"),
        (field, backwards, "OUT_OF_RANGE", "to"),
        (field, long, "OUT_OF_RANGE", "to"),
        (field, import(&office.replace("bcal_0", "bcal_1"), &good), "NOT_FOUND", "by"),
    ];
    refused(&app, &caller, cases).await;
}
