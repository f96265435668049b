//! Lists of rows in the input of a row: created, replaced and kept with it, one row or a thousand at a time.

use entity::Permission;
use serde_json::{Value, json};

use crate::{
    app::{App, Caller},
    journeys::{by_id, made, mistakes, one},
};

const SHOWN: &str =
    "outcome errors { code path } node { id version departments(orderBy: [{ field: NAME }]) { nodes { name } } }";

fn key(id: &str) -> Value {
    json!({ "system": "hr", "id": id })
}

fn named(ids: &[&str]) -> Value {
    ids.iter().map(|id| json!({ "externalId": key(id) })).collect()
}

async fn departments(caller: &Caller<'_>, names: &[&str]) {
    for name in names {
        made(caller, "departmentUpsert", json!({ "externalId": key(name), "name": name })).await;
    }
}

/// The outcome, the version and the names of the departments of a member.
fn shown(payload: &Value) -> (String, i64, Vec<String>) {
    let nodes = payload["node"]["departments"]["nodes"].as_array().unwrap();
    let names = nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect();
    (payload["outcome"].as_str().unwrap().to_owned(), payload["node"]["version"].as_i64().unwrap(), names)
}

fn told(outcome: &str, version: i64, names: &[&str]) -> (String, i64, Vec<String>) {
    (outcome.to_owned(), version, names.iter().map(|name| (*name).to_owned()).collect())
}

#[tokio::test]
async fn a_row_is_written_with_the_lists_that_its_input_gives() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    departments(&caller, &["a", "b", "c"]).await;
    let member =
        json!({ "externalId": key("ann"), "subject": "ann", "name": "Ann", "departments": named(&["a", "b"]) });
    let upsert = async |input: Value| shown(&caller.mutate("memberUpsert", input, SHOWN).await);
    assert_eq!(upsert(member.clone()).await, told("CREATED", 1, &["a", "b"]));
    assert_eq!(upsert(member.clone()).await, told("UNCHANGED", 1, &["a", "b"]));
    let with = |lists: Value| {
        let mut input = json!({ "externalId": key("ann") });
        input["departments"] = lists;
        input
    };
    assert_eq!(upsert(with(named(&["b", "a"]))).await, told("UNCHANGED", 1, &["a", "b"]), "in whatever order");
    assert_eq!(upsert(with(named(&["c", "a"]))).await, told("UPDATED", 2, &["a", "c"]));
    assert_eq!(upsert(with(Value::Null)).await, told("UNCHANGED", 2, &["a", "c"]));
    let other = json!({ "externalId": key("ann"), "name": "Anne" });
    assert_eq!(upsert(other).await, told("UPDATED", 3, &["a", "c"]));
    assert_eq!(upsert(with(json!([]))).await, told("UPDATED", 4, &[]));
    let log = "{ auditLog(last: 3) { nodes { operation fields } } }";
    let log = caller.ask(log).await["auditLog"]["nodes"].take();
    let fields: Vec<&Value> = log.as_array().unwrap().iter().map(|entry| &entry["fields"]).collect();
    assert_eq!(fields, [&json!(["departments"]), &json!(["name"]), &json!(["departments"])]);
    let created = json!({ "subject": "bob", "name": "Bob", "departments": named(&["b"]) });
    let created = caller.mutate("memberCreate", created, SHOWN).await;
    assert_eq!(shown(&created), told("CREATED", 1, &["b"]));
    let id = created["node"]["id"].as_str().unwrap();
    let update = json!({ "by": by_id(id), "departments": named(&["c"]), "name": "Rob" });
    let update = caller.mutate("memberUpdate", update, SHOWN).await;
    assert_eq!(shown(&update), told("UPDATED", 2, &["c"]));
}

