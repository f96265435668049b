//! Retention: rows go some days after an instant in them, with their parts, and nothing else goes.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{NOUNS, Permission, id};
use rapport::store::{
    STEP,
    operation::jobs::StepResult,
    writing::{delete::uses, expiry::parts},
};
use serde_json::{Value, json};

use crate::{
    app::{App, Caller, now},
    outline::codes,
};

fn days_ago(days: i64) -> String {
    (now() - TimeDelta::days(days)).to_rfc3339()
}

async fn rule(caller: &Caller<'_>, noun: &str, days: i64) -> String {
    let input = json!({ "noun": noun, "days": days });
    let made = caller.mutate("retentionRuleCreate", input, "node { id } errors { code }").await;
    assert_eq!(made["errors"], json!([]));
    made["node"]["id"].as_str().unwrap().to_owned()
}

async fn records(caller: &Caller<'_>, number: usize, days: i64) {
    let row = |at: usize| json!({ "kind": "PRAISE", "receivedAt": days_ago(days), "externalId": { "system": format!("{days}"), "id": at.to_string() } });
    let rows: Vec<Value> = (0..number).map(row).collect();
    let done = caller.mutate("feedbackRecordsBulkUpsert", json!({ "rows": rows }), "errors { code }").await;
    assert_eq!(done["errors"], json!([]));
}

async fn interaction(caller: &Caller<'_>, days: i64, more: Value) -> String {
    let mut input = json!({ "status": "COMPLETED", "occurredAt": days_ago(days) });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = caller.mutate("interactionCreate", input, "node { id } errors { code path }").await;
    assert_eq!(made["errors"], json!([]));
    made["node"]["id"].as_str().unwrap().to_owned()
}

/// Performs the next step of applying the rules.
async fn step(app: &App, caller: &Caller<'_>, at: DateTime<Utc>) -> StepResult {
    app.store.plan_jobs(at).await.unwrap();
    let jobs = caller.ask("{ jobs(kind: \"RETENTION\") { nodes { id } } }").await;
    let (_, job) = id::decode(jobs["jobs"]["nodes"][0]["id"].as_str().unwrap()).unwrap();
    app.store.step(caller.organization(), job, at).await.unwrap()
}

/// Applies the rules until nothing more has expired.
async fn expire(app: &App, caller: &Caller<'_>, at: DateTime<Utc>) {
    while step(app, caller, at).await == StepResult::On {}
}

async fn total(caller: &Caller<'_>, list: &str) -> Value {
    caller.ask(&format!("{{ {list} {{ totalCount }} }}")).await[list]["totalCount"].take()
}

async fn told(caller: &Caller<'_>) -> Value {
    caller.ask("{ retentionRules { nodes { noun dueCount removedCount } } }").await["retentionRules"]["nodes"].take()
}

#[tokio::test]
async fn rows_go_when_their_days_are_over_in_bounded_steps_and_leave_tombstones() {
    let app = App::start().await;
    let (caller, other) = (app.admin("one").await, app.admin("two").await);
    for caller in [&caller, &other] {
        records(caller, STEP + 30, 40).await;
        records(caller, 5, 20).await;
    }
    // Each organization gets jobs.
    app.store.plan_jobs(now()).await.unwrap();
    let others = app.dump(other.organization()).await;
    let id = rule(&caller, "FEEDBACK_RECORD", 30).await;
    assert_eq!(
        told(&caller).await,
        json!([{ "noun": "FEEDBACK_RECORD", "dueCount": STEP + 30, "removedCount": null }])
    );
    assert_eq!(step(&app, &caller, now()).await, StepResult::On, "more is left");
    assert_eq!(total(&caller, "feedbackRecords").await, json!(35), "a step removes {STEP} rows");
    expire(&app, &caller, now()).await;
    assert_eq!(total(&caller, "feedbackRecords").await, json!(5));
    assert_eq!(told(&caller).await, json!([{ "noun": "FEEDBACK_RECORD", "dueCount": 0, "removedCount": STEP + 30 }]));
    assert_eq!(step(&app, &caller, now()).await, StepResult::Done);

    // The counts by week follow, and the log has one entry for each row and one for each step.
    let groups = caller.ask("{ feedbackRecordGroups(groupBy: [KIND]) { recordCount } }").await;
    assert_eq!(groups["feedbackRecordGroups"]["recordCount"], 5);
    let log = "SELECT noun, operation, CAST(COUNT(*) AS TEXT) FROM event WHERE subject = 'retention' \
               GROUP BY noun, operation ORDER BY noun";
    let entry = |noun: &str, operation: &str, count: usize| {
        [noun, operation, &count.to_string()].map(|text| Some(text.to_owned())).to_vec()
    };
    let expected = [entry("FeedbackRecord", "DELETED", STEP + 30), entry("RetentionRule", "UPDATED", 2)];
    assert_eq!(app.database.look(log.to_owned()).await, expected);
    assert_eq!(app.dump(other.organization()).await, others);

    // A longer time removes nothing; the clock does.
    let input = json!({ "by": { "id": id }, "days": 25 });
    assert_eq!(caller.mutate("retentionRuleUpdate", input, "errors { code }").await["errors"], json!([]));
    expire(&app, &caller, now()).await;
    assert_eq!(total(&caller, "feedbackRecords").await, json!(5));
    expire(&app, &caller, now() + TimeDelta::days(5)).await;
    assert_eq!(total(&caller, "feedbackRecords").await, json!(5), "not before the days are over");
    expire(&app, &caller, now() + TimeDelta::days(5) + TimeDelta::seconds(1)).await;
    assert_eq!(total(&caller, "feedbackRecords").await, json!(0));
    assert_eq!(total(&other, "feedbackRecords").await, json!(STEP + 35));
}

