//! Cases: their stages and times, what they are opened from, and what they show.

use entity::Permission;
use serde_json::{Value, json};

use crate::{
    app::{App, Caller},
    elements::refused,
    journeys::{by_id, made, mistakes, one, point},
};

pub const SHOWN: &str =
    "outcome errors { code path } node { id stage receivedAt acknowledgedAt assessedAt investigatedAt
    respondedAt communicatedAt closedAt reopenedAt reopenedBecause escalatedAt resolution toldWhat toldAt
    toldMedium { name } notToldBecause duplicateOf { id } }";

const NOON: &str = "2026-11-22T12:00:00Z";

/// A new case.
pub async fn opened(caller: &Caller<'_>) -> String {
    made(caller, "caseCreate", json!({ "title": "The boiler leaks" })).await
}

/// Runs a transition of a case, and answers its payload.
pub async fn step(caller: &Caller<'_>, verb: &str, case: &str, mut input: Value) -> Value {
    input["by"] = by_id(case);
    caller.mutate(&format!("case{verb}"), input, SHOWN).await
}

/// A medium to tell customers by.
pub async fn phone(caller: &Caller<'_>) -> String {
    made(caller, "mediumCreate", json!({ "name": "Phone" })).await
}

async fn feedback(caller: &Caller<'_>, input: Value) -> String {
    let mut all = json!({ "kind": "COMPLAINT" });
    all.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
    made(caller, "feedbackRecordCreate", all).await
}

#[tokio::test]
async fn a_stage_may_be_skipped_and_its_first_time_stays() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let medium = phone(&caller).await;
    let case = opened(&caller).await;
    let done = step(&caller.after(1), "Assess", &case, json!({ "severity": "MAJOR" })).await["node"].take();
    let shown = (&done["stage"], &done["receivedAt"], &done["acknowledgedAt"], &done["assessedAt"]);
    assert_eq!(shown, (&json!("ASSESSED"), &json!(NOON), &Value::Null, &json!("2026-11-22T12:01:00Z")));
    let told = json!({ "toldWhat": "A new boiler comes", "toldMediumRef": by_id(&medium) });
    let done = step(&caller.after(2), "Communicate", &case, told).await["node"].take();
    assert_eq!((&done["stage"], &done["toldAt"]), (&json!("COMMUNICATED"), &json!("2026-11-22T12:02:00Z")));
    let because = json!({ "reopenedBecause": "It leaks again" });
    let done = step(&caller.after(3), "Reopen", &case, because).await["node"].take();
    assert_eq!((&done["stage"], &done["reopenedBecause"]), (&json!("INVESTIGATED"), &json!("It leaks again")));
    assert_eq!((&done["toldWhat"], &done["toldAt"], &done["toldMedium"]), (&Value::Null, &Value::Null, &Value::Null));
    let times = (&done["reopenedAt"], &done["investigatedAt"], &done["communicatedAt"]);
    let at = |minute: i64| json!(format!("2026-11-22T12:0{minute}:00Z"));
    assert_eq!(times, (&at(3), &at(3), &at(2)));
    let told = json!({ "toldWhat": "It was a pipe", "toldMediumRef": by_id(&medium) });
    let done = step(&caller.after(4), "Communicate", &case, told).await["node"].take();
    assert_eq!((&done["communicatedAt"], &done["toldAt"]), (&at(2), &at(4)));
    let done = step(&caller.after(5), "Reopen", &case, json!({})).await["node"].take();
    assert_eq!((&done["reopenedAt"], &done["investigatedAt"]), (&at(5), &at(3)));
    assert_eq!(step(&caller.after(6), "Respond", &case, json!({})).await["node"]["respondedAt"], at(6));
    let back = step(&caller, "Assess", &case, json!({})).await;
    assert_eq!(mistakes(&back), one("INVALID_TRANSITION", &["by"]));
}

#[tokio::test]
async fn a_blank_is_nothing_told() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (medium, case) = (phone(&caller).await, opened(&caller).await);
    let blank = json!({ "by": by_id(&case), "toldWhat": " \t", "toldMediumRef": by_id(&medium) });
    refused(&app, &caller, vec![("caseCommunicate", blank, "REQUIRED", "toldWhat")]).await;
}

