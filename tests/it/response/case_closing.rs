//! Closing cases: what a case lacks that cannot be closed, and what a closed one keeps.

use futures_util::future::join;
use serde_json::{Value, json};

use super::cases::{SHOWN, opened, phone, step};
use crate::{
    app::{App, Caller},
    elements::refused,
    journeys::{by_id, made, mistakes, one},
};

/// An attempt of a case.
async fn attempt(caller: &Caller<'_>, case: &str, has_worked: Option<bool>) -> String {
    let input = json!({ "caseRef": by_id(case), "research": "The seal is worn", "rootCause": "Heat",
        "tried": "A new seal", "hasWorked": has_worked });
    made(caller, "attemptCreate", input).await
}

fn close(case: &str, resolution: &str, more: &Value) -> Value {
    let mut input = json!({ "by": by_id(case), "resolution": resolution });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

#[tokio::test]
async fn no_case_is_closed_without_what_the_customer_was_told() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (medium, case) = (phone(&caller).await, opened(&caller).await);
    let by = by_id(&medium);
    let declined = |more: Value| close(&case, "DECLINED", &more);
    let cases = vec![
        ("caseClose", declined(json!({})), "REQUIRED", "toldWhat"),
        ("caseClose", declined(json!({ "toldMediumRef": by })), "REQUIRED", "toldWhat"),
        ("caseClose", declined(json!({ "toldWhat": " ", "toldMediumRef": by })), "REQUIRED", "toldWhat"),
        ("caseClose", declined(json!({ "notToldBecause": "\u{200b}" })), "REQUIRED", "toldWhat"),
        ("caseClose", declined(json!({ "toldWhat": "No" })), "REQUIRED", "toldMediumRef"),
        (
            "caseClose",
            declined(json!({ "toldWhat": "No", "toldMediumRef": by, "toldAt": "2026-11-22T12:00:01Z" })),
            "OUT_OF_RANGE",
            "toldAt",
        ),
        (
            "caseClose",
            declined(json!({ "toldWhat": "No", "toldMediumRef": by, "toldAt": "2026-11-22T11:59:59Z" })),
            "OUT_OF_RANGE",
            "toldAt",
        ),
    ];
    refused(&app, &caller, cases).await;
    let done = step(&caller, "Close", &case, declined(json!({ "toldWhat": "No", "toldMediumRef": by }))).await;
    let node = &done["node"];
    let shown = (&node["stage"], &node["resolution"], &node["toldAt"], &node["closedAt"]);
    let noon = json!("2026-11-22T12:00:00Z");
    assert_eq!(shown, (&json!("CLOSED"), &json!("DECLINED"), &noon, &noon));
    let other = opened(&caller).await;
    let gone = close(&other, "NOT_SOLVED", &json!({ "notToldBecause": "Gone without an address" }));
    assert_eq!(mistakes(&step(&caller, "Close", &other, gone).await), []);
    // What was told before, step by step, counts as well.
    let third = opened(&caller).await;
    step(&caller, "Communicate", &third, json!({ "toldWhat": "No", "toldMediumRef": by })).await;
    assert_eq!(mistakes(&step(&caller, "Close", &third, close(&third, "DECLINED", &json!({}))).await), []);
    // After it was reopened, the customer is told anew.
    step(&caller, "Reopen", &third, json!({})).await;
    refused(&app, &caller, vec![("caseClose", close(&third, "DECLINED", &json!({})), "REQUIRED", "toldWhat")]).await;
}

