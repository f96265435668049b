//! Interactions, and what is written with them: assessments, offers made and feedback.

use serde_json::{Value, json};

use crate::{
    app::{App, Caller},
    journeys::{by_id, made, mistakes, one, point},
};

const TOLD: &str = "outcome errors { code path } node { id version status occurredAt scheduledAt confirmedAt }";

async fn expectation(caller: &Caller<'_>, point: &str) -> String {
    let input = json!({ "statement": "Answered at once", "source": "RESEARCH", "pointRef": by_id(point) });
    made(caller, "expectationCreate", input).await
}

async fn create(caller: &Caller<'_>, input: Value) -> Value {
    caller.mutate("interactionCreate", input, TOLD).await
}

#[tokio::test]
async fn a_completed_interaction_is_made_at_once_and_only_it_has_occurred() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let done = create(&caller, json!({ "status": "COMPLETED" })).await;
    assert_eq!(done["node"]["occurredAt"], "2026-11-22T12:00:00Z");
    let done = create(&caller, json!({ "status": "COMPLETED", "occurredAt": "2026-11-01T08:00:00Z" })).await;
    assert_eq!(done["node"]["occurredAt"], "2026-11-01T08:00:00Z");
    let planned = create(&caller, json!({ "occurredAt": "2026-11-01T08:00:00Z" })).await;
    assert_eq!(mistakes(&planned), one("INVALID", &["occurredAt"]));
    let planned = create(&caller, json!({ "scheduledAt": "2026-12-01T08:00:00Z" })).await;
    assert_eq!((&planned["node"]["status"], &planned["node"]["occurredAt"]), (&json!("SCHEDULED"), &Value::Null));
}

#[tokio::test]
async fn an_appointment_is_confirmed_moved_and_completed_and_its_history_is_kept() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let planned = create(&caller, json!({ "scheduledAt": "2026-12-01T08:00:00Z" })).await;
    let by = by_id(planned["node"]["id"].as_str().unwrap());
    let confirmed = caller.mutate("interactionConfirm", json!({ "by": by }), TOLD).await;
    assert_eq!(confirmed["node"]["confirmedAt"], "2026-11-22T12:00:00Z");
    let input = json!({ "by": by, "scheduledAt": "2026-12-02T08:00:00Z" });
    let moved = caller.mutate("interactionReschedule", input, TOLD).await["node"].take();
    let shown = (&moved["status"], &moved["scheduledAt"], &moved["confirmedAt"]);
    assert_eq!(shown, (&json!("SCHEDULED"), &json!("2026-12-02T08:00:00Z"), &Value::Null));
    let completed = caller.mutate("interactionComplete", json!({ "by": by, "duration": "PT30M" }), TOLD).await;
    assert_eq!(completed["node"]["occurredAt"], "2026-11-22T12:00:00Z");
    let late = caller.mutate("interactionCancel", json!({ "by": by }), TOLD).await;
    assert_eq!(mistakes(&late), one("INVALID_TRANSITION", &["by"]));
    let query = "query($by: InteractionRef!) { interaction(by: $by) {
        history(orderBy: [{ field: CHANGED_AT }, { field: ID }]) { nodes { transition } } } }";
    let history = caller.data(query, json!({ "by": by })).await["interaction"]["history"]["nodes"].take();
    assert_eq!(
        history,
        json!([{ "transition": "CONFIRM" }, { "transition": "RESCHEDULE" }, { "transition": "COMPLETE" }])
    );
}

