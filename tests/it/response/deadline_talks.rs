//! Deadlines and what is said about a case: who stops a clock, and who starts the next one.

use serde_json::{Value, json};

use super::{
    cases::{opened, phone, step},
    deadlines::{all_four, clock, clocks, office, on, policy, said},
};
use crate::{
    app::{App, Caller},
    journeys::{by_id, made},
};

async fn started(caller: &Caller<'_>) -> String {
    let calendar = office(caller).await;
    policy(caller, &calendar, "Standard", all_four()).await;
    opened(caller).await
}

/// The next responses that a customer wanted: when each started, was due and was given.
async fn next(caller: &Caller<'_>, case: &str) -> Vec<(Value, Value, Value)> {
    let clocks = clocks(caller, case).await.into_iter().filter(|clock| clock["kind"] == "NEXT_RESPONSE");
    clocks.map(|mut it| (it["startedAt"].take(), it["dueAt"].take(), it["completedAt"].take())).collect()
}

#[tokio::test]
async fn a_person_responds_and_a_machine_does_not() {
    let app = App::start().await;
    let caller = &app.admin("one").await;
    let case = started(caller).await;
    said(&on(caller, 23, 9, 10), &case, "OUTBOUND", "2026-11-23T09:05:00Z", json!({ "isAutomated": true })).await;
    said(&on(caller, 23, 9, 10), &case, "INBOUND", "2026-11-23T09:06:00Z", json!({})).await;
    let planned = json!({ "caseRef": by_id(&case), "direction": "OUTBOUND" });
    let planned = made(caller, "interactionCreate", planned).await;
    assert_eq!(clock(caller, &case, "FIRST_RESPONSE").await["completedAt"], Value::Null);
    let before = caller.data("query($id: ID!) { case(by: { id: $id }) { version } }", json!({ "id": case })).await;
    // What was planned responds once it took place, at the time at which it did.
    let done = json!({ "by": by_id(&planned), "occurredAt": "2026-11-23T09:30:00Z" });
    made(&on(caller, 23, 12, 0), "interactionComplete", done).await;
    let first = clock(&on(caller, 23, 12, 0), &case, "FIRST_RESPONSE").await;
    let told = (&first["completedAt"], &first["remainingMinutes"], &first["breachedAt"]);
    assert_eq!(told, (&json!("2026-11-23T09:30:00Z"), &json!(90), &Value::Null));
    assert_eq!(next(caller, &case).await, []);
    // The change of the clocks is one of the case.
    let after = caller.data("query($id: ID!) { case(by: { id: $id }) { version } }", json!({ "id": case })).await;
    assert_eq!(after["case"]["version"], json!(before["case"]["version"].as_i64().unwrap() + 1));
    let log = "{ auditLog(orderBy: [{ field: SEQUENCE, direction: DESC }], first: 2) { nodes { rowType fields } } }";
    let log = caller.ask(log).await;
    assert!(
        log["auditLog"]["nodes"].as_array().unwrap().contains(&json!({ "rowType": "Case", "fields": ["deadlines"] }))
    );
}

#[tokio::test]
async fn what_was_said_before_the_case_came_answers_nothing() {
    let app = App::start().await;
    let caller = &app.admin("one").await;
    let case = started(caller).await;
    said(caller, &case, "OUTBOUND", "2026-11-20T10:00:00Z", json!({})).await;
    assert_eq!(clock(caller, &case, "FIRST_RESPONSE").await["completedAt"], Value::Null);
}

#[tokio::test]
async fn a_customer_who_asks_again_wants_the_next_response() {
    let app = App::start().await;
    let caller = &app.admin("one").await;
    let case = started(caller).await;
    let late = &on(caller, 24, 17, 0);
    said(late, &case, "OUTBOUND", "2026-11-23T09:30:00Z", json!({})).await;
    said(late, &case, "INBOUND", "2026-11-23T16:00:00Z", json!({ "purpose": "THANK" })).await;
    assert_eq!(next(caller, &case).await, []);
    said(late, &case, "INBOUND", "2026-11-23T16:00:00Z", json!({})).await;
    let at = |time: &str| json!(format!("2026-11-{time}:00Z"));
    assert_eq!(next(caller, &case).await, [(at("23T16:00"), at("24T11:00"), Value::Null)]);
    // Asking twice starts one clock, and thanks do not stop it, nor does a machine.
    said(late, &case, "INBOUND", "2026-11-24T09:00:00Z", json!({})).await;
    said(late, &case, "INBOUND", "2026-11-24T09:10:00Z", json!({ "purpose": "THANK" })).await;
    said(late, &case, "OUTBOUND", "2026-11-24T09:20:00Z", json!({ "isAutomated": true })).await;
    assert_eq!(next(caller, &case).await, [(at("23T16:00"), at("24T11:00"), Value::Null)]);
    said(late, &case, "OUTBOUND", "2026-11-24T12:00:00Z", json!({})).await;
    assert_eq!(next(caller, &case).await, [(at("23T16:00"), at("24T11:00"), at("24T12:00"))]);
    let breached = clock(late, &case, "NEXT_RESPONSE").await;
    assert_eq!((&breached["breachedAt"], &breached["remainingMinutes"]), (&at("24T11:00"), &json!(-60)));
    // What is recorded late was answered already.
    said(late, &case, "INBOUND", "2026-11-24T11:30:00Z", json!({})).await;
    assert_eq!(next(caller, &case).await.len(), 1);
    said(late, &case, "INBOUND", "2026-11-24T13:00:00Z", json!({})).await;
    assert_eq!(next(caller, &case).await[1], (at("24T13:00"), at("24T16:00"), Value::Null));
}

