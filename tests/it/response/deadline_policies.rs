//! Which policy and which version of it decides about the clocks of a case.

use serde_json::{Value, json};

use super::{
    cases::{opened, step},
    deadlines::{all_four, clock, clocks, due, office, on, policy, said, shown},
};
use crate::{
    app::{App, Caller},
    elements::refused,
    journeys::{by_id, made},
};

async fn policy_of(caller: &Caller<'_>, case: &str) -> Value {
    clock(caller, case, "RESOLUTION").await["policyName"].clone()
}

#[tokio::test]
async fn a_policy_with_a_filter_decides_about_the_cases_that_meet_it() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let calendar = office(&caller).await;
    let filtered =
        |filter: Value, minutes: i64| json!({ "resolutionMinutes": minutes, "position": minutes, "filter": filter });
    let shop = made(&caller, "departmentCreate", json!({ "name": "Shop" })).await;
    let ann = made(&caller, "customerCreate", json!({ "name": "Ann", "segment": "gold", "language": "de" })).await;
    policy(&caller, &calendar, "German", filtered(json!({ "customer": { "language": { "eq": "de" } } }), 1)).await;
    let in_shop = json!({ "department": { "id": { "eq": shop } }, "isSafetyRelevant": { "eq": false } });
    let in_shop = policy(&caller, &calendar, "Shop", filtered(in_shop, 2)).await;
    policy(&caller, &calendar, "Rest", json!({ "resolutionMinutes": 9, "position": 9 })).await;
    for (input, name) in [
        (json!({}), "Rest"),
        (json!({ "customerRef": by_id(&ann), "departmentRef": by_id(&shop) }), "German"),
        (json!({ "departmentRef": by_id(&shop) }), "Shop"),
        (json!({ "departmentRef": by_id(&shop), "isSafetyRelevant": true }), "Rest"),
    ] {
        let mut case = json!({ "title": "Leak" });
        case.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
        let case = made(&caller, "caseCreate", case).await;
        assert_eq!(policy_of(&caller, &case).await, name, "{input}");
    }
    // What a filter asks for may change later.
    let case = opened(&caller).await;
    made(&caller, "caseUpdate", json!({ "by": by_id(&case), "departmentRef": by_id(&shop) })).await;
    assert_eq!(policy_of(&caller, &case).await, "Shop");
    // A change that only filters notice leaves the clocks the version under which they started.
    made(&caller, "responsePolicyUpdate", json!({ "by": by_id(&in_shop), "resolutionMinutes": 5 })).await;
    let version = clock(&caller, &case, "RESOLUTION").await["policyVersion"].clone();
    made(&caller, "caseUpdate", json!({ "by": by_id(&case), "summary": "Still leaking." })).await;
    made(&caller, "departmentUpdate", json!({ "by": by_id(&shop), "name": "Shops" })).await;
    assert_eq!(clock(&caller, &case, "RESOLUTION").await["policyVersion"], version);
    made(&caller, "caseUpdate", json!({ "by": by_id(&case), "isSafetyRelevant": true })).await;
    assert_eq!(policy_of(&caller, &case).await, "Rest");
    // A question of the customer is due by the policy whose filter the stored case meets.
    let next = json!({ "by": by_id(&in_shop), "filter": { "customer": { "segment": { "eq": "gold" } } }, "position": 0,
        "nextResponseMinutes": 7 });
    made(&caller, "responsePolicyUpdate", next).await;
    let gold = made(&caller, "caseCreate", json!({ "title": "Leak", "customerRef": by_id(&ann) })).await;
    said(&on(&caller, 23, 8, 0), &gold, "OUTBOUND", "2026-11-23T08:00:00Z", json!({})).await;
    said(&on(&caller, 23, 9, 0), &gold, "INBOUND", "2026-11-23T09:00:00Z", json!({})).await;
    assert_eq!(clock(&caller, &gold, "NEXT_RESPONSE").await["policyName"], "Shop");
}

