//! What leads to a case and what becomes of it: its trace, how attempts are verified, comments, and cases opened by rule.

use serde_json::{Value, json};

use super::cases::{opened, phone, step};
use crate::{
    app::{App, Caller},
    elements::refused,
    journeys::{by_id, made, point},
};

const TRACE: &str = "query($id: ID!) { case(by: { id: $id }) { trace { kind happenedAt interaction { id }
    feedbackRecord { id } routing { cause reason rule { name } } attempt { tried } medium { name } } } }";

async fn trace(caller: &Caller<'_>, case: &str) -> Vec<Value> {
    let seen = caller.data(TRACE, json!({ "id": case })).await;
    seen["case"]["trace"].as_array().unwrap().clone()
}

/// A department and a rule that routes what leaks to it.
async fn leaks(caller: &Caller<'_>, is_case_opened: bool) -> String {
    let service = made(caller, "departmentCreate", json!({ "name": "Service" })).await;
    let rule = json!({ "name": "Leaks", "position": 1, "words": ["leak"], "priority": "HIGH",
        "isCaseOpened": is_case_opened, "departmentRef": by_id(&service) });
    made(caller, "routingRuleCreate", rule).await
}

#[tokio::test]
async fn a_trace_goes_from_what_was_said_to_what_was_told() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    leaks(&caller, false).await;
    let medium = phone(&caller).await;
    let call = json!({ "status": "COMPLETED", "occurredAt": "2026-11-20T08:00:00Z" });
    let call = made(&caller, "interactionCreate", call).await;
    let said =
        |at: &str| json!({ "kind": "COMPLAINT", "body": "It leaks", "receivedAt": at, "interactionRef": by_id(&call) });
    let first = made(&caller, "feedbackRecordCreate", said("2026-11-20T08:05:00Z")).await;
    let second = made(&caller, "feedbackRecordCreate", said("2026-11-20T08:10:00Z")).await;
    let records = json!([by_id(&first), by_id(&second)]);
    let case = made(&caller, "caseOpen", json!({ "title": "Leak", "feedbackRecords": records })).await;
    let empty = opened(&caller).await;
    let attempt = json!({ "caseRef": by_id(&case), "tried": "A new seal" });
    let attempt = made(&caller.after(1), "attemptCreate", attempt).await;
    let found = json!({ "by": by_id(&attempt), "hasWorked": true, "verifiedBy": "OBSERVED" });
    made(&caller.after(2), "attemptUpdate", found).await;
    let told = json!({ "toldWhat": "It is tight", "toldMediumRef": by_id(&medium) });
    step(&caller.after(3), "Communicate", &case, told).await;

    let visit = json!({ "status": "COMPLETED", "occurredAt": "2026-11-21T08:00:00Z", "caseRef": by_id(&case) });
    let visit = made(&caller, "interactionCreate", visit).await;
    let reroute = json!({ "by": by_id(&first), "reason": "They know the house." });
    made(&caller.after(4), "feedbackRecordReroute", reroute).await;
    let kinds: Vec<Value> = trace(&caller, &case).await;
    let shown: Vec<String> = kinds
        .iter()
        .map(|step| format!("{} {}", step["kind"].as_str().unwrap(), step["happenedAt"].as_str().unwrap()))
        .collect();
    let expected = [
        "INTERACTION 2026-11-20T08:00:00Z",
        "FEEDBACK 2026-11-20T08:05:00Z",
        "FEEDBACK 2026-11-20T08:10:00Z",
        "INTERACTION 2026-11-21T08:00:00Z",
        "ROUTING 2026-11-22T12:00:00Z",
        "ROUTING 2026-11-22T12:00:00Z",
        "ATTEMPT 2026-11-22T12:01:00Z",
        "VERIFICATION 2026-11-22T12:02:00Z",
        "TOLD 2026-11-22T12:03:00Z",
        "ROUTING 2026-11-22T12:04:00Z",
    ];
    assert_eq!(shown, expected);
    assert_eq!(kinds[0]["interaction"], json!({ "id": call }));
    let said = (&kinds[1]["feedbackRecord"]["id"], &kinds[1]["interaction"]["id"]);
    assert_eq!(said, (&json!(first), &json!(call)));
    assert_eq!(kinds[3]["interaction"], json!({ "id": visit }));
    let routing = &kinds[4]["routing"];
    assert_eq!((&routing["cause"], &routing["rule"]["name"]), (&json!("RULE"), &json!("Leaks")));
    assert!(routing["reason"].as_str().unwrap().contains("Leaks"));
    assert_eq!(
        (&kinds[6]["attempt"]["tried"], &kinds[7]["attempt"]["tried"]),
        (&json!("A new seal"), &json!("A new seal"))
    );
    assert_eq!(kinds[8]["medium"], json!({ "name": "Phone" }));
    assert_eq!(kinds[8]["attempt"], Value::Null);
    assert_eq!(trace(&caller, &empty).await, Vec::<Value>::new());

    let document = "{ cases { nodes { trace { kind } } } }";
    let before = app.store.statements();
    caller.ask(document).await;
    let two = app.store.statements() - before;
    made(&caller, "caseOpen", json!({ "title": "Again", "feedbackRecords": [by_id(&second)] })).await;
    let before = app.store.statements();
    caller.ask(document).await;
    assert_eq!(app.store.statements() - before, two, "as many statements however many cases");
}