#[tokio::test]
async fn a_case_is_solved_by_an_attempt_that_worked() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (case, other) = (opened(&caller).await, opened(&caller).await);
    let solved = close(&case, "SOLVED", &json!({ "notToldBecause": "They saw it" }));
    let unsolved = || vec![("caseClose", solved.clone(), "INVALID", "resolution")];
    refused(&app, &caller, unsolved()).await;
    attempt(&caller, &case, None).await;
    let failed = attempt(&caller, &case, Some(false)).await;
    attempt(&caller, &other, Some(true)).await;
    refused(&app, &caller, unsolved()).await;
    let worked = attempt(&caller, &case, Some(true)).await;
    assert_eq!(mistakes(&step(&caller, "Close", &case, solved.clone()).await), []);
    // The attempt stays as long as it is why the case is closed.
    let cases = vec![
        ("attemptUpdate", json!({ "by": by_id(&worked), "hasWorked": false }), "IN_USE", "hasWorked"),
        ("attemptUpdate", json!({ "by": by_id(&worked), "hasWorked": null }), "IN_USE", "hasWorked"),
        ("attemptDelete", json!({ "by": by_id(&worked) }), "IN_USE", "by"),
    ];
    refused(&app, &caller, cases).await;
    let rows = [&worked, &failed].map(|id| json!({ "by": by_id(id) }));
    let both = json!({ "rows": rows, "policy": "SKIP_INVALID" });
    let done = caller.mutate("attemptsBulkDelete", both, "results { outcome errors { code path } }").await;
    assert_eq!(mistakes(&done["results"][0]), one("IN_USE", &["by"]));
    assert_eq!(done["results"][1]["outcome"], "DELETED");
    let remove = json!({ "by": by_id(&case), "attempts": { "remove": [by_id(&worked)] } });
    let done = caller.mutate("caseUpdate", remove, SHOWN).await;
    assert_eq!(mistakes(&done), one("IN_USE", &["attempts", "remove", "0"]));
    made(&caller, "attemptUpdate", json!({ "by": by_id(&worked), "tried": "A better seal", "hasWorked": true })).await;
    step(&caller, "Reopen", &case, json!({})).await;
    made(&caller, "attemptUpdate", json!({ "by": by_id(&worked), "hasWorked": false })).await;
    refused(&app, &caller, unsolved()).await;
    let done = caller.mutate("attemptDelete", json!({ "by": by_id(&worked) }), "outcome").await;
    assert_eq!(done["outcome"], "DELETED");
}

#[tokio::test]
async fn an_attempt_says_what_was_tried() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let case = opened(&caller).await;
    let seal = attempt(&caller, &case, None).await;
    let new = |more: Value| {
        let mut input = json!({ "caseRef": by_id(&case) });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let cases = vec![
        ("attemptCreate", new(json!({ "hasWorked": true, "tried": " " })), "REQUIRED", "tried"),
        ("attemptUpdate", json!({ "by": by_id(&seal), "tried": null }), "REQUIRED", "tried"),
        (
            "attemptCreate",
            new(json!({ "tried": "A restart", "triedAt": "2026-11-22T12:00:01Z" })),
            "OUT_OF_RANGE",
            "triedAt",
        ),
    ];
    refused(&app, &caller, cases).await;
}

#[tokio::test]
async fn who_only_wanted_to_be_heard_was_heard() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let case = opened(&caller).await;
    let venting = |more: Value| {
        let mut input = close(&case, "VENTING", &json!({ "notToldBecause": "Said all in the call" }));
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    refused(&app, &caller, vec![("caseClose", venting(json!({ "listeningNote": "Sad" })), "INVALID", "resolution")])
        .await;
    made(&caller, "caseUpdate", json!({ "by": by_id(&case), "disposition": "REAL_PROBLEM" })).await;
    refused(&app, &caller, vec![("caseClose", venting(json!({ "listeningNote": "Sad" })), "INVALID", "resolution")])
        .await;
    made(&caller, "caseUpdate", json!({ "by": by_id(&case), "disposition": "VENTING" })).await;
    refused(&app, &caller, vec![("caseClose", venting(json!({})), "REQUIRED", "listeningNote")]).await;
    let done = step(&caller, "Close", &case, venting(json!({ "listeningNote": "Waited too long" }))).await;
    assert_eq!((mistakes(&done), &done["node"]["resolution"]), (vec![], &json!("VENTING")));
}

