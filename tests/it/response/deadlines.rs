//! Deadlines of cases: which clocks start, what stops them, and what they show.

use entity::Permission;
use serde_json::{Value, json};

use super::cases::{opened, phone, step};
use crate::{
    app::{App, Caller},
    journeys::{TOLD, by_id, made},
};

/// Hours from nine to five on weekdays, in UTC. The tests' Sunday noon is 21 hours before they open.
pub async fn office(caller: &Caller<'_>) -> String {
    let days = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"];
    let hours = days.map(|day| json!({ "weekday": day, "opens": "09:00", "closes": "17:00" }));
    let input = json!({ "name": "Office", "timeZone": "UTC", "intervals": { "upsert": hours } });
    made(caller, "businessCalendarCreate", input).await
}

/// A policy of the calendar with more of its fields.
pub async fn policy(caller: &Caller<'_>, calendar: &str, name: &str, more: Value) -> String {
    let mut input = json!({ "name": name, "position": 1, "calendarRef": by_id(calendar) });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    made(caller, "responsePolicyCreate", input).await
}

/// All four clocks: an hour, two hours, three hours, and two days of eight hours.
pub fn all_four() -> Value {
    json!({ "acknowledgeMinutes": 60, "firstResponseMinutes": 120, "nextResponseMinutes": 180, "resolutionMinutes": 960 })
}

/// What was said about a case.
pub async fn said(caller: &Caller<'_>, case: &str, direction: &str, at: &str, more: Value) -> String {
    let mut input = json!({ "caseRef": by_id(case), "direction": direction, "status": "COMPLETED", "occurredAt": at });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    made(caller, "interactionCreate", input).await
}

/// The clocks of a case: kind, start, due, completion, breach and what remains, in the order of their creation.
pub async fn clocks(caller: &Caller<'_>, case: &str) -> Vec<Value> {
    let document = "query($id: ID!) { case(by: { id: $id }) { deadlines(first: 100, orderBy: [{ field: ID }]) { nodes {
        kind startedAt dueAt pausedAt completedAt breachedAt remainingMinutes policyName policyVersion } } } }";
    let mut data = caller.data(document, json!({ "id": case })).await;
    serde_json::from_value(data["case"]["deadlines"]["nodes"].take()).unwrap()
}

/// The newest clock of a kind.
pub async fn clock(caller: &Caller<'_>, case: &str, kind: &str) -> Value {
    let all = clocks(caller, case).await;
    all.into_iter().rfind(|clock| clock["kind"] == kind).unwrap_or_else(|| panic!("no {kind}"))
}

/// When a case and its clock of a kind are due, and how many minutes remain.
pub async fn due(caller: &Caller<'_>, case: &str, kind: &str) -> (Value, Value) {
    let clock = clock(caller, case, kind).await;
    (clock["dueAt"].clone(), clock["remainingMinutes"].clone())
}

pub async fn shown(caller: &Caller<'_>, case: &str) -> Value {
    let document = "query($id: ID!) { case(by: { id: $id }) { version dueAt breachedAt waitingFor } }";
    caller.data(document, json!({ "id": case })).await["case"].take()
}

/// A caller at a time of day of the tests' Monday, 23 November 2026, or a later one.
pub fn on<'a>(caller: &Caller<'a>, day: i64, hour: i64, minute: i64) -> Caller<'a> {
    caller.after((day - 22) * 24 * 60 + (hour - 12) * 60 + minute)
}

#[tokio::test]
async fn the_published_cases_are_due_as_published() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let calendar = office(&caller).await;
    policy(&caller, &calendar, "Hours", json!({ "acknowledgeMinutes": 60, "resolutionMinutes": 120 })).await;
    for (received, kind, due_at) in [
        ("2026-11-20T16:30:00Z", "ACKNOWLEDGE", "2026-11-23T09:30:00Z"),
        ("2026-11-18T07:00:00Z", "RESOLUTION", "2026-11-18T11:00:00Z"),
    ] {
        let case = made(&caller, "caseCreate", json!({ "title": "Leak", "receivedAt": received })).await;
        assert_eq!(clock(&caller, &case, kind).await["dueAt"], due_at);
    }
}