#[tokio::test]
async fn a_filter_of_a_policy_is_refused_that_cannot_be_answered_and_reported_when_it_breaks() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let calendar = office(&caller).await;
    let standard = policy(&caller, &calendar, "Standard", json!({ "resolutionMinutes": 9 })).await;
    for filter in [
        json!({ "attempts": { "some": {} } }),
        json!({ "not": { "deadlines": { "none": {} } } }),
        json!({ "dueAt": { "isNull": true } }),
        json!({ "responsePolicy": { "id": { "eq": standard } } }),
        json!({ "or": [{ "externalIds": { "some": { "system": { "eq": "crm" } } } }, {}] }),
        json!({ "customer": { "name": { "eq": "Ann" } } }),
    ] {
        let input = json!({ "by": by_id(&standard), "filter": filter });
        refused(&app, &caller, vec![("responsePolicyUpdate", input, "INVALID", "filter")]).await;
    }
    let filter = json!({ "customer": { "segment": { "eq": "gold" } } });
    made(&caller, "responsePolicyUpdate", json!({ "by": by_id(&standard), "filter": filter })).await;
    let document = "query($id: ID!) { responsePolicy(by: { id: $id }) { filter filterMistake } }";
    let seen = caller.data(document, json!({ "id": standard })).await;
    assert_eq!(seen["responsePolicy"], json!({ "filter": filter, "filterMistake": null }));
}

#[tokio::test]
async fn a_selected_policy_decides_before_all_conditions() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let calendar = office(&caller).await;
    policy(&caller, &calendar, "Standard", json!({ "resolutionMinutes": 9, "position": 0 })).await;
    let fast = json!({ "resolutionMinutes": 1, "position": 1, "priority": "LOW" });
    let fast = policy(&caller, &calendar, "Fast", fast).await;
    let desk = made(&caller, "departmentCreate", json!({ "name": "Desk" })).await;
    let rule = json!({ "name": "Leaks", "position": 0, "kind": "COMPLAINT", "isCaseOpened": true,
        "departmentRef": by_id(&desk), "responsePolicyRef": by_id(&fast) });
    let rule = made(&caller, "routingRuleCreate", rule).await;
    let preview = "{ routingPreview(input: { kind: COMPLAINT }) { responsePolicy { id } } }";
    assert_eq!(caller.data(preview, json!({})).await["routingPreview"]["responsePolicy"]["id"], fast);
    let record = async || {
        let record = made(&caller, "feedbackRecordCreate", json!({ "kind": "COMPLAINT", "body": "It leaks." })).await;
        let document = "query($id: ID!) { feedbackRecord(by: { id: $id }) {
            cases { nodes { id responsePolicy { id } } } routings { nodes { responsePolicy { id } } } } }";
        caller.data(document, json!({ "id": record })).await["feedbackRecord"].take()
    };
    let seen = record().await;
    let case = seen["cases"]["nodes"][0]["id"].as_str().unwrap();
    assert_eq!(seen["cases"]["nodes"][0]["responsePolicy"]["id"], fast);
    assert_eq!(seen["routings"]["nodes"][0]["responsePolicy"]["id"], fast);
    assert_eq!(policy_of(&caller, case).await, "Fast");
    made(&caller, "caseUpdate", json!({ "by": by_id(case), "responsePolicyRef": null })).await;
    assert_eq!(policy_of(&caller, case).await, "Standard");
    made(&caller, "caseUpdate", json!({ "by": by_id(case), "responsePolicyRef": by_id(&fast) })).await;
    assert_eq!(policy_of(&caller, case).await, "Fast");
    // One that is archived later lets the conditions decide; a rule may still name it.
    made(&caller, "responsePolicyArchive", json!({ "by": by_id(&fast) })).await;
    let seen = record().await;
    assert_eq!(policy_of(&caller, seen["cases"]["nodes"][0]["id"].as_str().unwrap()).await, "Standard");
    made(&caller, "routingRuleUpdate", json!({ "by": by_id(&rule), "responsePolicyRef": null })).await;
    assert_eq!(record().await["cases"]["nodes"][0]["responsePolicy"], json!(null));
}

