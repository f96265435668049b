//! Improvements: their statuses and times, who votes for them, and when their loop is closed.

use serde_json::{Value, json};

use super::notices::{contributor, done, said, statuses, told};
use crate::{
    app::{App, Caller, now, refs},
    elements::refused,
    journeys::{by_id, made},
};

const SHOWN: &str = "errors { code path } node { id status plannedAt startedAt doneAt declinedAt declinedReason }";

/// A new improvement because of some feedback.
pub async fn proposed(caller: &Caller<'_>, records: &[&String]) -> String {
    let input = json!({ "title": "A new seal", "target": "PRODUCT", "feedbackRecords": refs(records) });
    made(caller, "improvementCreate", input).await
}

/// Runs a transition of an improvement, and answers its payload.
pub async fn step(caller: &Caller<'_>, verb: &str, improvement: &str, mut input: Value) -> Value {
    input["by"] = by_id(improvement);
    caller.mutate(&format!("improvement{verb}"), input, SHOWN).await
}

/// What an improvement shows.
pub async fn shown(caller: &Caller<'_>, improvement: &str, fields: &str) -> Value {
    let document = format!("query($id: ID!) {{ improvement(by: {{ id: $id }}) {{ {fields} }} }}");
    caller.data(&document, json!({ "id": improvement })).await["improvement"].take()
}

fn at(minute: i64) -> Value {
    json!(format!("2026-11-22T12:0{minute}:00Z"))
}

#[tokio::test]
async fn an_improvement_is_planned_made_and_taken_up_again() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let id = proposed(&caller, &[]).await;
    for (minute, verb) in [(1, "Plan"), (2, "Start"), (3, "Complete")] {
        assert_eq!(step(&caller.after(minute), verb, &id, json!({})).await["errors"], json!([]), "{verb}");
    }
    let fields = "status plannedAt startedAt doneAt declinedAt declinedReason";
    let mut expected = json!({ "status": "DONE", "plannedAt": at(1), "startedAt": at(2), "doneAt": at(3),
        "declinedAt": null, "declinedReason": null });
    assert_eq!(shown(&caller, &id, fields).await, expected);
    let back = step(&caller.after(4), "Reopen", &id, json!({})).await["node"].take();
    let times = (&back["status"], &back["plannedAt"], &back["startedAt"], &back["doneAt"]);
    assert_eq!(times, (&json!("PROPOSED"), &Value::Null, &Value::Null, &Value::Null));
    let why = json!({ "declinedReason": "Too dear" });
    step(&caller.after(5), "Decline", &id, why).await;
    step(&caller.after(6), "Reopen", &id, json!({})).await;
    expected = json!({ "status": "PROPOSED", "plannedAt": null, "startedAt": null, "doneAt": null,
        "declinedAt": at(5), "declinedReason": "Too dear" });
    assert_eq!(shown(&caller, &id, fields).await, expected, "why it was declined stays");
}

#[tokio::test]
async fn an_improvement_is_not_declined_without_a_reason_and_its_times_ascend() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let id = proposed(&caller, &[]).await;
    let row = |input: Value| {
        let mut all = json!({ "title": "A seal", "target": "MATERIAL" });
        all.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
        all
    };
    let late = "2027-01-01T00:00:00Z";
    let (second, first) = ("2026-11-20T00:00:00Z", "2026-11-19T00:00:00Z");
    let cases = vec![
        ("improvementDecline", json!({ "by": by_id(&id), "declinedReason": " \t" }), "REQUIRED", "declinedReason"),
        ("improvementCreate", row(json!({ "status": "DECLINED" })), "REQUIRED", "declinedReason"),
        ("improvementCreate", row(json!({ "plannedAt": late })), "OUT_OF_RANGE", "plannedAt"),
        ("improvementCreate", row(json!({ "startedAt": late })), "OUT_OF_RANGE", "startedAt"),
        ("improvementCreate", row(json!({ "doneAt": late })), "OUT_OF_RANGE", "doneAt"),
        ("improvementCreate", row(json!({ "declinedAt": late })), "OUT_OF_RANGE", "declinedAt"),
        ("improvementCreate", row(json!({ "plannedAt": second, "startedAt": first })), "OUT_OF_RANGE", "startedAt"),
        ("improvementCreate", row(json!({ "startedAt": second, "doneAt": first })), "OUT_OF_RANGE", "doneAt"),
        ("improvementUpdate", json!({ "by": by_id(&id), "doneAt": late }), "OUT_OF_RANGE", "doneAt"),
    ];
    refused(&app, &caller, cases).await;
    let done = made(&caller.after(1), "improvementCreate", row(json!({ "status": "DONE" }))).await;
    assert_eq!(shown(&caller, &done, "doneAt").await["doneAt"], at(1));
}