#[tokio::test]
async fn a_new_case_has_the_clocks_of_its_policy() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let calendar = office(&caller).await;
    policy(&caller, &calendar, "Standard", all_four()).await;
    let case = opened(&caller).await;
    let told: Vec<_> = clocks(&caller, &case).await;
    let row = |kind: &str, due: &str, minutes: i64| {
        json!({ "kind": kind, "startedAt": "2026-11-22T12:00:00Z", "dueAt": due, "pausedAt": null, "completedAt": null,
            "breachedAt": null, "remainingMinutes": minutes, "policyName": "Standard", "policyVersion": 1 })
    };
    let expected = [
        row("ACKNOWLEDGE", "2026-11-23T10:00:00Z", 60),
        row("FIRST_RESPONSE", "2026-11-23T11:00:00Z", 120),
        row("RESOLUTION", "2026-11-24T17:00:00Z", 960),
    ];
    assert_eq!(told, expected);
    let late = on(&caller, 23, 10, 30);
    assert_eq!(due(&late, &case, "ACKNOWLEDGE").await.1, -30);
    assert_eq!(clock(&late, &case, "ACKNOWLEDGE").await["breachedAt"], "2026-11-23T10:00:00Z");
    assert_eq!(due(&late, &case, "FIRST_RESPONSE").await.1, 30);
    let expected = json!({ "version": 1, "dueAt": "2026-11-23T10:00:00Z", "breachedAt": "2026-11-23T10:00:00Z", "waitingFor": null });
    assert_eq!(shown(&late, &case).await, expected);
    // What is due now is not overdue yet.
    assert_eq!(shown(&on(&caller, 23, 10, 0), &case).await["breachedAt"], Value::Null);
}

#[tokio::test]
async fn each_stage_completes_the_clocks_that_it_is_the_end_of() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (calendar, medium) = (office(&caller).await, phone(&caller).await);
    policy(&caller, &calendar, "Standard", all_four()).await;
    let open = |clocks: Vec<Value>| {
        let open = clocks.into_iter().filter(|clock| clock["completedAt"].is_null());
        open.map(|mut clock| clock["kind"].take()).collect::<Vec<_>>()
    };
    let told = json!({ "toldWhat": "A new boiler comes", "toldMediumRef": by_id(&medium) });
    let mut end = told.clone();
    end["resolution"] = json!("NOT_SOLVED");
    for (verb, input, rest) in [
        ("Acknowledge", json!({}), vec!["FIRST_RESPONSE", "RESOLUTION"]),
        ("Assess", json!({}), vec!["FIRST_RESPONSE", "RESOLUTION"]),
        ("Investigate", json!({}), vec!["FIRST_RESPONSE", "RESOLUTION"]),
        ("Respond", json!({}), vec!["FIRST_RESPONSE", "RESOLUTION"]),
        ("Communicate", told.clone(), vec!["RESOLUTION"]),
        ("Close", end.clone(), vec![]),
    ] {
        let case = opened(&caller).await;
        let done = step(&on(&caller, 23, 9, 30), verb, &case, input).await;
        assert_eq!(done["errors"], json!([]));
        assert_eq!(open(clocks(&caller, &case).await), rest, "{verb}");
        let first = clock(&on(&caller, 25, 9, 0), &case, "ACKNOWLEDGE").await;
        let frozen = (&first["completedAt"], &first["remainingMinutes"], &first["breachedAt"]);
        assert_eq!(frozen, (&json!("2026-11-23T09:30:00Z"), &json!(30), &Value::Null), "{verb}");
    }
    // Late, and frozen: the miss does not grow.
    let case = opened(&caller).await;
    step(&on(&caller, 24, 9, 0), "Close", &case, end.clone()).await;
    let first = clock(&on(&caller, 30, 9, 0), &case, "FIRST_RESPONSE").await;
    let frozen = (&first["remainingMinutes"], &first["breachedAt"], &first["dueAt"]);
    let due_at = json!("2026-11-23T11:00:00Z");
    assert_eq!(frozen, (&json!(120 - 480), &due_at, &due_at));
    assert_eq!(shown(&caller, &case).await["dueAt"], Value::Null);
    // A case that is closed when it comes ended elsewhere; one that comes acknowledged was when it says so.
    let ended = json!({ "title": "Old", "stage": "CLOSED", "resolution": "WITHDRAWN", "waitingFor": "CUSTOMER" });
    let ended = made(&caller, "caseCreate", ended).await;
    assert_eq!(clocks(&caller, &ended).await, Vec::<Value>::new());
    assert_eq!(shown(&caller, &ended).await["waitingFor"], Value::Null);
    let known = json!({ "externalId": { "system": "old", "id": "1" }, "title": "Known", "stage": "ASSESSED", "receivedAt": "2026-11-20T09:00:00Z",
        "acknowledgedAt": "2026-11-20T09:45:00Z" });
    let known = made(&caller, "caseUpsert", known).await;
    let first = clock(&caller, &known, "ACKNOWLEDGE").await;
    assert_eq!((&first["completedAt"], &first["remainingMinutes"]), (&json!("2026-11-20T09:45:00Z"), &json!(15)));
}