#[tokio::test]
async fn an_attempt_says_how_and_when_it_was_found_out_whether_it_worked() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let case = opened(&caller).await;
    let shown = "errors { code path } node { id hasWorked verifiedBy verifiedAt }";
    let of = async |caller: Caller<'_>, field: &str, input: Value| {
        let node = caller.mutate(field, input, shown).await["node"].take();
        (node["id"].as_str().unwrap().to_owned(), node["verifiedBy"].clone(), node["verifiedAt"].clone())
    };
    let tried = |at: &str| json!({ "caseRef": by_id(&case), "tried": "A seal", "triedAt": at });
    let mut known = tried("2026-11-20T08:00:00Z");
    known["hasWorked"] = json!(false);
    let (_, by, at) = of(caller.after(1), "attemptCreate", known).await;
    assert_eq!((by, at), (Value::Null, json!("2026-11-20T08:00:00Z")));
    let (id, _, at) = of(caller.after(1), "attemptCreate", tried("2026-11-21T08:00:00Z")).await;
    assert_eq!(at, Value::Null);
    let input = json!({ "by": by_id(&id), "hasWorked": true, "verifiedBy": "ASKED" });
    let (_, by, at) = of(caller.after(2), "attemptUpdate", input).await;
    assert_eq!((by, at), (json!("ASKED"), json!("2026-11-22T12:02:00Z")));
    let input = json!({ "by": by_id(&id), "hasWorked": false });
    let (_, _, at) = of(caller.after(5), "attemptUpdate", input).await;
    assert_eq!(at, json!("2026-11-22T12:02:00Z"), "the time of the first answer stays unless another is given");
    let cases = vec![
        (
            "attemptUpdate",
            json!({ "by": by_id(&id), "verifiedAt": "2026-11-20T08:00:00Z" }),
            "OUT_OF_RANGE",
            "verifiedAt",
        ),
        (
            "attemptUpdate",
            json!({ "by": by_id(&id), "verifiedAt": "2027-01-01T00:00:00Z" }),
            "OUT_OF_RANGE",
            "verifiedAt",
        ),
        (
            "attemptCreate",
            json!({ "caseRef": by_id(&case), "tried": "Tape", "verifiedBy": "ASKED" }),
            "INVALID",
            "verifiedBy",
        ),
        (
            "attemptCreate",
            json!({ "caseRef": by_id(&case), "tried": "Tape", "verifiedAt": "2026-11-22T11:00:00Z",
                "triedAt": "2026-11-22T10:00:00Z" }),
            "INVALID",
            "verifiedAt",
        ),
    ];
    refused(&app, &caller, cases).await;
    let input = json!({ "by": by_id(&id), "hasWorked": null });
    let (_, by, at) = of(caller.after(6), "attemptUpdate", input).await;
    assert_eq!((by, at), (Value::Null, Value::Null));
}