#[tokio::test]
async fn a_case_is_opened_from_several_records_at_once() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let desk = point(&caller, "Desk").await;
    let account = made(&caller, "accountCreate", json!({ "name": "Works" })).await;
    let ann = made(&caller, "customerCreate", json!({ "name": "Ann", "accountRef": by_id(&account) })).await;
    let service = made(&caller, "departmentCreate", json!({ "name": "Service" })).await;
    let rule = json!({ "name": "Leaks", "position": 1, "words": ["leak"], "priority": "HIGH",
        "departmentRef": by_id(&service) });
    made(&caller, "routingRuleCreate", rule).await;
    let said = |body: &str, at: &str| json!({ "body": body, "receivedAt": at, "customerRef": by_id(&ann), "pointRef": by_id(&desk) });
    let leak = feedback(&caller, said("It leaks", "2026-11-20T08:00:00Z")).await;
    let noise = feedback(&caller, said("It hums", "2026-11-19T08:00:00Z")).await;
    let records = |ids: &[&String]| ids.iter().map(|id| by_id(id)).collect::<Value>();
    let shown = "errors { code path } node { id title stage receivedAt priority isSafetyRelevant escalatedAt
        department { name } customer { name } account { name } point { name } assignee { name }
        feedbackRecords(orderBy: [{ field: ID }]) { nodes { body cases { nodes { title } } } } }";
    let input =
        json!({ "title": "Ann's boiler", "feedbackRecords": records(&[&leak, &noise]), "isSafetyRelevant": true });
    let done = caller.mutate("caseOpen", input, shown).await;
    assert_eq!(done["errors"], json!([]));
    let case = &done["node"];
    let named = json!({ "nodes": [{ "title": "Ann's boiler" }] });
    let mut expected = json!({
        "title": "Ann's boiler", "stage": "RECEIVED", "receivedAt": "2026-11-19T08:00:00Z", "priority": "HIGH",
        "isSafetyRelevant": true, "escalatedAt": NOON, "department": { "name": "Service" },
        "customer": { "name": "Ann" }, "account": { "name": "Works" }, "point": { "name": "Desk" }, "assignee": null,
        "feedbackRecords": { "nodes": [{ "body": "It leaks", "cases": named }, { "body": "It hums", "cases": named }] },
    });
    expected["id"] = case["id"].clone();
    assert_eq!(*case, expected);
    // A record may be in several cases, and what not all records have in common is left out.
    let other = feedback(&caller, json!({ "body": "Mine, too" })).await;
    let input = json!({ "title": "Boilers", "feedbackRecords": records(&[&other, &leak]), "priority": "LOW",
        "departmentRef": by_id(&service) });
    let wide = caller.mutate("caseOpen", input, shown).await["node"].take();
    let told = (&wide["priority"], &wide["department"]["name"], &wide["customer"], &wide["point"]);
    assert_eq!(told, (&json!("LOW"), &json!("Service"), &Value::Null, &Value::Null));
    assert_eq!(wide["feedbackRecords"]["nodes"][0]["cases"]["nodes"].as_array().unwrap().len(), 2);
    let input = json!({ "title": "Boilers again", "feedbackRecords": records(&[&leak, &other]) });
    let wide_too = caller.mutate("caseOpen", input, shown).await["node"].take();
    assert_eq!((&wide_too["customer"], &wide_too["point"]), (&Value::Null, &Value::Null));
    let none: [&String; 0] = [];
    let unknown = json!([{ "id": "fb_01h455vb4pex5vsknk084sn02q" }]);
    let cases = vec![
        ("caseOpen", json!({ "title": "None", "feedbackRecords": records(&none) }), "REQUIRED", "feedbackRecords"),
        ("caseOpen", json!({ "title": " ", "feedbackRecords": records(&[&leak]) }), "REQUIRED", "title"),
        ("feedbackRecordDelete", json!({ "by": by_id(&leak) }), "IN_USE", "by"),
    ];
    refused(&app, &caller, cases).await;
    for (list, code, place) in [(unknown, "NOT_FOUND", "0"), (records(&[&leak, &leak]), "INVALID", "1")] {
        let done = caller.mutate("caseOpen", json!({ "title": "None", "feedbackRecords": list }), shown).await;
        assert_eq!(mistakes(&done), one(code, &["feedbackRecords", place]));
    }
    let set = json!({ "by": by_id(wide["id"].as_str().unwrap()), "feedbackRecords": records(&[&noise]) });
    let set = caller.mutate("caseSetFeedbackRecords", set, "node { feedbackRecords { nodes { body } } }").await;
    assert_eq!(set["node"]["feedbackRecords"], json!({ "nodes": [{ "body": "It hums" }] }));
}