#[tokio::test]
async fn a_case_that_is_reopened_is_resolved_anew() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (calendar, medium) = (office(&caller).await, phone(&caller).await);
    policy(&caller, &calendar, "Standard", all_four()).await;
    let case = opened(&caller).await;
    let told = json!({ "toldWhat": "It is repaired", "toldMediumRef": by_id(&medium), "resolution": "NOT_SOLVED" });
    step(&on(&caller, 23, 9, 30), "Close", &case, told.clone()).await;
    let first = clock(&caller, &case, "RESOLUTION").await;
    step(&on(&caller, 25, 10, 0), "Reopen", &case, json!({})).await;
    assert_eq!(due(&on(&caller, 25, 10, 0), &case, "RESOLUTION").await, (json!("2026-11-27T10:00:00Z"), json!(960)));
    assert_eq!(shown(&caller, &case).await["dueAt"], "2026-11-27T10:00:00Z");
    let all = clocks(&caller, &case).await;
    assert_eq!(all.iter().filter(|clock| clock["completedAt"].is_null()).count(), 1);
    assert!(all.contains(&first));
    step(&on(&caller, 25, 11, 0), "Close", &case, told).await;
    let second = clock(&caller, &case, "RESOLUTION").await;
    assert_eq!((&second["completedAt"], &second["remainingMinutes"]), (&json!("2026-11-25T11:00:00Z"), &json!(900)));
    // Back from COMMUNICATED the same clock goes on.
    let case = opened(&caller).await;
    let told = json!({ "toldWhat": "It is repaired", "toldMediumRef": by_id(&medium) });
    step(&on(&caller, 23, 9, 30), "Communicate", &case, told).await;
    step(&on(&caller, 23, 10, 0), "Reopen", &case, json!({})).await;
    assert_eq!(clocks(&caller, &case).await.len(), 3);
    assert_eq!(due(&caller, &case, "RESOLUTION").await.0, "2026-11-24T17:00:00Z");
}

