//! Contacts in the mutations that write them: plans of every kind, many at once, records of what took place, and merges.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::contacts::{allowed, customer, not_at, plan, planned, policy, with};
use crate::{
    app::{App, Caller},
    database::Database,
    journeys::{TOLD, by_id, made, mistakes, one},
};

const FLAGGED: &str = "outcome errors { code path } node { id brokenContactRule brokenContactPolicy { name } }";

async fn one_a_week(caller: &Caller<'_>) -> String {
    policy(caller, "One a week", json!({ "mostContacts": 1, "periodDays": 7 })).await
}

/// The number of contacts that are planned.
async fn planned_count(caller: &Caller<'_>) -> Value {
    let document = "{ interactions(filter: { status: { in: [SCHEDULED, CONFIRMED] } }) { totalCount } }";
    caller.ask(document).await["interactions"]["totalCount"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_writers_never_exceed_a_cap() {
    // As many connections that most of them count before any has written.
    let app = App::with(Arc::new(Database::make().await), 48).await;
    let caller = app.admin("one").await;
    policy(&caller, "Five", json!({ "mostContacts": 5, "periodDays": 30 })).await;
    let (ann, bob) = (customer(&caller, json!({})).await, customer(&caller, json!({})).await);
    let write = |number: usize| {
        let (caller, ann, bob) = (&caller, &ann, &bob);
        async move {
            let at = format!("2026-12-{:02}T12:00:00Z", 1 + number % 28);
            // A single plan, one of a bulk call, and one that is moved from another customer.
            match number % 3 {
                0 => planned(caller, ann, &at, json!({})).await.len(),
                1 => {
                    let key = json!({ "system": "desk", "id": number.to_string() });
                    let rows = [plan(ann, &at, json!({ "externalId": key }))];
                    let done = caller.mutate("interactionsBulkUpsert", json!({ "rows": rows }), "errors { code path }");
                    mistakes(&done.await).len()
                }
                _ => {
                    let draft = with(plan(bob, &at, json!({})), json!({ "scheduledAt": null }));
                    let id = made(caller, "interactionCreate", draft).await;
                    let moved = json!({ "by": by_id(&id), "customerRef": by_id(ann), "scheduledAt": at });
                    mistakes(&caller.mutate("interactionUpdate", moved, TOLD).await).len()
                }
            }
        }
    };
    let refused: Vec<usize> = join_all((0..32).map(write)).await;
    assert_eq!(refused.iter().filter(|count| **count == 0).count(), 5, "{refused:?}");
    let document = "query($id: ID!) { interactions(filter: { customer: { id: { eq: $id } },
        scheduledAt: { isNull: false } }) { totalCount } }";
    assert_eq!(caller.data(document, json!({ "id": ann })).await["interactions"]["totalCount"], 5);
}