#[tokio::test]
async fn a_duplicate_names_its_original_and_no_circle_closes() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (first, second, third) = (opened(&caller).await, opened(&caller).await, opened(&caller).await);
    let of = |case: &str, original: Option<&str>| {
        let mut input = close(case, "DUPLICATE", &json!({ "notToldBecause": "Told with the original" }));
        input["duplicateOfRef"] = original.map_or(Value::Null, by_id);
        input
    };
    let update = json!({ "by": by_id(&first), "duplicateOfRef": by_id(&second) });
    let wrong = close(&first, "WITHDRAWN", &json!({ "notToldBecause": "-", "duplicateOfRef": by_id(&second) }));
    let cases = vec![
        ("caseClose", of(&first, None), "REQUIRED", "duplicateOfRef"),
        ("caseClose", of(&first, Some(&first)), "CYCLE", "duplicateOfRef"),
        ("caseClose", wrong, "INVALID", "duplicateOfRef"),
        ("caseUpdate", update, "INVALID", "duplicateOfRef"),
    ];
    refused(&app, &caller, cases).await;
    assert_eq!(mistakes(&step(&caller, "Close", &first, of(&first, Some(&second))).await), []);
    assert_eq!(mistakes(&step(&caller, "Close", &second, of(&second, Some(&third))).await), []);
    let cases = vec![
        ("caseClose", of(&third, Some(&first)), "CYCLE", "duplicateOfRef"),
        ("caseDelete", json!({ "by": by_id(&third) }), "IN_USE", "by"),
        ("caseUpdate", json!({ "by": by_id(&first), "resolution": "WITHDRAWN" }), "INVALID", "resolution"),
    ];
    refused(&app, &caller, cases).await;
    let query = "query($id: ID!) { case(by: { id: $id }) { duplicates { nodes { id } } } }";
    let shown = caller.data(query, json!({ "id": third })).await["case"]["duplicates"]["nodes"].take();
    assert_eq!(shown, json!([{ "id": second }]));
    let back = step(&caller, "Reopen", &first, json!({})).await;
    assert_eq!((&back["node"]["duplicateOf"], &back["node"]["resolution"]), (&Value::Null, &Value::Null));
    assert_eq!(mistakes(&step(&caller, "Close", &third, of(&third, Some(&first))).await), []);
}

#[tokio::test]
async fn no_case_causes_itself() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (first, second) = (opened(&caller).await, opened(&caller).await);
    let caused = |case: &str, by: &str| json!({ "by": by_id(case), "causedByRef": by_id(by) });
    refused(&app, &caller, vec![("caseUpdate", caused(&first, &first), "CYCLE", "causedByRef")]).await;
    made(&caller, "caseUpdate", caused(&first, &second)).await;
    refused(&app, &caller, vec![("caseUpdate", caused(&second, &first), "CYCLE", "causedByRef")]).await;
    let query = "query($id: ID!) { case(by: { id: $id }) { consequences { nodes { id causedBy { id } } } } }";
    let shown = caller.data(query, json!({ "id": second })).await["case"]["consequences"]["nodes"].take();
    assert_eq!(shown, json!([{ "id": first, "causedBy": { "id": second } }]));
}

