//! Assumptions: what is open, what is wrong, and what was corrected.

use serde_json::{Value, json};

use super::{TOLD, by_id, element, listed, made, outcome, point, refused};
use crate::app::{App, Caller, now};

/// Open assumptions, and the marketing backlog, as the API's manual says to ask for them.
async fn lists(caller: &Caller<'_>) -> [Vec<String>; 2] {
    let open = json!({ "truth": { "eq": "UNKNOWN" } });
    let backlog = json!({ "truth": { "eq": "WRONG" }, "correctedAt": { "isNull": true } });
    [
        listed(caller, "Assumption", "assumptions", "statement", open).await,
        listed(caller, "Assumption", "assumptions", "statement", backlog).await,
    ]
}

async fn change(caller: &Caller<'_>, id: &str, mut input: Value) {
    input["by"] = json!({ "id": id });
    made(caller, "assumptionUpdate", input).await;
}

#[tokio::test]
async fn an_assumption_is_open_until_it_is_judged_and_in_the_backlog_until_it_is_corrected() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let desk = point(&caller, "Desk").await;
    let fees = element(&caller, "assumption", &desk, "No fees").await;
    let hours = element(&caller, "assumption", &desk, "Open on Sunday").await;
    assert_eq!(lists(&caller).await, [vec!["No fees", "Open on Sunday"], vec![]]);
    change(&caller, &fees, json!({ "truth": "CORRECT" })).await;
    change(&caller, &hours, json!({ "truth": "WRONG" })).await;
    assert_eq!(lists(&caller).await, [vec![], vec!["Open on Sunday"]]);
    let door = made(&caller, "mediumCreate", json!({ "name": "Door" })).await;
    let told = json!({ "correction": "Hours on the door", "correctedThroughRef": by_id(&door) });
    change(&caller, &hours, told).await;
    assert_eq!(lists(&caller).await, [vec![], vec!["Open on Sunday"]]);
    change(&caller, &hours, json!({ "correctedAt": "2026-11-01T09:00:00Z" })).await;
    assert_eq!(lists(&caller).await, [vec![] as Vec<String>, vec![]]);
    let asked = "query($id: ID!) { interactionPoint(by: { id: $id }) {
        assumptions(filter: { truth: { eq: WRONG } }) { nodes {
            about statement truth correction correctedAt correctedThrough { name } point { id } } } } }";
    let shown = caller.data(asked, json!({ "id": desk })).await;
    let expected = json!({
        "about": "PRODUCT", "statement": "Open on Sunday", "truth": "WRONG", "correction": "Hours on the door",
        "correctedAt": "2026-11-01T09:00:00Z", "correctedThrough": { "name": "Door" }, "point": { "id": desk },
    });
    assert_eq!(shown["interactionPoint"]["assumptions"]["nodes"], json!([expected]));
}

#[tokio::test]
async fn only_what_is_wrong_has_a_correction() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let desk = point(&caller, "Desk").await;
    let open = element(&caller, "assumption", &desk, "No fees").await;
    let wrong = element(&caller, "assumption", &desk, "Open on Sunday").await;
    change(&caller, &wrong, json!({ "truth": "WRONG", "correction": "Hours on the door" })).await;
    let new = json!({ "statement": "Free", "about": "SERVICE", "pointRef": by_id(&desk), "correction": "A list" });
    let mut judged = new.clone();
    judged["truth"] = json!("CORRECT");
    let cases = vec![
        ("assumptionCreate", new, "INVALID", "correction"),
        ("assumptionCreate", judged, "INVALID", "correction"),
        ("assumptionUpdate", json!({ "by": { "id": open }, "correction": "A list" }), "INVALID", "correction"),
        ("assumptionUpdate", json!({ "by": { "id": wrong }, "truth": "CORRECT" }), "INVALID", "truth"),
        ("assumptionUpdate", json!({ "by": { "id": wrong }, "truth": "UNKNOWN" }), "INVALID", "truth"),
    ];
    refused(&app, &caller, cases).await;
    change(&caller, &wrong, json!({ "truth": "CORRECT", "correction": null })).await;
    assert_eq!(lists(&caller).await, [vec!["No fees"], vec![]]);
}

#[tokio::test]
async fn a_correction_is_done_through_a_medium_and_at_a_time_only_if_there_is_one() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let desk = point(&caller, "Desk").await;
    let door = made(&caller, "mediumCreate", json!({ "name": "Door" })).await;
    let hours = element(&caller, "assumption", &desk, "Open on Sunday").await;
    change(&caller, &hours, json!({ "truth": "WRONG" })).await;
    let update = |mut input: Value| {
        input["by"] = json!({ "id": hours });
        input
    };
    let later = (now() + chrono::Duration::milliseconds(1)).to_rfc3339();
    let cases = vec![
        ("assumptionUpdate", update(json!({ "correctedThroughRef": by_id(&door) })), "REQUIRED", "correction"),
        ("assumptionUpdate", update(json!({ "correctedAt": "2026-11-01T09:00:00Z" })), "REQUIRED", "correction"),
        ("assumptionUpdate", update(json!({ "correction": "x", "correctedAt": later })), "OUT_OF_RANGE", "correctedAt"),
    ];
    refused(&app, &caller, cases).await;
    let done = json!({ "correction": "x", "correctedThroughRef": by_id(&door), "correctedAt": now().to_rfc3339() });
    change(&caller, &hours, done).await;
    let cases = vec![
        ("assumptionUpdate", update(json!({ "correction": " " })), "REQUIRED", "correction"),
        ("assumptionUpdate", update(json!({ "correction": null, "correctedAt": null })), "REQUIRED", "correction"),
        ("mediumDelete", json!({ "by": { "id": door } }), "IN_USE", "by"),
    ];
    refused(&app, &caller, cases).await;
    change(&caller, &hours, json!({ "correction": null, "correctedAt": null, "correctedThroughRef": null })).await;
    let gone = caller.mutate("mediumDelete", json!({ "by": { "id": door } }), TOLD).await;
    assert_eq!(gone["outcome"], "DELETED");
}

#[tokio::test]
async fn the_rows_of_a_bulk_call_are_judged_one_by_one() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let desk = point(&caller, "Desk").await;
    let row = |key: &str, truth: &str, correction: Value| {
        json!({ "externalId": { "system": "crm", "id": key }, "statement": key, "about": "SOLUTION",
            "pointRef": by_id(&desk), "truth": truth, "correction": correction })
    };
    let rows = json!([row("a", "WRONG", json!("Say so")), row("b", "CORRECT", json!("Say so"))]);
    let told = format!("results {{ {TOLD} }}");
    let all = caller.mutate("assumptionsBulkUpsert", json!({ "rows": rows }), &told).await;
    assert_eq!(outcome(&all["results"][1]), ("FAILED".to_owned(), super::one("INVALID", &["correction"])));
    assert_eq!(lists(&caller).await, [vec![] as Vec<String>, vec![]]);
    let some = json!({ "rows": rows, "policy": "SKIP_INVALID" });
    let some = caller.mutate("assumptionsBulkUpsert", some, &told).await;
    assert_eq!(outcome(&some["results"][0]), ("CREATED".to_owned(), vec![]));
    let again = json!({ "rows": [row("a", "WRONG", json!("Say so"))] });
    let again = caller.mutate("assumptionsBulkUpsert", again, &told).await;
    assert_eq!(outcome(&again["results"][0]), ("UNCHANGED".to_owned(), vec![]));
    assert_eq!(lists(&caller).await, [vec![], vec!["a"]]);
}