#[tokio::test]
async fn the_first_policy_decides_whose_conditions_hold() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let calendar = office(&caller).await;
    let minutes = |minutes: i64, more: Value| {
        let mut all = json!({ "resolutionMinutes": minutes });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    policy(&caller, &calendar, "Rest", minutes(10, json!({ "position": 9 }))).await;
    policy(&caller, &calendar, "Urgent", minutes(1, json!({ "priority": "URGENT" }))).await;
    policy(&caller, &calendar, "Gold", minutes(2, json!({ "segment": "gold", "position": 2 }))).await;
    policy(
        &caller,
        &calendar,
        "Major gold",
        minutes(3, json!({ "segment": "gold", "severity": "MAJOR", "position": 0 })),
    )
    .await;
    let old = policy(&caller, &calendar, "Old", minutes(5, json!({ "position": 0 }))).await;
    made(&caller, "responsePolicyArchive", json!({ "by": by_id(&old) })).await;
    let works = made(&caller, "accountCreate", json!({ "name": "Works", "segment": "gold" })).await;
    let ann = made(&caller, "customerCreate", json!({ "name": "Ann", "segment": "gold" })).await;
    let bob = made(&caller, "customerCreate", json!({ "name": "Bob", "segment": "silver" })).await;
    for (input, name) in [
        (json!({}), "Rest"),
        (json!({ "customerRef": by_id(&bob) }), "Rest"),
        (json!({ "customerRef": by_id(&ann) }), "Gold"),
        (json!({ "customerRef": by_id(&bob), "accountRef": by_id(&works) }), "Gold"),
        (json!({ "customerRef": by_id(&ann), "priority": "URGENT" }), "Urgent"),
        (json!({ "customerRef": by_id(&ann), "priority": "URGENT", "severity": "MAJOR" }), "Major gold"),
        (json!({ "severity": "MAJOR" }), "Rest"),
    ] {
        let mut case = json!({ "title": "Leak" });
        case.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
        let case = made(&caller, "caseCreate", case).await;
        assert_eq!(clock(&caller, &case, "RESOLUTION").await["policyName"], name, "{input}");
    }
    // A case whose conditions change is due by another policy, from the same start.
    let case = opened(&caller).await;
    assert_eq!(due(&caller, &case, "RESOLUTION").await.0, "2026-11-23T09:10:00Z");
    made(&caller, "caseUpdate", json!({ "by": by_id(&case), "priority": "URGENT" })).await;
    assert_eq!(due(&caller, &case, "RESOLUTION").await.0, "2026-11-23T09:01:00Z");
    assert_eq!(shown(&caller, &case).await["dueAt"], "2026-11-23T09:01:00Z");
    let input = json!({ "by": by_id(&case), "priority": "LOW", "customerRef": by_id(&ann) });
    made(&on(&caller, 23, 9, 0), "caseUpdate", input).await;
    assert_eq!(due(&caller, &case, "RESOLUTION").await.0, "2026-11-23T09:02:00Z");
    assert_eq!(
        step(&on(&caller, 23, 9, 1), "Assess", &case, json!({ "severity": "MAJOR" })).await["errors"],
        json!([])
    );
    assert_eq!(clock(&caller, &case, "RESOLUTION").await["policyName"], "Major gold");
    assert_eq!(clocks(&caller, &case).await.len(), 1);
}