#[tokio::test]
async fn a_closed_case_stays_complete() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (medium, case) = (phone(&caller).await, opened(&caller).await);
    made(&caller, "caseUpdate", json!({ "by": by_id(&case), "disposition": "VENTING", "listeningNote": "Sad" })).await;
    let told = json!({ "toldWhat": "Sorry", "toldMediumRef": by_id(&medium) });
    assert_eq!(mistakes(&step(&caller, "Close", &case, close(&case, "VENTING", &told)).await), []);
    let change = |field: &str, value: Value| json!({ "by": by_id(&case), field: value });
    let cases = vec![
        ("caseUpdate", change("toldWhat", Value::Null), "REQUIRED", "toldWhat"),
        ("caseUpdate", change("toldMediumRef", Value::Null), "REQUIRED", "toldMediumRef"),
        ("caseUpdate", change("toldAt", Value::Null), "REQUIRED", "toldAt"),
        ("caseUpdate", change("listeningNote", json!(" ")), "REQUIRED", "listeningNote"),
        ("caseUpdate", change("disposition", json!("REAL_PROBLEM")), "INVALID", "resolution"),
        ("caseUpdate", change("resolution", json!("SOLVED")), "INVALID", "resolution"),
        ("caseUpdate", change("resolution", Value::Null), "REQUIRED", "resolution"),
    ];
    refused(&app, &caller, cases).await;
    made(&caller, "caseUpdate", change("toldWhat", json!("We are sorry"))).await;
    made(&caller, "caseUpdate", change("resolution", json!("WITHDRAWN"))).await;
    // A case of another system that ended without all of this can still be changed.
    let old = json!({ "externalId": { "system": "crm", "id": "1" }, "title": "Old", "stage": "CLOSED" });
    let old = made(&caller, "caseUpsert", old).await;
    made(&caller, "caseUpdate", json!({ "by": by_id(&old), "title": "Older", "resolution": "NOT_SOLVED" })).await;
    let reason = json!({ "by": by_id(&old), "notToldBecause": "Unknown" });
    made(&caller, "caseUpdate", reason).await;
    let lost = json!({ "by": by_id(&old), "notToldBecause": null });
    refused(&app, &caller, vec![("caseUpdate", lost, "REQUIRED", "toldWhat")]).await;
}

#[tokio::test]
async fn what_was_solved_at_the_first_contact_could_be() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let case = opened(&caller).await;
    made(&caller, "caseUpdate", json!({ "by": by_id(&case), "isSolvableAtFirstContact": false })).await;
    let solved = json!({ "by": by_id(&case), "isSolvedAtFirstContact": true });
    refused(&app, &caller, vec![("caseUpdate", solved, "INVALID", "isSolvedAtFirstContact")]).await;
    let both = json!({ "by": by_id(&case), "isSolvableAtFirstContact": true, "isSolvedAtFirstContact": true });
    made(&caller, "caseUpdate", both).await;
    let changed = json!({ "by": by_id(&case), "isSolvableAtFirstContact": false });
    refused(&app, &caller, vec![("caseUpdate", changed, "INVALID", "isSolvableAtFirstContact")]).await;
}

#[tokio::test]
async fn an_attempt_and_the_close_that_rests_on_it_are_one_after_the_other() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for round in 0..12 {
        let case = opened(&caller).await;
        let worked = attempt(&caller, &case, Some(true)).await;
        let close = step(&caller, "Close", &case, close(&case, "SOLVED", &json!({ "notToldBecause": "They saw it" })));
        let told = "outcome errors { code path }";
        let change = if round % 2 == 0 {
            caller.mutate("attemptUpdate", json!({ "by": by_id(&worked), "hasWorked": false }), told)
        } else {
            caller.mutate("attemptDelete", json!({ "by": by_id(&worked) }), told)
        };
        let (closed, changed) = join(close, change).await;
        let outcomes = (closed["outcome"] == "FAILED", changed["outcome"] == "FAILED");
        assert!(outcomes.0 != outcomes.1, "{closed:#} {changed:#}");
        let field = if round % 2 == 0 { "hasWorked" } else { "by" };
        let lost =
            if outcomes.0 { (&closed, one("INVALID", &["resolution"])) } else { (&changed, one("IN_USE", &[field])) };
        assert_eq!(mistakes(lost.0), lost.1);
    }
}

#[tokio::test]
async fn two_duplicates_at_once_close_no_circle() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for _ in 0..6 {
        let (first, second) = (opened(&caller).await, opened(&caller).await);
        let of = async |case: &str, original: &str| {
            let more = json!({ "notToldBecause": "Told with the original", "duplicateOfRef": by_id(original) });
            step(&caller, "Close", case, close(case, "DUPLICATE", &more)).await
        };
        let (one_way, other_way) = join(of(&first, &second), of(&second, &first)).await;
        let failed: Vec<&Value> =
            [&one_way, &other_way].into_iter().filter(|done| done["outcome"] == "FAILED").collect();
        assert_eq!(failed.len(), 1, "{one_way:#} {other_way:#}");
        assert_eq!(mistakes(failed[0]), one("CYCLE", &["duplicateOfRef"]));
    }
}