#[tokio::test]
async fn a_case_without_a_department_goes_to_the_fallback() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let case = opened(&caller).await;
    let department = "node { department { name } }";
    let shown = caller.mutate("caseUpdate", json!({ "by": by_id(&case), "title": "Leak" }), department).await;
    assert_eq!(shown["node"]["department"]["name"], "Unassigned");
    let service = made(&caller, "departmentCreate", json!({ "name": "Service" })).await;
    let update = async |input: Value| caller.mutate("caseUpdate", input, department).await["node"]["department"].take();
    assert_eq!(update(json!({ "by": by_id(&case), "departmentRef": by_id(&service) })).await["name"], "Service");
    assert_eq!(update(json!({ "by": by_id(&case), "departmentRef": null })).await["name"], "Unassigned");
    let record = feedback(&caller, json!({})).await;
    let route = json!({ "by": by_id(&record), "departmentRef": by_id(&service), "reason": "Theirs" });
    made(&caller, "feedbackRecordReroute", route).await;
    made(&caller, "departmentArchive", json!({ "by": by_id(&service) })).await;
    let open = json!({ "title": "Leak", "feedbackRecords": [by_id(&record)] });
    let shown = caller.mutate("caseOpen", open, "errors { code } node { department { name } }").await;
    assert_eq!(shown, json!({ "errors": [], "node": { "department": { "name": "Unassigned" } } }));
}

#[tokio::test]
async fn safety_escalates_a_case_once() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let case = opened(&caller).await;
    let flag = async |minute: i64, is_relevant: bool| {
        let input = json!({ "by": by_id(&case), "isSafetyRelevant": is_relevant });
        caller.after(minute).mutate("caseUpdate", input, SHOWN).await["node"]["escalatedAt"].take()
    };
    assert_eq!(flag(1, false).await, Value::Null);
    for (minute, is_relevant) in [(2, true), (3, true), (4, false), (5, true)] {
        assert_eq!(flag(minute, is_relevant).await, "2026-11-22T12:02:00Z");
    }
}

#[tokio::test]
async fn causes_count_their_cases() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let seal = made(&caller, "causeCreate", json!({ "name": "Worn seal" })).await;
    made(&caller, "causeCreate", json!({ "name": "Frost" })).await;
    let mut cases = Vec::new();
    for _ in 0..3 {
        cases.push(made(&caller, "caseCreate", json!({ "title": "Leak", "causeRef": by_id(&seal) })).await);
    }
    let close = json!({ "resolution": "WITHDRAWN", "notToldBecause": "Moved away" });
    assert_eq!(mistakes(&step(&caller, "Close", &cases[0], close).await), []);
    let shown = caller.ask("{ causes(orderBy: [{ field: NAME }]) { nodes { name caseCount openCaseCount } } }").await;
    let expected = json!([
        { "name": "Frost", "caseCount": 0, "openCaseCount": 0 },
        { "name": "Worn seal", "caseCount": 3, "openCaseCount": 2 },
    ]);
    assert_eq!(shown["causes"]["nodes"], expected);
    refused(&app, &caller, vec![("causeDelete", json!({ "by": by_id(&seal) }), "IN_USE", "by")]).await;
    made(&caller, "causeArchive", json!({ "by": by_id(&seal) })).await;
    let late = json!({ "title": "Leak", "causeRef": by_id(&seal) });
    refused(&app, &caller, vec![("caseCreate", late, "ARCHIVED", "causeRef")]).await;
}

#[tokio::test]
async fn a_member_sees_their_own_cases() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let ann = made(&caller, "memberCreate", json!({ "subject": "ann", "name": "Ann" })).await;
    let mine = made(&caller, "caseCreate", json!({ "title": "Leak", "assigneeRef": by_id(&ann) })).await;
    opened(&caller).await;
    let query =
        "{ cases(filter: { assignee: { subject: { eq: \"ann\" } }, stage: { neq: CLOSED } }) { nodes { id } } }";
    assert_eq!(caller.ask(query).await["cases"]["nodes"], json!([{ "id": mine }]));
    refused(&app, &caller, vec![("memberDelete", json!({ "by": by_id(&ann) }), "IN_USE", "by")]).await;
    // Without the scope for personal data, a case shows no words about customers.
    let clerk = caller.with([Permission::ResponseRead]);
    let shown = clerk.run("{ cases { nodes { stage title } } }", json!({})).await.body;
    assert_eq!(shown["data"]["cases"]["nodes"][0], json!({ "stage": "RECEIVED", "title": null }));
    assert_eq!(shown["errors"][0]["extensions"]["code"], "FORBIDDEN");
}

#[tokio::test]
async fn a_case_stands_on_the_timelines_of_whom_it_is_about() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let ann = made(&caller, "customerCreate", json!({ "name": "Ann" })).await;
    let input = json!({ "title": "Leak", "customerRef": by_id(&ann), "receivedAt": "2026-11-01T08:00:00Z" });
    made(&caller, "caseCreate", input).await;
    let query = "{ customers { nodes { timeline { edges { kind placedAt node { ... on Case { title } } } } } } }";
    let edges = caller.ask(query).await["customers"]["nodes"][0]["timeline"]["edges"].take();
    let expected = json!([{ "kind": "CASE", "placedAt": "2026-11-01T08:00:00Z", "node": { "title": "Leak" } }]);
    assert_eq!(edges, expected);
}