#[tokio::test]
async fn each_customer_has_one_vote_and_merged_ones_have_one_together() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (ann, bob, eve) = (contributor(&caller).await, contributor(&caller).await, contributor(&caller).await);
    let mut records = Vec::new();
    for customer in [Some(&ann), Some(&ann), Some(&bob), Some(&eve), None] {
        records.push(said(&caller, customer).await);
    }
    let id = proposed(&caller, &records.iter().collect::<Vec<_>>()).await;
    let none = proposed(&caller, &[]).await;
    let document = "{ improvements(orderBy: [{ field: ID }]) { nodes { id votes isClosed closedAt } } }";
    let votes = async || {
        let found = caller.ask(document).await["improvements"].take();
        let of = |id: &str| {
            found["nodes"].as_array().unwrap().iter().find(|node| node["id"] == id).unwrap()["votes"].clone()
        };
        (of(&id), of(&none))
    };
    assert_eq!(votes().await, (json!(3), json!(0)));
    let before = app.store.statements();
    caller.ask(document).await;
    let few = app.store.statements() - before;
    made(&caller, "customerMerge", json!({ "winner": by_id(&ann), "loser": by_id(&eve) })).await;
    assert_eq!(votes().await.0, json!(2), "before its references are moved");
    app.run_jobs(now()).await;
    assert_eq!(votes().await.0, json!(2));
    for _ in 0..3 {
        proposed(&caller, &records.iter().collect::<Vec<_>>()).await;
    }
    let before = app.store.statements();
    caller.ask(document).await;
    assert_eq!(app.store.statements() - before, few, "as many statements however many improvements");
    caller.mutate("customerUnmerge", json!({ "loser": by_id(&eve) }), "outcome").await;
    app.run_jobs(now()).await;
    assert_eq!(votes().await.0, json!(3));
}

#[tokio::test]
async fn the_loop_is_closed_when_each_was_told_or_could_not_be() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (ann, bob, eve) = (contributor(&caller).await, contributor(&caller).await, contributor(&caller).await);
    let mut records = Vec::new();
    for customer in [&ann, &bob, &eve] {
        records.push(said(&caller, Some(customer)).await);
    }
    let id = proposed(&caller, &records.iter().collect::<Vec<_>>()).await;
    let closed = async || {
        let found = shown(&caller, &id, "isClosed closedAt").await;
        (found["isClosed"].clone(), found["closedAt"].clone())
    };
    let open = (json!(false), Value::Null);
    assert_eq!(closed().await, open, "it is not done");
    done(&caller, &id).await;
    assert_eq!(closed().await, open);
    let of = statuses(&caller, &id).await;
    let notice = |customer: &str| of.iter().find(|notice| notice["customer"]["id"] == customer).unwrap()["id"].clone();
    assert_eq!(told(&caller.after(5), notice(&ann).as_str().unwrap(), json!({})).await["errors"], json!([]));
    assert_eq!(closed().await, open);
    let why = json!({ "by": { "id": notice(&bob) }, "obstacle": "DECLINED" });
    assert_eq!(caller.after(6).mutate("noticeAbandon", why, "errors { code }").await["errors"], json!([]));
    assert_eq!(closed().await, open);
    // Nobody is left to tell Eve.
    assert_eq!(caller.mutate("customerErase", json!({ "by": by_id(&eve) }), "outcome").await["outcome"], "UPDATED");
    assert_eq!(closed().await, (json!(true), at(6)));
    app.run_jobs(now()).await;
    assert_eq!(shown(&caller, &id, "votes").await["votes"], 3, "the feedback stays linked");
    step(&caller.after(7), "Reopen", &id, json!({})).await;
    assert_eq!(closed().await, open);
    let nobody = proposed(&caller, &[]).await;
    done(&caller, &nobody).await;
    assert_eq!(shown(&caller, &nobody, "isClosed closedAt").await, json!({ "isClosed": true, "closedAt": at(3) }));
}
