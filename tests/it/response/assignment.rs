//! Who gets a case: each way of assignment, and who gets none.

use serde_json::{Value, json};

use crate::{
    app::{App, Caller},
    journeys::{by_id, made},
};

async fn desk(caller: &Caller<'_>, assignment: &str) -> String {
    made(caller, "departmentCreate", json!({ "name": "Desk", "assignment": assignment })).await
}

/// A member of the department.
async fn member(caller: &Caller<'_>, department: &str, name: &str, more: Value) -> String {
    let mut input = json!({ "subject": name, "name": name, "departments": [by_id(department)] });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    made(caller, "memberCreate", input).await
}

/// Opens a case, and answers the name of who got it.
async fn opened(caller: &Caller<'_>, department: &str, more: Value) -> Value {
    let mut input = json!({ "title": "Leak", "departmentRef": by_id(department) });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let payload = caller.mutate("caseCreate", input, "node { id assignee { name } } errors { code path }").await;
    assert_eq!(payload["errors"], json!([]));
    payload["node"].clone()
}

async fn assignee(caller: &Caller<'_>, department: &str, more: Value) -> Value {
    opened(caller, department, more).await["assignee"]["name"].clone()
}

#[tokio::test]
async fn cases_go_round() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let desk = desk(&caller, "ROUND_ROBIN").await;
    for name in ["Ann", "Bob", "Cid"] {
        member(&caller, &desk, name, json!({})).await;
    }
    let other = self::desk(&caller, "ROUND_ROBIN").await;
    member(&caller, &other, "Eve", json!({})).await;
    for (minute, name) in ["Ann", "Bob", "Cid", "Ann", "Bob"].into_iter().enumerate() {
        let caller = caller.after(i64::try_from(minute).unwrap());
        assert_eq!(assignee(&caller, &desk, json!({})).await, name, "{minute}");
    }
    // Rows of one call count one another.
    let row = |place: usize| {
        let key = json!({ "system": "test", "id": place.to_string() });
        json!({ "externalId": key, "title": "Leak", "departmentRef": by_id(&desk) })
    };
    let rows: Vec<Value> = (0..5).map(row).collect();
    let rows = json!({ "rows": rows });
    let result = "results { node { assignee { name } } }";
    let payload = caller.after(10).mutate("casesBulkUpsert", rows, result).await;
    let names: Vec<&Value> =
        payload["results"].as_array().unwrap().iter().map(|row| &row["node"]["assignee"]["name"]).collect();
    assert_eq!(names, ["Cid", "Ann", "Bob", "Cid", "Ann"]);
}

#[tokio::test]
async fn the_member_with_the_fewest_open_cases_gets_the_next() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let desk = desk(&caller, "LEAST_OPEN").await;
    let ann = member(&caller, &desk, "Ann", json!({})).await;
    member(&caller, &desk, "Bob", json!({})).await;
    for _ in 0..2 {
        assert_eq!(assignee(&caller, &desk, json!({ "assigneeRef": by_id(&ann) })).await, "Ann");
    }
    let first = opened(&caller.after(1), &desk, json!({})).await;
    assert_eq!(first["assignee"]["name"], "Bob");
    assert_eq!(assignee(&caller.after(2), &desk, json!({})).await, "Bob");
    // Two each: the one whose newest case is the oldest.
    assert_eq!(assignee(&caller.after(3), &desk, json!({})).await, "Ann");
    // A closed case is no work.
    let close =
        json!({ "by": first["id"].as_str().map(by_id), "resolution": "WITHDRAWN", "notToldBecause": "Nobody asked" });
    let closed = caller.after(4).mutate("caseClose", close, "outcome errors { code path message }").await;
    assert_eq!(closed["errors"], json!([]));
    assert_eq!(assignee(&caller.after(5), &desk, json!({})).await, "Bob");
}

