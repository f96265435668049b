//! The log as the API shows it.

use entity::{Permission, event};
use serde_json::{Value, json};

use crate::{
    app::{App, Caller},
    listing::{List, Row, key, orderable},
    outline::codes,
};

/// A department made, changed by somebody else through a client, and deleted; and a medium.
async fn history(app: &App) -> (Caller<'_>, Value, Value) {
    let caller = app.admin("one").await;
    let make =
        async |field: &str| caller.mutate(field, json!({ "name": "secret" }), "node { id }").await["node"]["id"].take();
    let (department, medium) = (make("departmentCreate").await, make("mediumCreate").await);
    let client = caller.named("sync").through("client_01h455vb4pex5vsknk084sn02q");
    let change = json!({ "by": { "id": department }, "name": "other", "contact": "secret" });
    client.mutate("departmentUpdate", change, "outcome").await;
    caller.mutate("departmentDelete", json!({ "by": { "id": department } }), "outcome").await;
    (caller, department, medium)
}

/// Sequences of the entries that a filter finds.
async fn found(caller: &Caller<'_>, filter: Value) -> Vec<i64> {
    let document = "query($filter: AuditEntryFilter) {
        auditLog(filter: $filter, orderBy: [{ field: SEQUENCE }]) { totalCount nodes { sequence } } }";
    let data = caller.data(document, json!({ "filter": filter })).await;
    let nodes = data["auditLog"]["nodes"].as_array().unwrap();
    assert_eq!(data["auditLog"]["totalCount"], nodes.len(), "{filter}");
    nodes.iter().map(|node| node["sequence"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn an_entry_says_who_did_what_to_which_row_when_and_never_a_value() {
    let app = App::start().await;
    let (caller, department, medium) = history(&app).await;
    let data = caller
        .ask("{ auditLog(orderBy: [{ field: SEQUENCE }]) { nodes { id sequence occurredAt operation rowType rowId rowVersion fields subject clientId } } }")
        .await;
    assert!(!data.to_string().contains("secret"), "{data:#}");
    let nodes = data["auditLog"]["nodes"].as_array().unwrap();
    let entry = |sequence: i64, operation: &str, ty: &str, id: &Value, version: i64, fields: &[&str], client: bool| {
        json!({
            "sequence": sequence, "occurredAt": "2026-11-22T12:00:00Z", "operation": operation, "rowType": ty,
            "rowId": id, "rowVersion": version, "fields": fields, "subject": if client { "sync" } else { "tester" },
            "clientId": client.then_some("client_01h455vb4pex5vsknk084sn02q"),
        })
    };
    let expected = [
        entry(1, "CREATED", "Department", &department, 1, &["name", "assignment"], false),
        entry(2, "CREATED", "Medium", &medium, 1, &["name"], false),
        entry(3, "UPDATED", "Department", &department, 2, &["name", "contact"], true),
        entry(4, "DELETED", "Department", &department, 3, &[], false),
    ];
    for (node, expected) in nodes.iter().zip(&expected) {
        let mut node = node.clone();
        let id = node.as_object_mut().unwrap().remove("id").unwrap();
        assert_eq!(&node, expected);
        let document = "query($id: ID!, $row: ID!) {
            auditEntry(by: { id: $id }) { sequence } node(id: $id) { ... on AuditEntry { sequence } }
            row: node(id: $row) { __typename } }";
        let again = caller.data(document, json!({ "id": id, "row": expected["rowId"] })).await;
        assert_eq!(again["auditEntry"], json!({ "sequence": expected["sequence"] }));
        assert_eq!(again["node"], again["auditEntry"]);
        let row = if expected["rowType"] == "Medium" { json!({ "__typename": "Medium" }) } else { Value::Null };
        assert_eq!(again["row"], row);
    }
    assert_eq!(nodes.len(), expected.len());
}

#[tokio::test]
async fn the_log_is_filtered_by_row_type_actor_operation_and_time() {
    let app = App::start().await;
    let (caller, department, medium) = history(&app).await;
    for (filter, sequences) in [
        (json!({ "rowId": { "eq": department } }), &[1, 3, 4][..]),
        (json!({ "rowId": { "in": [medium, "none"] } }), &[2]),
        (json!({ "rowId": { "neq": department } }), &[2]),
        (json!({ "rowId": { "eq": "dept_01h455vb4pex5vsknk084sn02q" } }), &[]),
        (json!({ "rowId": { "eq": "none" } }), &[]),
        (json!({ "rowType": { "eq": "Medium" } }), &[2]),
        (json!({ "subject": { "eq": "sync" } }), &[3]),
        (json!({ "clientId": { "isNull": true }, "operation": { "in": ["CREATED", "DELETED"] } }), &[1, 2, 4]),
        (json!({ "clientId": { "eq": "client_01h455vb4pex5vsknk084sn02q" } }), &[3]),
        (json!({ "occurredAt": { "gte": "2026-11-22T12:00:00Z", "lt": "2026-11-22T12:00:01Z" } }), &[1, 2, 3, 4]),
        (json!({ "occurredAt": { "lt": "2026-11-22T12:00:00Z" } }), &[]),
        (json!({ "sequence": { "gt": 1, "lte": 3 }, "not": { "operation": { "eq": "UPDATED" } } }), &[2]),
    ] {
        assert_eq!(found(&caller, filter.clone()).await, sequences, "{filter}");
    }
}

#[tokio::test]
async fn pages_of_the_log_are_the_whole_log_in_every_order() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for place in 0..7 {
        caller.mutate("departmentCreate", json!({ "name": place.to_string() }), "outcome").await;
    }
    let fields = orderable(&event::NOUN);
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    assert_eq!(names, ["id", "sequence", "occurredAt"]);
    let data = caller.ask(&format!("{{ auditLog {{ nodes {{ {} }} }} }}", names.join(" "))).await;
    let row = |node: &Value| -> Row {
        let keys = fields.iter().map(|field| key(field, &node[field.name])).collect();
        (node["id"].as_str().unwrap().to_owned(), keys)
    };
    let rows: Vec<Row> = data["auditLog"]["nodes"].as_array().unwrap().iter().map(row).collect();
    assert_eq!(rows.len(), 7);
    for field in &fields {
        for is_descending in [false, true] {
            List::of(&event::NOUN).check(&caller, &rows, &[(field, is_descending, None)], 3).await;
        }
    }
}

#[tokio::test]
async fn a_page_of_the_log_costs_one_statement_however_long_it_is() {
    let app = App::start().await;
    let (caller, ..) = history(&app).await;
    for document in [
        "{ auditLog(first: 1) { nodes { rowId fields } } }",
        "{ auditLog(first: 100, orderBy: [{ field: SEQUENCE, direction: DESC }]) { nodes { rowId rowType fields subject } } }",
    ] {
        let before = app.store.statements();
        caller.ask(document).await;
        assert_eq!(app.store.statements() - before, 1, "{document}");
    }
}

#[tokio::test]
async fn the_log_is_for_admins_and_is_not_written_through_the_api() {
    let app = App::start().await;
    let (caller, ..) = history(&app).await;
    let others: Vec<Permission> = Permission::ALL.into_iter().filter(|scope| *scope != Permission::Admin).collect();
    let reply = caller.with(others).run("{ auditLog { totalCount } }", json!({})).await.body;
    assert_eq!(codes(&reply), ["FORBIDDEN"]);
    caller.with([Permission::Admin]).ask("{ auditLog { nodes { rowId } } }").await;
    let outline = crate::outline::Outline::read();
    assert!(outline.mutations().iter().all(|field| !field.name.starts_with("audit")));
}