#[tokio::test]
async fn clocks_pause_while_the_case_waits() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let calendar = office(&caller).await;
    policy(&caller, &calendar, "Standard", all_four()).await;
    let case = opened(&caller).await;
    let wait = |whom: Value| json!({ "by": by_id(&case), "waitingFor": whom });
    made(&on(&caller, 23, 10, 0), "caseUpdate", wait(json!("CUSTOMER"))).await;
    let paused = clock(&on(&caller, 23, 16, 0), &case, "RESOLUTION").await;
    let told = (&paused["dueAt"], &paused["pausedAt"], &paused["remainingMinutes"]);
    assert_eq!(told, (&Value::Null, &json!("2026-11-23T10:00:00Z"), &json!(900)));
    // A response does not wait for the customer.
    assert_eq!(due(&caller, &case, "FIRST_RESPONSE").await.0, "2026-11-23T11:00:00Z");
    assert_eq!(shown(&caller, &case).await["dueAt"], "2026-11-23T10:00:00Z");
    // The policy does not pause for others.
    made(&on(&caller, 24, 9, 0), "caseUpdate", wait(json!("THIRD_PARTY"))).await;
    assert_eq!(due(&on(&caller, 24, 10, 0), &case, "RESOLUTION").await, (json!("2026-11-25T16:00:00Z"), json!(840)));
    made(&on(&caller, 24, 10, 0), "caseUpdate", wait(json!("CUSTOMER"))).await;
    made(&on(&caller, 25, 10, 0), "caseUpdate", wait(Value::Null)).await;
    assert_eq!(due(&on(&caller, 25, 10, 0), &case, "RESOLUTION").await, (json!("2026-11-26T16:00:00Z"), json!(840)));
    // What is due does not pause any more: the miss stays.
    made(&on(&caller, 27, 9, 0), "caseUpdate", wait(json!("CUSTOMER"))).await;
    let missed = clock(&on(&caller, 27, 9, 0), &case, "RESOLUTION").await;
    assert_eq!((&missed["dueAt"], &missed["pausedAt"]), (&json!("2026-11-26T16:00:00Z"), &Value::Null));
    assert_eq!(missed["breachedAt"], "2026-11-26T16:00:00Z");
    // Closing ends the wait.
    let end = json!({ "resolution": "WITHDRAWN", "notToldBecause": "Withdrawn" });
    step(&on(&caller, 27, 10, 0), "Close", &case, end).await;
    assert_eq!(shown(&caller, &case).await["waitingFor"], Value::Null);
    assert_eq!(due(&on(&caller, 30, 10, 0), &case, "RESOLUTION").await.1, -120);
}