#[tokio::test]
async fn the_rows_of_a_call_count_each_other() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    one_a_week(&caller).await;
    let (ann, bob) = (customer(&caller, json!({})).await, customer(&caller, json!({})).await);
    let row = |key: &str, customer: &str, day: u32, more: Value| {
        let more = with(json!({ "externalId": { "system": "desk", "id": key } }), more);
        plan(customer, &format!("2026-12-{day:02}T12:00:00Z"), more)
    };
    let bulk = async |rows: Vec<Value>, policy: &str| {
        let input = json!({ "rows": rows, "policy": policy });
        let selection = "results { outcome errors { code path } }";
        let done = caller.mutate("interactionsBulkUpsert", input, selection).await;
        let results = done["results"].as_array().unwrap().iter();
        results.map(|result| result["outcome"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let none = || json!({});
    let rows = || vec![row("1", &ann, 1, none()), row("2", &bob, 1, none()), row("3", &ann, 7, none())];
    assert_eq!(bulk(rows(), "ALL_OR_NOTHING").await, ["FAILED"; 3]);
    assert_eq!(planned_count(&caller).await, 0);
    assert_eq!(bulk(rows(), "SKIP_INVALID").await, ["CREATED", "CREATED", "FAILED"]);
    // What is cancelled in a call makes room in it, and so does what is moved before.
    let cancelled = json!({ "status": "CANCELLED" });
    let rows = vec![row("4", &ann, 3, none()), row("1", &ann, 1, cancelled)];
    assert_eq!(bulk(rows, "SKIP_INVALID").await, ["CREATED", "UPDATED"]);
    let rows = vec![row("4", &ann, 20, none()), row("5", &ann, 4, none())];
    assert_eq!(bulk(rows, "SKIP_INVALID").await, ["UPDATED", "CREATED"]);
    // One that may not be moved stays where it is, and counts there.
    let rows = vec![row("4", &ann, 5, none()), row("6", &ann, 21, none())];
    assert_eq!(bulk(rows, "SKIP_INVALID").await, ["FAILED", "FAILED"]);
    // What took place in the call counts, wherever it stands in it.
    let completed = json!({ "status": "COMPLETED", "occurredAt": "2026-11-21T12:00:00Z" });
    let early = json!({ "scheduledAt": "2026-11-22T12:00:00Z" });
    let rows = vec![row("7", &bob, 1, early), row("8", &bob, 1, completed)];
    assert_eq!(bulk(rows, "SKIP_INVALID").await, ["FAILED", "CREATED"]);
}

#[tokio::test]
async fn every_change_that_plans_anew_is_checked_and_no_other() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let phone = made(&caller, "mediumCreate", json!({ "name": "Phone" })).await;
    let (ann, bob) = (customer(&caller, json!({})).await, customer(&caller, json!({})).await);
    let at = "2026-12-01T12:00:00Z";
    let call = made(&caller, "interactionCreate", plan(&ann, at, json!({ "mediumRef": by_id(&phone) }))).await;
    let other = made(&caller, "interactionCreate", plan(&ann, at, json!({ "purpose": "SERVE" }))).await;
    // Policies that come later leave plans alone, and whatever else is changed of them.
    let calls = json!({ "mediumRef": by_id(&phone), "mostContacts": 1, "purpose": "MARKETING" });
    policy(&caller, "One call", calls).await;
    let bob_call = made(&caller, "interactionCreate", plan(&bob, at, json!({ "mediumRef": by_id(&phone) }))).await;
    let update = async |id: &str, field: &str, more: Value| {
        mistakes(&caller.mutate(field, with(json!({ "by": by_id(id) }), more), TOLD).await)
    };
    for (field, more, path) in [
        ("interactionUpdate", json!({ "mediumRef": by_id(&phone) }), None),
        ("interactionUpdate", json!({ "purpose": "SELL" }), Some("purpose")),
        ("interactionUpdate", json!({ "purpose": null, "summary": "To sell" }), Some("purpose")),
        ("interactionUpdate", json!({ "customerRef": by_id(&bob), "purpose": "SELL" }), Some("customerRef")),
        ("interactionConfirm", json!({}), None),
        ("interactionUpdate", json!({ "direction": "INBOUND", "purpose": "SELL" }), None),
        ("interactionUpdate", json!({ "direction": "OUTBOUND" }), Some("direction")),
        ("interactionCancel", json!({}), None),
        ("interactionUpdate", json!({ "direction": "OUTBOUND" }), None),
        ("interactionReschedule", json!({ "scheduledAt": at }), Some("scheduledAt")),
        ("interactionReschedule", json!({ "scheduledAt": "2027-12-01T12:00:00Z" }), None),
    ] {
        let expected = path.map(not_at).unwrap_or_default();
        assert_eq!(update(&other, field, more.clone()).await, expected, "{field} {more}");
    }
    for more in [json!({ "summary": "About the boiler" }), json!({ "scheduledAt": at })] {
        assert_eq!(update(&call, "interactionUpdate", more).await, []);
    }
    assert_eq!(update(&bob_call, "interactionUpdate", json!({ "scheduledAt": null })).await, []);
    assert_eq!(planned(&caller, &bob, at, json!({ "mediumRef": by_id(&phone) })).await, []);
    assert_eq!(update(&bob_call, "interactionUpdate", json!({ "scheduledAt": at })).await, not_at("scheduledAt"));
    let key = json!({ "system": "desk", "id": "1" });
    let input = plan(&bob, at, json!({ "externalId": key, "mediumRef": by_id(&phone), "status": "CANCELLED" }));
    assert_eq!(mistakes(&caller.mutate("interactionUpsert", input, TOLD).await), []);
    let again = json!({ "externalId": key, "status": "SCHEDULED" });
    assert_eq!(mistakes(&caller.mutate("interactionUpsert", again, TOLD).await), not_at("status"));
}

#[tokio::test]
async fn the_message_names_the_policy_and_when_it_allows_it() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    one_a_week(&caller).await;
    let ann = customer(&caller, json!({})).await;
    assert_eq!(planned(&caller, &ann, "2026-12-01T12:00:00Z", json!({})).await, []);
    let late = plan(&ann, "2026-12-02T12:00:00Z", json!({}));
    let told = caller.mutate("interactionCreate", late, TOLD).await["errors"][0]["message"].take();
    let told = told.as_str().unwrap();
    assert!(told.contains("One a week") && told.contains("2026-12-08T12:00:00Z"), "{told}");
}