#[tokio::test]
async fn parts_go_with_their_row_and_rows_that_others_refer_to_stay() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let offer = caller
        .mutate(
            "offerCreate",
            json!({ "name": "Offer", "kind": "SALE", "customerBenefit": "A", "organizationBenefit": "B" }),
            "node { id }",
        )
        .await["node"]["id"]
        .take();
    let made = |count: usize| {
        let one = json!({ "offerRef": { "id": offer }, "status": "PRESENTED" });
        json!({ "offersMade": { "upsert": vec![one; count] } })
    };
    interaction(&caller, 40, made(STEP + 1)).await;
    let answered = interaction(&caller, 40, made(1)).await;
    let kept = interaction(&caller, 40, made(1)).await;
    let reply = interaction(&caller, 20, json!({ "replyToRef": { "id": answered } })).await;
    let words = json!({ "kind": "PRAISE", "receivedAt": days_ago(1), "interactionRef": { "id": kept } });
    let record = caller.mutate("feedbackRecordCreate", words, "node { id }").await["node"]["id"].take();
    let planned = json!({ "status": "SCHEDULED", "scheduledAt": days_ago(900) });
    caller.mutate("interactionCreate", planned, "outcome").await;
    rule(&caller, "INTERACTION", 30).await;
    assert_eq!(told(&caller).await[0]["dueCount"], 1);
    assert_eq!(step(&app, &caller, now()).await, StepResult::On, "its parts come first");
    assert_eq!(total(&caller, "interactions").await, json!(5));
    expire(&app, &caller, now()).await;
    assert_eq!((total(&caller, "interactions").await, total(&caller, "offersMade").await), (json!(4), json!(2)));

    // They go when nothing refers to them any more.
    for (mutation, id) in [("interactionDelete", json!(reply)), ("feedbackRecordDelete", record)] {
        let done = caller.mutate(mutation, json!({ "by": { "id": id } }), "outcome").await;
        assert_eq!(done["outcome"], "DELETED");
    }
    assert_eq!(told(&caller).await[0]["dueCount"], 2);
    expire(&app, &caller, now()).await;
    assert_eq!((total(&caller, "interactions").await, total(&caller, "offersMade").await), (json!(1), json!(0)));
    assert_eq!(told(&caller).await[0]["removedCount"], 3);
}

#[tokio::test]
async fn only_an_admin_sets_a_rule_and_days_have_a_range() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for days in [0, -1, 36_501] {
        let input = json!({ "noun": "INTERACTION", "days": days });
        let done = caller.mutate("retentionRuleCreate", input, "errors { code path }").await;
        assert_eq!(done["errors"], json!([{ "code": "OUT_OF_RANGE", "path": ["days"] }]), "{days}");
    }
    for days in [1, 36_500] {
        rule(&caller, "FEEDBACK_RECORD", days).await;
    }
    let document = "mutation { retentionRuleCreate(input: { noun: CUSTOMER, days: 3 }) { outcome } }";
    assert_eq!(codes(&caller.run(document, json!({})).await.body), ["GRAPHQL_VALIDATION_FAILED"]);
    let others = caller.with(Permission::ALL.into_iter().filter(|scope| *scope != Permission::Admin));
    let document = "mutation { retentionRuleCreate(input: { noun: INTERACTION, days: 3 }) { outcome } }";
    assert_eq!(codes(&others.run(document, json!({})).await.body), ["FORBIDDEN"]);
    assert_eq!(codes(&others.run("{ retentionRules { totalCount } }", json!({})).await.body), ["FORBIDDEN"]);
}

/// A part in use would keep its row without anybody seeing why.
#[test]
fn nothing_refers_to_the_parts_of_rows_that_expire() {
    for noun in NOUNS.into_iter().filter(|noun| noun.expiry().is_some()) {
        for part in parts(noun) {
            assert_eq!(uses(part.target), [], "{} of {}", part.name, noun.name);
        }
    }
}