#[tokio::test]
async fn a_list_is_ordered_by_what_is_due_next() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let calendar = office(&caller).await;
    policy(&caller, &calendar, "Urgent", json!({ "priority": "URGENT", "resolutionMinutes": 30 })).await;
    policy(
        &caller,
        &calendar,
        "Standard",
        json!({ "position": 2, "firstResponseMinutes": 60, "resolutionMinutes": 120 }),
    )
    .await;
    for (title, priority) in [("Slow", "LOW"), ("Fast", "URGENT"), ("Done", "LOW"), ("Waits", "URGENT")] {
        made(&caller, "caseCreate", json!({ "title": title, "priority": priority })).await;
    }
    let id = |title: &str| {
        let document = format!("{{ cases(filter: {{ title: {{ eq: \"{title}\" }} }}) {{ nodes {{ id }} }} }}");
        let caller = caller.clone();
        async move { caller.ask(&document).await["cases"]["nodes"][0]["id"].as_str().unwrap().to_owned() }
    };
    let end = json!({ "resolution": "WITHDRAWN", "notToldBecause": "Withdrawn" });
    step(&caller, "Close", &id("Done").await, end).await;
    made(&caller, "caseUpdate", json!({ "by": by_id(&id("Waits").await), "waitingFor": "CUSTOMER" })).await;
    let mut work = caller
        .ask("{ deadlines(filter: { completedAt: { isNull: true }, dueAt: { isNull: false } }, orderBy: [{ field: DUE_AT }]) {
            nodes { kind dueAt case { title } } }
            cases(filter: { dueAt: { isNull: false } }, orderBy: [{ field: DUE_AT }]) { nodes { title } }
            overdue: cases(filter: { dueAt: { lt: \"2026-11-23T09:30:01Z\" } }) { nodes { title } } }")
        .await;
    let row = |kind: &str, due: &str, title: &str| json!({ "kind": kind, "dueAt": due, "case": { "title": title } });
    let expected = json!([
        row("RESOLUTION", "2026-11-23T09:30:00Z", "Fast"),
        row("FIRST_RESPONSE", "2026-11-23T10:00:00Z", "Slow"),
        row("RESOLUTION", "2026-11-23T11:00:00Z", "Slow"),
    ]);
    assert_eq!(work["deadlines"]["nodes"].take(), expected);
    assert_eq!(work["cases"]["nodes"].take(), json!([{ "title": "Fast" }, { "title": "Slow" }]));
    assert_eq!(work["overdue"]["nodes"].take(), json!([{ "title": "Fast" }]));
}

#[tokio::test]
async fn a_thousand_cases_cost_as_many_statements_as_ten() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let calendar = office(&caller).await;
    let gold = json!({ "segment": "gold", "resolutionMinutes": 60, "position": 0 });
    policy(&caller, &calendar, "Gold", gold).await;
    policy(&caller, &calendar, "Standard", all_four()).await;
    let (mut made_by, mut moved_by, mut said_by) = (Vec::new(), Vec::new(), Vec::new());
    for count in [10, 1_000] {
        let key = |index: usize| json!({ "system": "test", "id": format!("{count} {index}") });
        let bulk = |field: &'static str, row: &dyn Fn(usize) -> Value| {
            let rows: Vec<Value> = (0..count).map(row).collect();
            let (caller, app) = (caller.clone(), &app);
            async move {
                let before = app.store.statements();
                let done = caller
                    .mutate(field, json!({ "rows": rows }), "errors { code } results { errors { code path } }")
                    .await;
                assert_eq!(done["errors"], json!([]), "{field}");
                app.store.statements() - before
            }
        };
        made_by.push(bulk("casesBulkUpsert", &|index| json!({ "externalId": key(index), "title": "Leak" })).await);
        let wait =
            |index| json!({ "externalId": key(index), "title": "Leak", "priority": "HIGH", "waitingFor": "CUSTOMER" });
        moved_by.push(bulk("casesBulkUpsert", &wait).await);
        let said = |index: usize| {
            let direction = if index.is_multiple_of(2) { "OUTBOUND" } else { "INBOUND" };
            let case = json!({ "externalId": key(index / 2) });
            json!({ "externalId": key(index), "caseRef": case, "direction": direction, "status": "COMPLETED" })
        };
        said_by.push(bulk("interactionsBulkUpsert", &said).await);
    }
    for (what, costs) in [("new", made_by), ("changed", moved_by), ("said", said_by)] {
        // SQLite binds fewer values in a statement than a thousand rows have.
        assert!(costs[1] <= costs[0] + 24, "{what}: {costs:?}");
    }
    let count = caller
        .ask("{ deadlines(filter: { kind: { eq: FIRST_RESPONSE }, completedAt: { isNull: false } }) { totalCount } }");
    assert_eq!(count.await["deadlines"]["totalCount"], 5 + 500);
}

#[tokio::test]
async fn deadlines_are_the_servers_and_read_with_the_cases() {
    let app = App::start().await;
    let (caller, other) = (app.admin("one").await, app.admin("two").await);
    let calendar = office(&caller).await;
    policy(&caller, &calendar, "Standard", all_four()).await;
    let case = opened(&caller).await;
    assert_eq!(other.ask("{ deadlines { totalCount } }").await["deadlines"]["totalCount"], 0);
    let reader = caller.with([Permission::ResponseRead]);
    assert_eq!(clocks(&reader, &case).await.len(), 3);
    let reply = caller.with([Permission::MapRead]).run("{ deadlines { nodes { kind } } }", json!({})).await;
    assert_eq!(reply.body["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let reply = caller.run("mutation { deadlineUpdate(input: {}) { outcome } }", json!({})).await;
    assert!(reply.body["errors"].is_array());
    // Who records interactions moves the clocks without access to cases of others.
    let desk = caller.with([Permission::RecordRead, Permission::RecordWrite, Permission::ResponseRead]);
    said(&desk, &case, "OUTBOUND", "2026-11-22T12:00:00Z", json!({})).await;
    assert!(!clock(&caller, &case, "FIRST_RESPONSE").await["completedAt"].is_null());
    let stranger = json!({ "caseRef": by_id(&case), "direction": "OUTBOUND", "status": "COMPLETED" });
    let payload = other.mutate("interactionCreate", stranger, TOLD).await;
    assert_eq!(payload["errors"][0]["code"], "NOT_FOUND");
}
