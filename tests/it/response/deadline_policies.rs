//! Which policy and which version of it decides about the clocks of a case.

use serde_json::{Value, json};

use super::{
    cases::{opened, step},
    deadlines::{all_four, clock, clocks, due, office, on, policy, said, shown},
};
use crate::{
    app::App,
    elements::refused,
    journeys::{by_id, made},
};

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