#[tokio::test]
async fn telling_the_customer_is_a_response_and_asking_afterwards_wants_another() {
    let app = App::start().await;
    let caller = &app.admin("one").await;
    let case = started(caller).await;
    let told = json!({ "toldWhat": "It is repaired", "toldMediumRef": by_id(&phone(caller).await) });
    step(&on(caller, 23, 9, 30), "Communicate", &case, told.clone()).await;
    said(&on(caller, 23, 10, 0), &case, "INBOUND", "2026-11-23T10:00:00Z", json!({})).await;
    let at = |time: &str| json!(format!("2026-11-{time}:00Z"));
    assert_eq!(next(caller, &case).await, [(at("23T10:00"), at("23T13:00"), Value::Null)]);
    // Changes of the case that tell nothing leave it open.
    made(&on(caller, 23, 11, 0), "caseUpdate", json!({ "by": by_id(&case), "priority": "HIGH" })).await;
    assert_eq!(next(caller, &case).await, [(at("23T10:00"), at("23T13:00"), Value::Null)]);
    let end = json!({ "resolution": "NOT_SOLVED" });
    step(&on(caller, 23, 12, 0), "Close", &case, end).await;
    assert_eq!(next(caller, &case).await, [(at("23T10:00"), at("23T13:00"), at("23T12:00"))]);
    // A closed case has no clocks; it is reopened if something is to be done.
    said(&on(caller, 23, 14, 0), &case, "INBOUND", "2026-11-23T14:00:00Z", json!({})).await;
    assert_eq!(next(caller, &case).await.len(), 1);
}

#[tokio::test]
async fn a_word_of_the_customer_ends_the_wait_for_it() {
    let app = App::start().await;
    let caller = &app.admin("one").await;
    let case = started(caller).await;
    let waits = || async {
        let shown =
            caller.data("query($id: ID!) { case(by: { id: $id }) { waitingFor } }", json!({ "id": case })).await;
        (shown["case"]["waitingFor"].clone(), clock(caller, &case, "RESOLUTION").await["dueAt"].clone())
    };
    said(&on(caller, 23, 9, 0), &case, "OUTBOUND", "2026-11-23T09:00:00Z", json!({})).await;
    made(&on(caller, 23, 10, 0), "caseUpdate", json!({ "by": by_id(&case), "waitingFor": "CUSTOMER" })).await;
    let late = &on(caller, 24, 17, 0);
    // Neither thanks, nor what we say, nor what was said before.
    said(late, &case, "INBOUND", "2026-11-23T11:00:00Z", json!({ "purpose": "THANK" })).await;
    said(late, &case, "OUTBOUND", "2026-11-23T11:10:00Z", json!({})).await;
    said(late, &case, "INBOUND", "2026-11-23T09:59:00Z", json!({})).await;
    assert_eq!(waits().await, (json!("CUSTOMER"), Value::Null));
    said(late, &case, "INBOUND", "2026-11-24T10:00:00Z", json!({})).await;
    assert_eq!(waits().await, (Value::Null, json!("2026-11-25T17:00:00Z")));
    made(late, "caseUpdate", json!({ "by": by_id(&case), "waitingFor": "THIRD_PARTY" })).await;
    said(late, &case, "INBOUND", "2026-11-24T16:30:00Z", json!({})).await;
    assert_eq!(waits().await.0, "THIRD_PARTY");
}

#[tokio::test]
async fn a_whole_talk_in_one_call_is_heard_in_its_order() {
    let app = App::start().await;
    let caller = &app.admin("one").await;
    let case = started(caller).await;
    let row = |direction: &str, at: &str| {
        json!({ "externalId": { "system": "desk", "id": at }, "caseRef": by_id(&case), "direction": direction,
            "status": "COMPLETED", "occurredAt": format!("2026-11-23T{at}:00Z") })
    };
    let rows =
        json!([row("INBOUND", "12:00"), row("OUTBOUND", "11:00"), row("INBOUND", "10:00"), row("OUTBOUND", "09:30")]);
    let late = on(caller, 23, 13, 0);
    let done = late.mutate("interactionsBulkUpsert", json!({ "rows": rows }), "errors { code }").await;
    assert_eq!(done["errors"], json!([]));
    let at = |time: &str| json!(format!("2026-11-23T{time}:00Z"));
    assert_eq!(clock(caller, &case, "FIRST_RESPONSE").await["completedAt"], at("09:30"));
    assert_eq!(next(caller, &case).await[..], [(at("12:00"), at("15:00"), Value::Null)]);
    // The same once more says nothing new.
    let again = late.mutate("interactionsBulkUpsert", json!({ "rows": rows }), "results { outcome }").await;
    assert_eq!(again["results"][0]["outcome"], "UNCHANGED");
    assert_eq!(clocks(caller, &case).await.len(), 4);
}
