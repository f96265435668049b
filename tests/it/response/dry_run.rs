//! What a changed set of routing rules would move, without writing.

use entity::Permission;
use serde_json::{Value, json};

use crate::{
    app::{App, Caller},
    journeys::{by_id, made},
    outline::codes,
};

const DOCUMENT: &str = "query($rules: [RoutingRuleCreateInput!]!, $last: Int, $filter: FeedbackRecordFilter) {
    routingDryRun(rules: $rules, last: $last, filter: $filter) {
        tried moved moves { from { name } to { name } count examples { feedbackRecord { body } currentReason triedReason } } } }";

async fn tried(caller: &Caller<'_>, variables: Value) -> Value {
    caller.data(DOCUMENT, variables).await["routingDryRun"].take()
}

/// What moves, as texts.
fn moves(answer: &Value) -> Vec<String> {
    let shown = |it: &Value| {
        let name = |end: &str| it[end]["name"].as_str().unwrap().to_owned();
        format!("{} {} to {}", it["count"], name("from"), name("to"))
    };
    answer["moves"].as_array().unwrap().iter().map(shown).collect()
}

struct World {
    service: String,
    sales: String,
}

/// Ten complaints and five questions, one every minute; complaints go to Service.
async fn world(caller: &Caller<'_>) -> World {
    let service = made(caller, "departmentCreate", json!({ "name": "Service" })).await;
    let sales = made(caller, "departmentCreate", json!({ "name": "Sales" })).await;
    made(caller, "routingRuleCreate", complaints(&service)).await;
    let vip = made(caller, "customerCreate", json!({ "name": "Ann", "segment": "vip" })).await;
    for minute in 0..15 {
        let kind = if minute % 3 == 0 { "QUESTION" } else { "COMPLAINT" };
        let mut said = json!({ "kind": kind, "body": format!("No. {minute}"), "product": "Boiler" });
        said["receivedAt"] = json!(format!("2026-11-20T08:{minute:02}:00Z"));
        if minute >= 10 {
            said["customerRef"] = by_id(&vip);
        }
        made(caller, "feedbackRecordCreate", said).await;
    }
    World { service, sales }
}

fn complaints(department: &str) -> Value {
    json!({ "name": "Complaints", "position": 2, "kind": "COMPLAINT", "departmentRef": by_id(department) })
}

fn vips(department: &str) -> Value {
    let filter = json!({ "customer": { "segment": { "eq": "vip" } } });
    json!({ "name": "Key customers", "position": 1, "filter": filter, "departmentRef": by_id(department) })
}

#[tokio::test]
async fn a_dry_run_says_what_would_move_from_where_to_where_and_writes_nothing() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let World { service, sales } = world(&caller).await;
    let before = app.dump(caller.organization()).await;
    let same = tried(&caller, json!({ "rules": [complaints(&service)] })).await;
    assert_eq!(same, json!({ "tried": 15, "moved": 0, "moves": [] }));
    // In any order: the position counts.
    let rules = json!([complaints(&service), vips(&sales)]);
    let answer = tried(&caller, json!({ "rules": rules })).await;
    assert_eq!((&answer["tried"], &answer["moved"]), (&json!(15), &json!(5)));
    assert_eq!(moves(&answer), ["4 Service to Sales", "1 Unassigned to Sales"]);
    let examples = answer["moves"][0]["examples"].as_array().unwrap();
    let said: Vec<&Value> = examples.iter().map(|it| &it["feedbackRecord"]["body"]).collect();
    assert_eq!(said, ["No. 14", "No. 13", "No. 11"]);
    assert!(examples[0]["currentReason"].as_str().unwrap().contains("Complaints"));
    assert!(examples[0]["triedReason"].as_str().unwrap().contains("Key customers"));
    let none = tried(&caller, json!({ "rules": [] })).await;
    assert_eq!(moves(&none), ["10 Service to Unassigned"]);
    assert_eq!(none["moves"][0]["examples"].as_array().unwrap().len(), 3);
    assert_eq!(app.dump(caller.organization()).await, before);
}

#[tokio::test]
async fn a_dry_run_is_about_the_last_records_that_meet_a_filter() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let World { sales, .. } = world(&caller).await;
    let rules = json!([complaints(&sales)]);
    let last = tried(&caller, json!({ "rules": rules, "last": 4 })).await;
    assert_eq!((&last["tried"], moves(&last)), (&json!(4), vec!["3 Service to Sales".to_owned()]));
    let range = json!({ "receivedAt": { "gte": "2026-11-20T08:00:00Z", "lt": "2026-11-20T08:03:00Z" } });
    let range = tried(&caller, json!({ "rules": rules, "filter": range })).await;
    assert_eq!((&range["tried"], moves(&range)), (&json!(3), vec!["2 Service to Sales".to_owned()]));
}

#[tokio::test]
async fn rules_that_could_not_be_saved_are_not_tried() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let World { service, .. } = world(&caller).await;
    caller.mutate("departmentArchive", json!({ "by": by_id(&service) }), "outcome").await;
    let stranger = app.admin("two").await;
    let foreign = made(&stranger, "departmentCreate", json!({ "name": "Service" })).await;
    let wrong = [
        complaints(&foreign),
        json!({ "name": "No department", "position": 1 }),
        json!({ "name": "Personal", "position": 1, "departmentRef": by_id(&service),
            "filter": { "customer": { "name": { "eq": "Ann" } } } }),
        json!({ "name": "Lists", "position": 1, "departmentRef": by_id(&service),
            "filter": { "cases": { "some": {} } } }),
    ];
    for rule in wrong {
        let reply = caller.run(DOCUMENT, json!({ "rules": [rule] })).await.body;
        assert_eq!(codes(&reply), ["BAD_USER_INPUT"], "{rule} {reply:#}");
    }
    let reply = caller.run(DOCUMENT, json!({ "rules": [], "last": 10_001 })).await.body;
    assert_eq!(codes(&reply), ["BAD_USER_INPUT"]);
}

#[tokio::test]
async fn whoever_may_not_read_what_customers_said_cannot_look_for_words() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let World { sales, .. } = world(&caller).await;
    let scopes = [Permission::MapRead, Permission::RecordRead, Permission::ResponseRead];
    let reader = app.caller(caller.organization(), scopes);
    let document = "query($rules: [RoutingRuleCreateInput!]!) { routingDryRun(rules: $rules) { moved } }";
    let seen = reader.data(document, json!({ "rules": [complaints(&sales)] })).await;
    assert_eq!(seen["routingDryRun"]["moved"], 10);
    let mut words = complaints(&sales);
    words["words"] = json!(["No. 14"]);
    let reply = reader.run(document, json!({ "rules": [words] })).await.body;
    assert_eq!(codes(&reply), ["FORBIDDEN"], "{reply:#}");
    let found = tried(&caller, json!({ "rules": [words] })).await;
    assert_eq!(moves(&found), ["9 Service to Unassigned", "1 Service to Sales"]);
}
