//! Follow-ups: how they are done, skipped, put off and taken up again.

use serde_json::{Value, json};

use crate::{
    app::{App, Caller},
    elements::refused,
    journeys::{by_id, made},
};

const SHOWN: &str = "errors { code path } node { status dueAt firstDueAt snoozedUntilAt doneAt doneBy { id } \
                     skippedAt skippedBecause department { name } }";

/// A follow-up that is due in half an hour.
async fn due(caller: &Caller<'_>, mut input: Value) -> String {
    input["title"] = json!("Call back");
    input["kind"] = json!("SOLVE");
    input["dueAt"] = json!("2026-11-22T12:30:00Z");
    made(caller, "followUpCreate", input).await
}

async fn step(caller: &Caller<'_>, verb: &str, id: &str, mut input: Value) -> Value {
    input["by"] = by_id(id);
    caller.mutate(&format!("followUp{verb}"), input, SHOWN).await
}

#[tokio::test]
async fn a_follow_up_is_done_in_an_interaction_skipped_for_a_reason_and_taken_up_again() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let ann = made(&caller, "customerCreate", json!({ "name": "Ann" })).await;
    let id = due(&caller, json!({ "customerRef": by_id(&ann) })).await;
    let call = json!({ "status": "COMPLETED", "customerRef": by_id(&ann), "occurredAt": "2026-11-22T11:00:00Z" });
    let call = made(&caller, "interactionCreate", call).await;
    let done = step(&caller, "Complete", &id, json!({ "doneByRef": by_id(&call) })).await;
    let at = json!("2026-11-22T11:00:00Z");
    assert_eq!((&done["errors"], &done["node"]["status"]), (&json!([]), &json!("DONE")));
    assert_eq!((&done["node"]["doneAt"], &done["node"]["doneBy"]["id"]), (&at, &json!(call)));
    assert_eq!(done["node"]["department"]["name"], "Unassigned", "nobody placed it");
    let open = step(&caller, "Reopen", &id, json!({})).await["node"].take();
    assert_eq!((&open["status"], &open["doneAt"], &open["doneBy"]), (&json!("OPEN"), &Value::Null, &Value::Null));
    let skipped = step(&caller.after(1), "Skip", &id, json!({ "skippedBecause": "Ann called" })).await["node"].take();
    let said = (&skipped["status"], &skipped["skippedAt"], &skipped["skippedBecause"]);
    assert_eq!(said, (&json!("SKIPPED"), &json!("2026-11-22T12:01:00Z"), &json!("Ann called")));
    let open = step(&caller, "Reopen", &id, json!({})).await["node"].take();
    assert_eq!((&open["skippedAt"], &open["skippedBecause"]), (&json!("2026-11-22T12:01:00Z"), &json!("Ann called")));
    let now = step(&caller.after(2), "Complete", &id, json!({})).await["node"].take();
    assert_eq!(now["doneAt"], "2026-11-22T12:02:00Z");
}

#[tokio::test]
async fn a_follow_up_that_is_put_off_is_due_then_and_keeps_when_it_was_due_first() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let id = due(&caller, json!({})).await;
    let first = json!("2026-11-22T12:30:00Z");
    for until in ["2026-11-23T09:00:00Z", "2026-11-24T09:00:00Z"] {
        let node = step(&caller, "Snooze", &id, json!({ "snoozedUntilAt": until })).await["node"].take();
        let times = (&node["status"], &node["dueAt"], &node["firstDueAt"], &node["snoozedUntilAt"]);
        assert_eq!(times, (&json!("OPEN"), &json!(until), &first, &json!(until)));
    }
    let past = json!({ "by": by_id(&id), "snoozedUntilAt": "2026-11-22T12:00:00Z" });
    refused(&app, &caller, vec![("followUpSnooze", past, "OUT_OF_RANGE", "snoozedUntilAt")]).await;
}

#[tokio::test]
async fn what_a_follow_up_says_of_its_end_fits_its_status() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (ann, bob) = (
        made(&caller, "customerCreate", json!({ "name": "Ann" })).await,
        made(&caller, "customerCreate", json!({ "name": "Bob" })).await,
    );
    let with_bob =
        made(&caller, "interactionCreate", json!({ "status": "COMPLETED", "customerRef": by_id(&bob) })).await;
    let id = due(&caller, json!({ "customerRef": by_id(&ann) })).await;
    let row = |more: Value| {
        let mut input = json!({ "externalId": { "system": "crm", "id": "1" }, "title": "Call", "kind": "THANK",
            "dueAt": "2026-11-22T12:30:00Z" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let past = "2026-11-20T00:00:00Z";
    let cases = vec![
        ("followUpComplete", json!({ "by": by_id(&id), "doneByRef": by_id(&with_bob) }), "INVALID", "doneByRef"),
        ("followUpComplete", json!({ "by": by_id(&id), "doneAt": "2027-01-01T00:00:00Z" }), "OUT_OF_RANGE", "doneAt"),
        ("followUpSkip", json!({ "by": by_id(&id), "skippedBecause": " " }), "REQUIRED", "skippedBecause"),
        ("followUpUpsert", row(json!({ "doneAt": past })), "INVALID", "doneAt"),
        ("followUpUpsert", row(json!({ "doneByRef": by_id(&with_bob) })), "INVALID", "doneByRef"),
        ("followUpUpsert", row(json!({ "skippedAt": "2027-01-01T00:00:00Z" })), "OUT_OF_RANGE", "skippedAt"),
    ];
    refused(&app, &caller, cases).await;
    step(&caller, "Skip", &id, json!({ "skippedBecause": "No" })).await;
    let input = json!({ "by": by_id(&id), "snoozedUntilAt": "2027-01-01T00:00:00Z" });
    refused(&app, &caller, vec![("followUpSnooze", input, "INVALID_TRANSITION", "by")]).await;
}