#[tokio::test]
async fn a_list_with_a_mistake_writes_nothing_and_names_the_row() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    departments(&caller, &["a", "b", "old"]).await;
    let mine =
        json!({ "externalId": key("ann"), "subject": "ann", "name": "Ann", "departments": named(&["a", "old"]) });
    caller.mutate("memberUpsert", mine, SHOWN).await;
    made(&caller, "departmentArchive", json!({ "by": { "externalId": key("old") } })).await;
    let many: Vec<String> = (0..1_001).map(|id| id.to_string()).collect();
    let many = named(&many.iter().map(String::as_str).collect::<Vec<_>>());
    for (list, code, path) in [
        (named(&["a", "none"]), "NOT_FOUND", vec!["departments", "1"]),
        (named(&["a", "b", "a"]), "INVALID", vec!["departments", "2"]),
        (named(&["old"]), "ARCHIVED", vec!["departments", "0"]),
        (many, "TOO_LONG", vec!["departments"]),
    ] {
        let input = json!({ "subject": "bob", "name": "Bob", "departments": list });
        let done = caller.mutate("memberCreate", input, SHOWN).await;
        assert_eq!((&done["node"], mistakes(&done)), (&Value::Null, one(code, &path)));
    }
    assert_eq!(caller.ask("{ members { totalCount } }").await["members"]["totalCount"], 1);
    // What was in the list before it was archived may stay in it.
    let kept = json!({ "externalId": key("ann"), "departments": named(&["old", "b"]) });
    let kept = caller.mutate("memberUpsert", kept, "outcome").await;
    assert_eq!(kept["outcome"], "UPDATED");
    // Whoever may not read the listed rows cannot name them.
    let record = made(&caller, "feedbackRecordCreate", json!({ "kind": "PRAISE" })).await;
    let document = "mutation($input: CaseCreateInput!) { caseCreate(input: $input) { outcome } }";
    let case = json!({ "input": { "title": "Praise", "feedbackRecords": [by_id(&record)] } });
    let writer = caller.with([Permission::ResponseRead, Permission::ResponseWrite]);
    let refused = writer.run(document, case.clone()).await.body;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN", "{refused}");
    assert_eq!(caller.data(document, case).await["caseCreate"]["outcome"], "CREATED");
}

#[tokio::test]
async fn a_call_lists_at_most_ten_thousand_rows() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let names: Vec<String> = (0..1_000).map(|id| id.to_string()).collect();
    let list = named(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let row = |id: usize, list: &Value| {
        let subject = id.to_string();
        json!({ "externalId": key(&subject), "subject": subject, "name": subject, "departments": list })
    };
    let mut rows: Vec<Value> = (0..10).map(|id| row(id, &list)).collect();
    rows.push(row(10, &named(&["0"])));
    let input = json!({ "rows": rows, "policy": "SKIP_INVALID" });
    let done = caller.mutate("membersBulkUpsert", input, "results { errors { code path } }").await;
    let codes = |at: usize| mistakes(&done["results"][at]);
    assert!(codes(9).iter().all(|(code, _)| code == "NOT_FOUND"));
    assert_eq!(codes(10), one("TOO_LONG", &["departments"]));
}

#[tokio::test]
async fn a_bulk_call_sets_lists_in_a_fixed_number_of_statements_and_a_mistake_fails_its_row_only() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    departments(&caller, &["a", "b", "c"]).await;
    let row = |id: usize, list: &[&str]| {
        let subject = id.to_string();
        json!({ "externalId": key(&subject), "subject": subject, "name": subject, "departments": named(list) })
    };
    let told = "results { outcome errors { code path } }";
    let send = async |rows: Vec<Value>| {
        let before = app.store.statements();
        let done = caller.mutate("membersBulkUpsert", json!({ "rows": rows }), told).await;
        (done["results"].clone(), app.store.statements() - before)
    };
    let all = |from: usize, to: usize, list: &[&str]| (from..to).map(|id| row(id, list)).collect::<Vec<_>>();
    let (_, two) = send(all(0, 2, &["a", "b"])).await;
    let (results, hundred) = send(all(2, 102, &["a", "b"])).await;
    assert!(results.as_array().unwrap().iter().all(|result| result["outcome"] == "CREATED"));
    assert_eq!(hundred, two);
    let (_, two) = send(all(0, 2, &["b", "c"])).await;
    let (results, hundred) = send(all(2, 102, &["b", "c"])).await;
    assert!(results.as_array().unwrap().iter().all(|result| result["outcome"] == "UPDATED"));
    assert_eq!(hundred, two);
    let rows = vec![row(0, &["none"]), row(1, &["c", "a"]), row(2, &["b", "c"])];
    let input = json!({ "rows": rows, "policy": "SKIP_INVALID" });
    let results = caller.mutate("membersBulkUpsert", input, told).await["results"].take();
    let outcomes: Vec<&Value> = results.as_array().unwrap().iter().map(|result| &result["outcome"]).collect();
    assert_eq!(outcomes, ["FAILED", "UPDATED", "UNCHANGED"]);
    assert_eq!(mistakes(&results[0]), one("NOT_FOUND", &["departments", "0"]));
    let document = "{ members(first: 3) { nodes { departments(orderBy: [{ field: NAME }]) { nodes { name } } } } }";
    let lists: Vec<String> = caller.ask(document).await["members"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| {
            let nodes = node["departments"]["nodes"].as_array().unwrap();
            nodes.iter().map(|node| node["name"].as_str().unwrap()).collect()
        })
        .collect();
    assert_eq!(lists, ["bc", "ac", "bc"]);
}