#[tokio::test]
async fn a_comment_is_signed_by_whoever_wrote_it() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let case = opened(&caller).await;
    let shown = "errors { code path } node { id body subject writtenAt }";
    let comment = json!({ "caseRef": by_id(&case), "body": "Call her on Monday" });
    let done = caller.mutate("caseCommentCreate", comment, shown).await["node"].take();
    let me = caller.ask("{ viewer { subject } }").await["viewer"]["subject"].take();
    assert_eq!((&done["subject"], &done["writtenAt"]), (&me, &json!("2026-11-22T12:00:00Z")));
    let id = done["id"].as_str().unwrap();
    let input = json!({ "by": by_id(id), "body": "Call her on Tuesday" });
    let done = caller.named("somebody else").mutate("caseCommentUpdate", input, shown).await["node"].take();
    assert_eq!((&done["subject"], &done["body"]), (&me, &json!("Call her on Tuesday")));
    let cases = vec![
        ("caseCommentCreate", json!({ "caseRef": by_id(&case), "body": " " }), "REQUIRED", "body"),
        (
            "caseCommentCreate",
            json!({ "caseRef": by_id(&case), "body": "Later", "writtenAt": "2027-01-01T00:00:00Z" }),
            "OUT_OF_RANGE",
            "writtenAt",
        ),
    ];
    refused(&app, &caller, cases).await;
    let seen =
        caller.data("query($id: ID!) { case(by: { id: $id }) { comments { nodes { body } } } }", json!({ "id": case }));
    assert_eq!(seen.await["case"]["comments"]["nodes"], json!([{ "body": "Call her on Tuesday" }]));
}

#[tokio::test]
async fn a_rule_that_is_case_openeds_opens_one_for_each_new_record_that_it_routes() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let rule = leaks(&caller, true).await;
    let desk = point(&caller, "Desk").await;
    let works = made(&caller, "accountCreate", json!({ "name": "Works" })).await;
    let ann = made(&caller, "customerCreate", json!({ "name": "Ann", "accountRef": by_id(&works) })).await;
    let key = |id: usize| json!({ "system": "crm", "id": id.to_string() });
    let row = |id: usize, body: &str| json!({ "externalId": key(id), "kind": "COMPLAINT", "body": body });
    let mut rows = vec![row(1, "\n  My boiler leaks \nand hums"), row(2, "Nothing"), row(3, "A leak")];
    rows[0]["customerRef"] = by_id(&ann);
    rows[0]["pointRef"] = by_id(&desk);
    rows[0]["receivedAt"] = json!("2026-11-20T08:00:00Z");
    let input = json!({ "rows": rows });
    caller.mutate("feedbackRecordsBulkUpsert", input.clone(), "results { outcome }").await;
    // Neither an update nor a new routing opens another one.
    caller.mutate("feedbackRecordsBulkUpsert", input, "results { outcome }").await;
    let again = json!({ "by": { "externalId": key(3) }, "reason": "Again" });
    made(&caller, "feedbackRecordReroute", again).await;
    let document = "{ cases(orderBy: [{ field: RECEIVED_AT }]) { nodes { title stage priority receivedAt
        department { name } customer { name } account { name } point { name }
        feedbackRecords { nodes { externalIds { id } } } } } }";
    let seen = caller.ask(document).await;
    let record = |id: &str| json!({ "nodes": [{ "externalIds": [{ "id": id }] }] });
    let rest = json!({ "stage": "RECEIVED", "priority": "HIGH", "department": { "name": "Service" } });
    let mut expected = [
        json!({ "title": "My boiler leaks", "receivedAt": "2026-11-20T08:00:00Z", "customer": { "name": "Ann" },
            "account": { "name": "Works" }, "point": { "name": "Desk" }, "feedbackRecords": record("1") }),
        json!({ "title": "A leak", "receivedAt": "2026-11-22T12:00:00Z", "customer": null, "account": null,
            "point": null, "feedbackRecords": record("3") }),
    ];
    for case in &mut expected {
        case.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    }
    assert_eq!(seen["cases"]["nodes"], json!(expected));
    let preview = "{ routingPreview(input: { body: \"leak\" }) { isCaseOpened } }";
    assert_eq!(caller.ask(preview).await["routingPreview"]["isCaseOpened"], true);
    made(&caller, "routingRuleUpdate", json!({ "by": by_id(&rule), "words": [] })).await;
    made(&caller, "feedbackRecordCreate", json!({ "kind": "PRAISE" })).await;
    let seen = caller.ask("{ cases(last: 1) { nodes { title } } }").await;
    assert_eq!(seen["cases"]["nodes"], json!([{ "title": "Leaks" }]), "without a body, the rule names the case");
}
