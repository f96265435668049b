//! What fails is repeated later and later, and at last left for an admin; nothing else waits for it.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{Permission, id};
use rapport::store::operation::jobs::{LEASE, MAX_ATTEMPTS, backoff};
use serde_json::{Value, json};

use super::{COUNT, begin, effects, listed, server};
use crate::{
    app::{App, Caller, now},
    outline::codes,
};

fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

async fn retry(caller: &Caller<'_>, id: &str) -> Value {
    caller.mutate("organizationRetryJob", json!({ "id": id }), "outcome errors { code path }").await
}

/// Repairs the job of a test.
async fn repair(app: &App) {
    app.database.change("UPDATE job SET progress = '1' WHERE kind = 'TEST_COUNT'").await;
}

#[tokio::test]
async fn a_failing_job_waits_longer_each_time_and_fails_for_good_at_last() {
    let app = server(&App::start().await, &[&COUNT]).await;
    let caller = app.admin("one").await;
    begin(&app, caller.organization(), &COUNT, "fails", now()).await;
    begin(&app, caller.organization(), &COUNT, "1", now()).await;
    let mut at = now();
    for attempt in 1..=MAX_ATTEMPTS {
        app.store.run_jobs(move || at).await.unwrap();
        assert_eq!(effects(&app, caller.organization()).await, 1, "the other job is done");
        let jobs = listed(&caller).await;
        let [job] = &jobs[..] else { panic!("{jobs:?}") };
        assert_eq!((&job["attempts"], &job["reason"], &job["steps"]), (&json!(attempt), &json!("INTERNAL"), &json!(0)));
        if attempt == MAX_ATTEMPTS {
            assert_eq!((&job["state"], instant(&job["failedAt"])), (&json!("FAILED"), at));
            break;
        }
        assert_eq!((&job["state"], &job["failedAt"]), (&json!("WAITING"), &Value::Null));
        let most = TimeDelta::seconds(10 << (attempt - 1)).min(TimeDelta::hours(1));
        let wait = instant(&job["runAt"]) - at;
        assert!(most / 2 <= wait && wait <= most, "{wait} of {most}");
        let early = at + wait - TimeDelta::milliseconds(1);
        app.store.run_jobs(move || early).await.unwrap();
        assert_eq!(listed(&caller).await, jobs, "not before");
        at += wait;
    }
    let later = at + TimeDelta::days(365);
    app.store.run_jobs(move || later).await.unwrap();
    assert_eq!(listed(&caller).await[0]["state"], "FAILED");

    // An admin has it tried again.
    repair(&app).await;
    let id = listed(&caller).await[0]["id"].as_str().unwrap().to_owned();
    let before = effects(&app, caller.organization()).await;
    assert_eq!(retry(&caller, &id).await, json!({ "outcome": "UPDATED", "errors": [] }));
    let job = listed(&caller).await.remove(0);
    assert_eq!((&job["state"], &job["attempts"], &job["reason"]), (&json!("WAITING"), &json!(0), &Value::Null));
    app.store.run_jobs(now).await.unwrap();
    assert_eq!(listed(&caller).await, [] as [Value; 0]);
    // That of the admin, and that of the job.
    assert_eq!(effects(&app, caller.organization()).await, before + 2);
}

#[tokio::test]
async fn only_an_admin_sees_jobs_and_only_a_failed_job_of_the_own_organization_is_tried_again() {
    let app = server(&App::start().await, &[&COUNT]).await;
    let (caller, other) = (app.admin("one").await, app.admin("two").await);
    begin(&app, caller.organization(), &COUNT, "waits", now()).await;
    let id = listed(&caller).await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(listed(&other).await, [] as [Value; 0]);
    let unknown = id::encode("job", id::new());
    let missing = json!({ "outcome": "FAILED", "errors": [{ "code": "NOT_FOUND", "path": ["id"] }] });
    app.database.change("UPDATE job SET failed_at = 0").await;
    for (caller, id) in [(&other, id.as_str()), (&caller, unknown.as_str()), (&caller, "job_1"), (&caller, "")] {
        assert_eq!(retry(caller, id).await, missing, "{id}");
    }
    assert_eq!(listed(&caller).await[0]["state"], "FAILED");
    app.database.change("UPDATE job SET failed_at = NULL").await;
    assert_eq!(retry(&caller, &id).await, missing, "it has not failed");
    let others = caller.with(Permission::ALL.into_iter().filter(|scope| *scope != Permission::Admin));
    for document in
        ["{ jobs { nodes { id } } }", "mutation { organizationRetryJob(input: { id: \"job_1\" }) { outcome } }"]
    {
        assert_eq!(codes(&others.run(document, json!({})).await.body), ["FORBIDDEN"], "{document}");
    }
}

