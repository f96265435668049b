//! Follow-ups within what the customer allows, and of customers who were erased.

use serde_json::{Value, json};

use super::{
    contacts::{customer, policy},
    playbooks::{made_by_rule, playbook},
};
use crate::{
    app::{App, Caller, now},
    journeys::{by_id, made},
};

/// Completes an interaction with a customer.
async fn met(caller: &Caller<'_>, customer: &str) {
    let input = json!({ "status": "COMPLETED", "occurredAt": "2026-11-22T12:00:00Z", "customerRef": by_id(customer) });
    made(caller, "interactionCreate", input).await;
}

#[tokio::test]
async fn a_follow_up_is_due_when_the_contact_policies_allow_it() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    policy(&caller, "Night", json!({ "quietFrom": "20:00", "quietUntil": "08:00", "purpose": "MARKETING" })).await;
    let berlin = customer(&caller, json!({ "timeZone": "Europe/Berlin" })).await;
    // At 19:59 and at 22:00 in Berlin; the policy covers marketing only.
    for (minutes, kind) in [(419, "SHARE"), (540, "SHARE"), (541, "CONFIRM")] {
        playbook(&caller, "INTERACTION_COMPLETED", json!({ "offsetMinutes": minutes, "kind": kind })).await;
    }
    met(&caller, &berlin).await;
    let due = |rows: &[Value]| {
        let mut due: Vec<_> = rows.iter().map(|row| (row["dueAt"].clone(), row["kind"].clone())).collect();
        due.sort_by_key(|(at, _)| at.to_string());
        due
    };
    let all = made_by_rule(&caller).await;
    let expected = [
        (json!("2026-11-22T18:59:00Z"), json!("SHARE")),
        (json!("2026-11-22T21:01:00Z"), json!("CONFIRM")),
        (json!("2026-11-23T07:00:00Z"), json!("SHARE")),
    ];
    assert_eq!(due(&all), expected);
    assert!(all.iter().all(|row| row["status"] == "OPEN"));
    // Nobody in particular is contacted.
    made(&caller, "interactionCreate", json!({ "status": "COMPLETED", "occurredAt": "2026-11-22T12:00:00Z" })).await;
    let nobody = made_by_rule(&caller).await;
    assert_eq!(due(&nobody[3..])[1].0, "2026-11-22T21:00:00Z");
}

#[tokio::test]
async fn a_follow_up_that_no_policy_says_when_to_do_is_skipped_from_the_start_and_says_why() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    policy(&caller, "Asked first", json!({ "isConsentRequired": true, "purpose": "MARKETING" })).await;
    playbook(&caller, "INTERACTION_COMPLETED", json!({ "kind": "SHARE" })).await;
    let ann = customer(&caller, json!({})).await;
    met(&caller, &ann).await;
    let all = made_by_rule(&caller).await;
    let why = "the contact policy “Asked first” refuses it: the customer has not consented";
    assert_eq!(all.len(), 1);
    assert_eq!((&all[0]["status"], &all[0]["skippedBecause"]), (&json!("SKIPPED"), &json!(why)));
    assert_eq!(history(&caller).await, [json!([{ "transition": null, "from": null, "to": "SKIPPED" }])]);
    let work = caller.ask("{ followUps(filter: { status: { eq: OPEN } }) { totalCount } }").await;
    assert_eq!(work["followUps"]["totalCount"], 0);
}

/// The state changes of each follow-up.
async fn history(caller: &Caller<'_>) -> Vec<Value> {
    let document =
        "{ followUps(orderBy: [{ field: ID }], first: 500) { nodes { history { nodes { transition from to } } } } }";
    let all = caller.ask(document).await;
    let nodes = all["followUps"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["history"]["nodes"].clone()).collect()
}

#[tokio::test]
async fn open_follow_ups_end_with_the_erasure_of_their_customer_also_of_one_with_many_rows() {
    for count in [1, 300] {
        let app = App::start().await;
        let caller = app.admin("one").await;
        let (ann, bob) = (customer(&caller, json!({})).await, customer(&caller, json!({})).await);
        let row = |place: usize| {
            json!({ "externalId": { "system": "s", "id": place.to_string() }, "title": "Call", "kind": "CONFIRM",
                    "dueAt": "2026-12-01T12:00:00Z", "customerRef": by_id(&ann) })
        };
        let rows: Vec<Value> = (0..count).map(row).collect();
        caller.mutate("followUpsBulkUpsert", json!({ "rows": rows }), "errors { code }").await;
        let other =
            json!({ "title": "Call", "kind": "THANK", "dueAt": "2026-12-01T12:00:00Z", "customerRef": by_id(&bob) });
        made(&caller, "followUpCreate", other.clone()).await;
        let mut done = other;
        done["customerRef"] = by_id(&ann);
        let done = made(&caller, "followUpCreate", done).await;
        for (field, id) in [("followUpComplete", &done), ("customerErase", &ann)] {
            let done = caller.mutate(field, json!({ "by": by_id(id) }), "errors { code }").await;
            assert_eq!(done["errors"], json!([]));
        }
        app.run_jobs(now()).await;
        let all = made_by_rule(&caller).await;
        let states = |status: &str| all.iter().filter(|row| row["status"] == status).count();
        assert_eq!((states("SKIPPED"), states("OPEN"), states("DONE")), (count, 1, 1));
        let skipped = json!([{ "transition": "SKIP", "from": "OPEN", "to": "SKIPPED" }]);
        assert_eq!(history(&caller).await.into_iter().filter(|changes| *changes == skipped).count(), count);
        let stamped = caller.ask("{ followUps(filter: { skippedAt: { isNull: false } }) { totalCount } }").await;
        assert_eq!(stamped["followUps"]["totalCount"], count);
    }
}