#[tokio::test]
async fn what_is_assessed_is_of_the_interactions_point() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (desk, shop) = (point(&caller, "Desk").await, point(&caller, "Shop").await);
    let (here, there) = (expectation(&caller, &desk).await, expectation(&caller, &shop).await);
    let owner = json!({ "owner": "OURS", "statement": "Sell", "pointRef": by_id(&desk) });
    let objective = made(&caller, "objectiveCreate", owner).await;
    let id = made(&caller, "interactionCreate", json!({ "pointRef": by_id(&desk) })).await;
    let nowhere = made(&caller, "interactionCreate", json!({})).await;
    let assess = async |interaction: &str, mut input: Value| {
        input["interactionRef"] = by_id(interaction);
        caller.mutate("assessmentCreate", input, "errors { code path } node { id }").await
    };
    let met = |field: &str, id: &str| json!({ "outcome": "MET", "verifiedBy": "ASKED", field: by_id(id) });
    assert_eq!(mistakes(&assess(&id, met("expectationRef", &here)).await), []);
    assert_eq!(mistakes(&assess(&id, met("objectiveRef", &objective)).await), []);
    let cases = [
        (&id, met("expectationRef", &there), one("INVALID", &["expectationRef"])),
        (&nowhere, met("objectiveRef", &objective), one("INVALID", &["objectiveRef"])),
        (&id, json!({}), one("REQUIRED", &["expectationRef"])),
        (
            &id,
            json!({ "expectationRef": by_id(&here), "objectiveRef": by_id(&objective) }),
            one("INVALID", &["expectationRef"]),
        ),
        (&id, json!({ "outcome": "MET", "expectationRef": by_id(&here) }), one("REQUIRED", &["verifiedBy"])),
    ];
    for (interaction, input, expected) in cases {
        assert_eq!(mistakes(&assess(interaction, input.clone()).await), expected, "{input}");
    }
    // The point cannot change under its assessments.
    let update = async |point: Value| {
        let input = json!({ "by": by_id(&id), "pointRef": point });
        mistakes(&caller.mutate("interactionUpdate", input, "errors { code path }").await)
    };
    assert_eq!(update(by_id(&shop)).await, one("INVALID", &["pointRef"]));
    assert_eq!(update(Value::Null).await, one("INVALID", &["pointRef"]));
    assert_eq!(update(by_id(&desk)).await, []);
}

#[tokio::test]
async fn an_interaction_is_written_with_its_assessments_offers_and_feedback_in_one_call() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let desk = point(&caller, "Desk").await;
    let expected = expectation(&caller, &desk).await;
    let offer = json!({ "kind": "EXTRA", "name": "Cake", "customerBenefit": "Joy", "organizationBenefit": "Loyalty" });
    let offer = made(&caller, "offerCreate", offer).await;
    let customer = made(&caller, "customerCreate", json!({ "name": "Ann" })).await;
    let row = |number: usize| {
        json!({
            "externalId": { "system": "crm", "id": number.to_string() },
            "status": "COMPLETED", "pointRef": by_id(&desk), "customerRef": by_id(&customer),
            "assessments": { "upsert": [
                { "outcome": "EXCEEDED", "verifiedBy": "ASKED", "expected": 4, "perceived": 6,
                  "expectationRef": by_id(&expected) },
            ] },
            "offersMade": { "upsert": [{ "status": "ACCEPTED", "offerRef": by_id(&offer) }] },
            "feedbackRecords": { "upsert": [{ "kind": "PRAISE", "body": "Splendid" }] },
        })
    };
    let bulk = async |count: usize| {
        let before = app.store.statements();
        let rows: Vec<Value> = (0..count).map(|number| row(100 * count + number)).collect();
        let done = caller
            .mutate("interactionsBulkUpsert", json!({ "rows": rows }), "results { outcome errors { code path } }")
            .await;
        for result in done["results"].as_array().unwrap() {
            assert_eq!(result["errors"], json!([]));
        }
        app.store.statements() - before
    };
    bulk(1).await;
    let few = bulk(2).await;
    assert!(bulk(60).await <= few + 2, "statements grow with rows");
    let query = "{ interactions { totalCount } feedbackRecords(first: 1) {
        totalCount nodes { point { name } customer { name } interaction { offersMade { nodes { status offer { name } } }
            assessments { nodes { outcome expectation { statement } } } } } } }";
    let told = caller.ask(query).await;
    assert_eq!(told["interactions"]["totalCount"], 63);
    let record = &told["feedbackRecords"]["nodes"][0];
    assert_eq!((&record["point"]["name"], &record["customer"]["name"]), (&json!("Desk"), &json!("Ann")));
    assert_eq!(
        record["interaction"],
        json!({
            "offersMade": { "nodes": [{ "status": "ACCEPTED", "offer": { "name": "Cake" } }] },
            "assessments": { "nodes": [{ "outcome": "EXCEEDED", "expectation": { "statement": "Answered at once" } }] },
        })
    );
}

#[tokio::test]
async fn accounts_form_a_tree() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let group = made(&caller, "accountCreate", json!({ "name": "Group" })).await;
    let daughter = made(&caller, "accountCreate", json!({ "name": "Daughter", "parentRef": by_id(&group) })).await;
    let input = json!({ "by": by_id(&group), "parentRef": by_id(&daughter) });
    let done = caller.mutate("accountUpdate", input, "errors { code path }").await;
    assert_eq!(mistakes(&done), one("CYCLE", &["parentRef"]));
}