#[tokio::test]
async fn imports_bring_cases_of_any_stage_with_times_in_order() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let key = |id: usize| json!({ "system": "crm", "id": id.to_string() });
    let at = |day: i64| json!(format!("2026-11-{day:02}T00:00:00Z"));
    let closed = json!({ "title": "Old", "stage": "CLOSED", "resolution": "SOLVED", "receivedAt": at(1),
        "acknowledgedAt": at(2), "closedAt": at(5) });
    let rows = [
        (closed.clone(), vec![]),
        (json!({ "title": "Old", "stage": "COMMUNICATED", "communicatedAt": at(5), "receivedAt": at(1) }), vec![]),
        (
            json!({ "title": "Old", "stage": "CLOSED", "receivedAt": at(3), "closedAt": at(2) }),
            one("OUT_OF_RANGE", &["closedAt"]),
        ),
        (
            json!({ "title": "Old", "stage": "CLOSED", "receivedAt": at(1), "respondedAt": at(4), "closedAt": at(3) }),
            one("OUT_OF_RANGE", &["closedAt"]),
        ),
        (
            json!({ "title": "Old", "stage": "INVESTIGATED", "receivedAt": at(1), "reopenedAt": at(4), "closedAt": at(3),
            "investigatedAt": at(4) }),
            vec![],
        ),
        (
            json!({ "title": "Old", "stage": "ASSESSED", "receivedAt": at(1), "respondedAt": at(4) }),
            one("INVALID", &["respondedAt"]),
        ),
        (json!({ "title": "Old", "stage": "CLOSED", "closedAt": at(23) }), one("OUT_OF_RANGE", &["closedAt"])),
        (json!({ "title": "Old", "receivedAt": at(23) }), one("OUT_OF_RANGE", &["receivedAt"])),
        (json!({ "title": "Old", "stage": "RESPONDED", "resolution": "SOLVED" }), one("INVALID", &["resolution"])),
        (json!({ "title": "Old", "receivedAt": at(3), "toldAt": at(2) }), one("OUT_OF_RANGE", &["toldAt"])),
    ];
    let bring = async |rows: &[Value]| {
        let given: Vec<Value> = rows
            .iter()
            .enumerate()
            .map(|(id, row)| {
                let mut row = row.clone();
                row["externalId"] = key(id);
                row
            })
            .collect();
        let told = "results { outcome errors { code path } node { stage acknowledgedAt closedAt } }";
        let input = json!({ "rows": given, "policy": "SKIP_INVALID" });
        caller.mutate("casesBulkUpsert", input, told).await["results"].take()
    };
    let given: Vec<Value> = rows.iter().map(|(row, _)| row.clone()).collect();
    let done = bring(&given).await;
    for (place, (row, expected)) in rows.iter().enumerate() {
        assert_eq!(mistakes(&done[place]), *expected, "{row}");
    }
    assert_eq!(done[0]["node"], json!({ "stage": "CLOSED", "acknowledgedAt": at(2), "closedAt": at(5) }));
    let again = bring(&given[..1]).await;
    assert_eq!(again[0]["outcome"], "UNCHANGED");
    // A row that goes back takes leave of its end.
    let back = bring(&[json!({ "stage": "INVESTIGATED" })]).await;
    assert_eq!((mistakes(&back[0]), &back[0]["node"]["closedAt"]), (vec![], &at(5)));
    let shown = caller.ask("{ cases(orderBy: [{ field: ID }], first: 1) { nodes { resolution } } }").await;
    assert_eq!(shown["cases"]["nodes"][0]["resolution"], Value::Null);
    assert_eq!(mistakes(&bring(&[json!({ "stage": "RECEIVED" })]).await[0]), one("INVALID_TRANSITION", &["stage"]));
}

#[tokio::test]
async fn many_cases_take_as_many_statements_as_few() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let ann = made(&caller, "customerCreate", json!({ "name": "Ann" })).await;
    let bulk = async |count: usize| {
        let before = app.store.statements();
        let row = |number: usize| {
            json!({
                "externalId": { "system": "crm", "id": format!("{count} {number}") }, "title": "Leak", "stage": "CLOSED",
                "resolution": "SOLVED", "customerRef": by_id(&ann),
                "attempts": { "upsert": [{ "tried": "New seal", "hasWorked": true }] },
            })
        };
        let rows: Vec<Value> = (0..count).map(row).collect();
        let done = caller.mutate("casesBulkUpsert", json!({ "rows": rows }), "results { errors { code path } }").await;
        assert!(done["results"].as_array().unwrap().iter().all(|result| result["errors"] == json!([])), "{done:#}");
        app.store.statements() - before
    };
    bulk(1).await;
    let few = bulk(2).await;
    assert!(bulk(60).await <= few + 2, "statements grow with rows");
}