#[tokio::test]
async fn what_took_place_is_stored_and_flagged() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let weekly = one_a_week(&caller).await;
    let ann = customer(&caller, json!({})).await;
    let flag = || json!({ "brokenContactRule": "CAP", "brokenContactPolicy": { "name": "One a week" } });
    let sound = || json!({ "brokenContactRule": null, "brokenContactPolicy": null });
    let shown = |mut done: Value| {
        assert_eq!(done["errors"], json!([]));
        let mut node = done["node"].take();
        let id = node.as_object_mut().unwrap().remove("id").unwrap();
        (id.as_str().unwrap().to_owned(), node)
    };
    let record = async |at: &str, more: Value| {
        let input =
            json!({ "customerRef": by_id(&ann), "direction": "OUTBOUND", "status": "COMPLETED", "occurredAt": at });
        shown(caller.mutate("interactionCreate", with(input, more), FLAGGED).await)
    };
    let change = async |id: &str, more: Value| {
        shown(caller.mutate("interactionUpdate", with(json!({ "by": by_id(id) }), more), FLAGGED).await).1
    };
    assert_eq!(record("2026-11-01T12:00:00Z", json!({})).await.1, sound());
    assert_eq!(record("2026-11-02T12:00:00Z", json!({ "direction": "INBOUND" })).await.1, sound());
    let (second, node) = record("2026-11-03T12:00:00Z", json!({})).await;
    assert_eq!(node, flag());
    // It is so until what it depends on changes.
    assert_eq!(change(&second, json!({ "summary": "Called back" })).await, flag());
    assert_eq!(change(&second, json!({ "occurredAt": "2026-11-08T12:00:00Z" })).await, sound());
    assert_eq!(change(&second, json!({ "occurredAt": "2026-11-08T11:59:59.999Z" })).await, flag());
    assert_eq!(change(&second, json!({ "direction": null })).await, sound());
    assert_eq!(change(&second, json!({ "direction": "OUTBOUND" })).await, flag());
    let document = "{ interactions(filter: { brokenContactRule: { eq: CAP } }) { nodes { id } }
        contactPolicies { nodes { brokenBy { nodes { id } } } } }";
    let found = caller.ask(document).await;
    let expected = json!([{ "id": second }]);
    assert_eq!(found["interactions"]["nodes"], expected);
    assert_eq!(found["contactPolicies"]["nodes"][0]["brokenBy"]["nodes"], expected);
    let deleted = caller.mutate("contactPolicyDelete", json!({ "by": by_id(&weekly) }), TOLD).await;
    assert_eq!(mistakes(&deleted), one("IN_USE", &["by"]));
    // A plan is not refused when it comes true, but earlier than planned it is flagged.
    for (more, is_flagged) in [(json!({}), false), (json!({ "occurredAt": "2026-11-14T12:00:00Z" }), true)] {
        let input = plan(&ann, "2026-11-15T12:00:00Z", json!({}));
        let id = made(&caller, "interactionCreate", input).await;
        let more = with(json!({ "by": by_id(&id), "occurredAt": "2026-11-15T12:00:00Z" }), more);
        let (id, node) = shown(caller.mutate("interactionComplete", more, FLAGGED).await);
        assert_eq!(node, if is_flagged { flag() } else { sound() });
        let deleted = caller.mutate("interactionDelete", json!({ "by": by_id(&id) }), TOLD).await;
        assert_eq!(deleted["outcome"], "DELETED");
    }
    // Without policies nothing is broken any more.
    made(&caller, "contactPolicyArchive", json!({ "by": by_id(&weekly) })).await;
    assert_eq!(change(&second, json!({ "summary": "Called" })).await, flag());
    assert_eq!(change(&second, json!({ "occurredAt": "2026-11-07T12:00:00Z" })).await, sound());
    assert_eq!(record("2026-11-07T13:00:00Z", json!({})).await.1, sound());
}

#[tokio::test]
async fn the_rows_of_a_call_that_took_place_are_flagged_in_their_order() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    one_a_week(&caller).await;
    let ann = customer(&caller, json!({})).await;
    let row = |day: u32| {
        json!({ "externalId": { "system": "desk", "id": day.to_string() }, "customerRef": by_id(&ann),
            "direction": "OUTBOUND", "status": "COMPLETED", "occurredAt": format!("2026-11-{day:02}T12:00:00Z") })
    };
    let input = json!({ "rows": [row(3), row(1), row(10), row(2)] });
    let done = caller.mutate("interactionsBulkUpsert", input, "results { node { brokenContactRule } }").await;
    let rules: Vec<&Value> =
        done["results"].as_array().unwrap().iter().map(|result| &result["node"]["brokenContactRule"]).collect();
    assert_eq!(rules, [&Value::Null, &json!("CAP"), &Value::Null, &json!("CAP")]);
}