#[tokio::test]
async fn jobs_are_listed_page_by_page_by_state_and_kind() {
    let app = server(&App::start().await, &[&COUNT]).await;
    let caller = app.admin("one").await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(id::encode("job", begin(&app, caller.organization(), &COUNT, "1", now()).await));
    }
    app.store.claim(caller.organization(), 2, now()).await.unwrap();
    let document = "query($state: JobState, $kind: String, $first: Int!, $after: String) {
        jobs(state: $state, kind: $kind, first: $first, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }";
    let (mut found, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = caller.data(document, json!({ "first": 2, "after": after })).await;
        found
            .extend(page["jobs"]["nodes"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned()));
        if page["jobs"]["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["jobs"]["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(found, ids);
    for (variables, count) in [
        (json!({ "state": "RUNNING" }), 2),
        (json!({ "state": "WAITING" }), 3),
        (json!({ "state": "FAILED" }), 0),
        (json!({ "kind": "TEST_COUNT" }), 5),
        (json!({ "kind": "ERASURE" }), 0),
    ] {
        let mut variables = variables;
        variables["first"] = json!(9);
        let page = caller.data(document, variables.clone()).await;
        assert_eq!(page["jobs"]["nodes"].as_array().unwrap().len(), count, "{variables}");
    }
}

#[tokio::test]
async fn a_job_whose_server_ends_in_the_step_again_and_again_fails_for_good() {
    let app = server(&App::start().await, &[&COUNT]).await;
    let caller = app.admin("one").await;
    begin(&app, caller.organization(), &COUNT, "panics", now()).await;
    let mut at = now();
    while listed(&caller).await[0]["state"] != "FAILED" {
        app.store.run_jobs(move || at).await.unwrap();
        at += LEASE;
        assert!(at < now() + TimeDelta::hours(1), "it never fails");
    }
    let job = listed(&caller).await.remove(0);
    assert_eq!((&job["reason"], &job["steps"]), (&json!("ABANDONED"), &json!(0)));
}

#[tokio::test]
async fn a_job_that_waits_for_others_has_not_failed() {
    let app = server(&App::start().await, &[&COUNT]).await;
    let caller = app.admin("one").await;
    begin(&app, caller.organization(), &COUNT, "waits", now()).await;
    let mut at = now();
    for _ in 0..2 * MAX_ATTEMPTS {
        app.store.run_jobs(move || at).await.unwrap();
        let job = listed(&caller).await.remove(0);
        assert_eq!((&job["state"], &job["attempts"]), (&json!("WAITING"), &json!(0)));
        at = instant(&job["runAt"]);
    }
    repair(&app).await;
    app.store.run_jobs(move || at).await.unwrap();
    assert_eq!(effects(&app, caller.organization()).await, 1);
}

#[test]
fn jobs_that_failed_together_do_not_return_together() {
    let waits: std::collections::BTreeSet<i64> = (0..100).map(|_| backoff(id::new(), 8).num_milliseconds()).collect();
    assert!(waits.len() > 90, "{waits:?}");
    for attempts in [-1, 0, 1, 20, 21, i64::MAX] {
        let wait = backoff(id::new(), attempts);
        assert!(TimeDelta::seconds(5) <= wait && wait <= TimeDelta::hours(1), "{attempts}: {wait}");
    }
}