#[tokio::test]
async fn a_case_without_a_policy_gets_its_clocks_when_one_applies() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let calendar = office(&caller).await;
    policy(
        &caller,
        &calendar,
        "Urgent",
        json!({ "priority": "URGENT", "acknowledgeMinutes": 60, "firstResponseMinutes": 60,
        "resolutionMinutes": 60 }),
    )
    .await;
    let (answered, other) = (opened(&caller).await, opened(&caller).await);
    assert_eq!(clocks(&caller, &answered).await, Vec::<Value>::new());
    said(&caller, &answered, "OUTBOUND", "2026-11-22T12:00:00Z", json!({})).await;
    step(&caller, "Acknowledge", &answered, json!({})).await;
    for case in [&answered, &other] {
        made(&on(&caller, 23, 9, 0), "caseUpdate", json!({ "by": by_id(case), "priority": "URGENT" })).await;
    }
    let kinds = |clocks: Vec<Value>| clocks.into_iter().map(|mut clock| clock["kind"].take()).collect::<Vec<_>>();
    assert_eq!(kinds(clocks(&caller, &answered).await), ["RESOLUTION"]);
    assert_eq!(kinds(clocks(&caller, &other).await), ["ACKNOWLEDGE", "FIRST_RESPONSE", "RESOLUTION"]);
    assert_eq!(due(&caller, &other, "RESOLUTION").await.0, "2026-11-23T10:00:00Z");
}

#[tokio::test]
async fn a_clock_keeps_the_version_of_its_policy() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let calendar = office(&caller).await;
    let standard = policy(&caller, &calendar, "Standard", all_four()).await;
    let before = opened(&caller).await;
    let edit =
        json!({ "by": by_id(&standard), "name": "Slow", "resolutionMinutes": 4800, "isPausedForCustomer": false });
    made(&caller, "responsePolicyUpdate", edit).await;
    let after = opened(&caller).await;
    for (case, name, version, due_at) in
        [(&before, "Standard", 1, "2026-11-24T17:00:00Z"), (&after, "Slow", 2, "2026-12-04T17:00:00Z")]
    {
        let clock = clock(&caller, case, "RESOLUTION").await;
        assert_eq!((&clock["policyName"], &clock["policyVersion"]), (&json!(name), &json!(version)));
        assert_eq!(clock["dueAt"], due_at);
    }
    // Neither a change of the case nor a pause moves it to the new version.
    made(&caller, "caseUpdate", json!({ "by": by_id(&before), "priority": "HIGH", "waitingFor": "CUSTOMER" })).await;
    let clock = clock(&caller, &before, "RESOLUTION").await;
    assert_eq!((&clock["policyVersion"], &clock["pausedAt"]), (&json!(1), &json!("2026-11-22T12:00:00Z")));
    made(&caller, "caseUpdate", json!({ "by": by_id(&after), "waitingFor": "CUSTOMER" })).await;
    assert_eq!(self::clock(&caller, &after, "RESOLUTION").await["pausedAt"], Value::Null);
    let uses = vec![
        ("responsePolicyDelete", json!({ "by": by_id(&standard) }), "IN_USE", "by"),
        ("businessCalendarDelete", json!({ "by": by_id(&calendar) }), "IN_USE", "by"),
    ];
    refused(&app, &caller, uses).await;
    // A case takes its clocks with it.
    let gone = caller.mutate("caseDelete", json!({ "by": by_id(&before) }), "outcome").await;
    assert_eq!(gone["outcome"], "DELETED");
    assert_eq!(caller.ask("{ deadlines { totalCount } }").await["deadlines"]["totalCount"], 3);
}

#[tokio::test]
async fn another_time_of_receipt_moves_the_clocks_that_started_then() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let calendar = office(&caller).await;
    policy(&caller, &calendar, "Standard", all_four()).await;
    let case = opened(&caller).await;
    made(&caller, "caseUpdate", json!({ "by": by_id(&case), "receivedAt": "2026-11-20T16:00:00Z" })).await;
    assert_eq!(due(&caller, &case, "ACKNOWLEDGE").await, (json!("2026-11-20T17:00:00Z"), json!(0)));
    assert_eq!(shown(&caller, &case).await["breachedAt"], "2026-11-20T17:00:00Z");
}