#[tokio::test]
async fn the_member_with_the_skills_of_the_case_gets_it() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let desk = desk(&caller, "SKILLS").await;
    member(&caller, &desk, "Ann", json!({ "skills": ["boiler", "gas"] })).await;
    member(&caller, &desk, "Bob", json!({ "skills": ["boiler"] })).await;
    member(&caller, &desk, "Cid", json!({ "skills": ["pumps"] })).await;
    for (minute, tags, name) in [
        (0, json!(["gas", "boiler"]), "Ann"),
        (1, json!(["boiler"]), "Bob"),
        (2, json!(["pumps", "urgent"]), "Cid"),
        (3, json!(["gas"]), "Ann"),
        (4, json!([]), "Bob"),
    ] {
        assert_eq!(assignee(&caller.after(minute), &desk, json!({ "tags": tags })).await, name, "{tags}");
    }
}

#[tokio::test]
async fn who_is_away_archived_or_full_gets_none() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let desk = desk(&caller, "LEAST_OPEN").await;
    let full = member(&caller, &desk, "Full", json!({ "capacity": 1 })).await;
    let away = json!({ "awayFromAt": "2026-11-22T00:00:00Z", "awayUntilAt": "2026-11-22T13:00:00Z" });
    member(&caller, &desk, "Away", away).await;
    let gone = member(&caller, &desk, "Gone", json!({})).await;
    caller.mutate("memberArchive", json!({ "by": by_id(&gone) }), "outcome").await;
    let later = json!({ "awayFromAt": "2026-11-22T13:00:00Z" });
    let leaving = member(&caller, &desk, "Leaving", later).await;
    assert_eq!(assignee(&caller, &desk, json!({})).await, "Full");
    assert_eq!(assignee(&caller.after(1), &desk, json!({})).await, "Leaving");
    assert_eq!(assignee(&caller.after(2), &desk, json!({})).await, "Leaving");
    // An hour later, the one is back and the other has left.
    assert_eq!(assignee(&caller.after(60), &desk, json!({})).await, "Away");
    made(&caller, "memberUpdate", json!({ "by": by_id(&leaving), "departments": [] })).await;
    assert_eq!(assignee(&caller, &desk, json!({})).await, Value::Null, "nobody has time");
    // Members can still be given more by hand.
    assert_eq!(assignee(&caller, &desk, json!({ "assigneeRef": by_id(&full) })).await, "Full");
}

#[tokio::test]
async fn a_case_is_assigned_when_it_moves_to_a_department_and_when_a_rule_opens_it() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (manual, desk) = (desk(&caller, "MANUAL").await, desk(&caller, "LEAST_OPEN").await);
    member(&caller, &manual, "Ann", json!({})).await;
    member(&caller, &desk, "Bob", json!({})).await;
    let case = opened(&caller, &manual, json!({})).await;
    assert_eq!(case["assignee"], Value::Null);
    let shown = "node { assignee { name } } errors { code path }";
    let by = by_id(case["id"].as_str().unwrap());
    let same = caller.mutate("caseUpdate", json!({ "by": by, "title": "A leak" }), shown).await;
    assert_eq!(same["node"]["assignee"], Value::Null);
    let moved = caller.mutate("caseUpdate", json!({ "by": by, "departmentRef": by_id(&desk) }), shown).await;
    assert_eq!(moved["node"]["assignee"]["name"], "Bob");
    // Whoever has it keeps it.
    let back = caller.mutate("caseUpdate", json!({ "by": by, "departmentRef": by_id(&manual) }), shown).await;
    assert_eq!(back["node"]["assignee"]["name"], "Bob");
    let nobody = opened(&caller, &desk, json!({ "assigneeRef": null, "onNull": "CLEAR" })).await;
    assert_eq!(nobody["assignee"], Value::Null, "nobody was asked for");
    let rule = json!({ "name": "All", "position": 1, "isCaseOpened": true, "departmentRef": by_id(&desk) });
    made(&caller, "routingRuleCreate", rule).await;
    made(&caller, "feedbackRecordCreate", json!({ "kind": "COMPLAINT", "body": "It leaks" })).await;
    let document = "{ cases(filter: { title: { eq: \"It leaks\" } }) { nodes { assignee { name } } } }";
    assert_eq!(caller.ask(document).await["cases"]["nodes"][0]["assignee"]["name"], "Bob");
}