#[tokio::test]
async fn contacts_of_merged_customers_count_for_the_one_that_they_became() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    policy(&caller, "Consent", json!({ "isConsentRequired": true, "purpose": "RESEARCH" })).await;
    one_a_week(&caller).await;
    // Few rows are moved at once, many in the background.
    for many in [1_u32, 250] {
        let (winner, loser) = (customer(&caller, json!({})).await, customer(&caller, json!({})).await);
        let key = |number: u32| json!({ "system": "many", "id": format!("{many}-{number}") });
        let rows: Vec<Value> = (0..many)
            .map(|number| json!({ "externalId": key(number), "customerRef": by_id(&loser), "summary": "Here" }))
            .collect();
        let done = caller.mutate("interactionsBulkUpsert", json!({ "rows": rows }), "errors { code }").await;
        assert_eq!(done["errors"], json!([]));
        assert_eq!(planned(&caller, &loser, "2026-12-01T12:00:00Z", json!({})).await, []);
        let consent = json!({ "customerRef": by_id(&loser), "purpose": "RESEARCH", "decision": "GRANTED" });
        made(&caller, "consentCreate", consent).await;
        let learn = || json!({ "purpose": "LEARN" });
        assert_eq!(planned(&caller, &winner, "2026-12-20T12:00:00Z", learn()).await, not_at("scheduledAt"));
        let merge = json!({ "winner": by_id(&winner), "loser": by_id(&loser) });
        let merged = caller.mutate("customerMerge", merge, "errors { code }").await;
        assert_eq!(merged["errors"], json!([]));
        for id in [&winner, &loser] {
            let refused = planned(&caller, id, "2026-12-02T12:00:00Z", json!({})).await;
            assert_eq!(refused, not_at("scheduledAt"), "{many}");
            let answer = allowed(&caller, id, "2026-12-02T12:00:00Z", json!({})).await;
            assert_eq!(answer["allowedAt"], "2026-12-08T12:00:00Z", "{many}");
        }
        assert_eq!(planned(&caller, &loser, "2026-12-20T12:00:00Z", learn()).await, [], "{many}");
    }
}

#[tokio::test]
async fn only_plans_pay_for_policies_and_a_thousand_no_more_than_one() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let customers = [customer(&caller, json!({})).await, customer(&caller, json!({})).await];
    let keys = std::cell::Cell::new(0);
    let cost = async |count: usize, more: Value| {
        let rows: Vec<Value> = (0..count)
            .map(|number| {
                keys.set(keys.get() + 1);
                let key = json!({ "system": "desk", "id": keys.get().to_string() });
                let at = format!("{}-12-01T12:00:00Z", 2100 + keys.get());
                plan(&customers[number % 2], &at, with(json!({ "externalId": key }), more.clone()))
            })
            .collect();
        let before = app.store.statements();
        let done = caller.mutate("interactionsBulkUpsert", json!({ "rows": rows }), "errors { code path }").await;
        let cost = app.store.statements() - before;
        assert_eq!(done["errors"], json!([]));
        cost
    };
    let inbound = || json!({ "direction": "INBOUND" });
    cost(1, json!({})).await;
    let unplanned = cost(1, inbound()).await;
    // Without policies, that there are none is all there is to read; on PostgreSQL, the server remembers it.
    let read = u64::from(app.database.is_sqlite());
    assert_eq!(cost(1, json!({})).await, unplanned + read);
    let create = async |direction: &str| {
        let before = app.store.statements();
        let input = plan(&customers[0], "2100-01-01T12:00:00Z", json!({ "direction": direction }));
        caller.mutate("interactionCreate", input, "outcome").await;
        app.store.statements() - before
    };
    create("INBOUND").await;
    assert_eq!(create("OUTBOUND").await, create("INBOUND").await + read);
    let everything = json!({ "mostContacts": 1000, "quietFrom": "23:58", "quietUntil": "23:59",
        "isConsentRequired": true, "purpose": "MARKETING", "isRefusedDuringCase": true, "suppressAfterDeclined": 1,
        "suppressAfterPresented": 1 });
    policy(&caller, "Everything", everything).await;
    for customer in &customers {
        let consent = json!({ "customerRef": by_id(customer), "purpose": "MARKETING", "decision": "GRANTED" });
        made(&caller, "consentCreate", consent).await;
    }
    assert_eq!(cost(1, inbound()).await, unplanned);
    // The first one finds that what the server remembered has changed, the second one reads it.
    cost(1, json!({})).await;
    cost(1, json!({})).await;
    let single = cost(2, json!({})).await;
    assert_eq!(cost(600, json!({})).await, single);
    // Policies, customers, their organization, contacts, consents, cases, offers; those that were moved, and the start of
    // the transaction.
    assert!(single <= unplanned + 12, "{single} after {unplanned}");
}
