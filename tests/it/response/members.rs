//! Members: who they are, where they belong and when they are away.

use entity::Permission;
use serde_json::{Value, json};

use crate::{
    app::App,
    elements::refused,
    journeys::{TOLD, by_id, made, mistakes, one},
};

fn key(id: &str) -> Value {
    json!({ "system": "hr", "id": id })
}

#[tokio::test]
async fn a_subject_has_one_member_in_an_organization() {
    let app = App::start().await;
    let (caller, other) = (app.admin("one").await, app.admin("two").await);
    let ann = made(&caller, "memberCreate", json!({ "subject": "ann", "name": "Ann" })).await;
    made(&other, "memberCreate", json!({ "subject": "ann", "name": "Ann" })).await;
    made(&caller, "memberCreate", json!({ "subject": "Ann", "name": "Another Ann" })).await;
    made(&caller, "memberArchive", json!({ "by": by_id(&ann) })).await;
    let eve = made(&caller, "memberCreate", json!({ "subject": "eve", "name": "Eve" })).await;
    let cases = vec![
        ("memberCreate", json!({ "subject": "ann", "name": "Ann" }), "TAKEN", "subject"),
        ("memberUpdate", json!({ "by": by_id(&eve), "subject": "ann" }), "TAKEN", "subject"),
    ];
    refused(&app, &caller, cases).await;
    let row = |id: &str, subject: &str| json!({ "externalId": key(id), "subject": subject, "name": id });
    let rows = json!({ "rows": [row("1", "bob"), row("2", "bob"), row("3", "ann")], "policy": "SKIP_INVALID" });
    let done = caller.mutate("membersBulkUpsert", rows, &format!("results {{ {TOLD} }}")).await;
    let told: Vec<_> = done["results"].as_array().unwrap().iter().map(mistakes).collect();
    assert_eq!(told, [vec![], one("TAKEN", &["subject"]), one("TAKEN", &["subject"])]);
    made(&caller, "memberUpdate", json!({ "by": by_id(&eve), "subject": "eva" })).await;
    // The same row once more takes nothing from itself.
    let again = caller.mutate("membersBulkUpsert", json!({ "rows": [row("1", "bob")] }), "results { outcome }").await;
    assert_eq!(again["results"][0]["outcome"], "UNCHANGED");
}

#[tokio::test]
async fn a_member_is_back_after_leaving() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let input = json!({ "subject": "ann", "name": "Ann", "capacity": 0, "awayFromAt": "2026-12-01T00:00:00Z",
        "awayUntilAt": "2026-12-01T00:00:00Z" });
    let ann = made(&caller, "memberCreate", input).await;
    let by = by_id(&ann);
    let cases = vec![
        ("memberUpdate", json!({ "by": by, "awayUntilAt": "2026-11-30T23:59:59Z" }), "OUT_OF_RANGE", "awayUntilAt"),
        ("memberUpdate", json!({ "by": by, "awayFromAt": "2026-12-01T00:00:01Z" }), "OUT_OF_RANGE", "awayFromAt"),
        ("memberUpdate", json!({ "by": by, "awayFromAt": null }), "INVALID", "awayFromAt"),
        ("memberUpdate", json!({ "by": by, "capacity": -1 }), "OUT_OF_RANGE", "capacity"),
        (
            "memberCreate",
            json!({ "subject": "bob", "name": "Bob", "awayUntilAt": "2026-11-30T00:00:00Z" }),
            "INVALID",
            "awayUntilAt",
        ),
    ];
    refused(&app, &caller, cases).await;
    made(&caller, "memberUpdate", json!({ "by": by, "awayFromAt": null, "awayUntilAt": null })).await;
}

#[tokio::test]
async fn a_department_shows_its_members() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let department = made(&caller, "departmentCreate", json!({ "name": "Service" })).await;
    let ann = json!({ "subject": "ann", "name": "Ann", "skills": ["welding", "French"] });
    let ann = made(&caller, "memberCreate", ann).await;
    made(&caller, "memberSetDepartments", json!({ "by": by_id(&ann), "departments": [by_id(&department)] })).await;
    let document = "query($id: ID!) { department(by: { id: $id }) { members { nodes { name skills
        departments { nodes { name } } } } } }";
    let shown = caller.data(document, json!({ "id": department })).await["department"]["members"]["nodes"].take();
    let departments = json!({ "nodes": [{ "name": "Service" }] });
    assert_eq!(shown, json!([{ "name": "Ann", "skills": ["French", "welding"], "departments": departments }]));
    let skilled = caller.ask("{ members(filter: { skills: { hasAny: [\"welding\"] } }) { totalCount } }").await;
    assert_eq!(skilled["members"]["totalCount"], 1);
    refused(&app, &caller, vec![("departmentDelete", json!({ "by": by_id(&department) }), "IN_USE", "by")]).await;
    // Names of staff are no data of customers, but not for everybody either.
    let reader = caller.with([Permission::ResponseRead]);
    assert_eq!(reader.ask("{ members { nodes { subject } } }").await["members"]["nodes"][0]["subject"], "ann");
    let refused = caller.with([Permission::MapRead]).run("{ members { nodes { subject } } }", json!({})).await;
    assert_eq!(refused.body["errors"][0]["extensions"]["code"], "FORBIDDEN");
}
