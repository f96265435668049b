//! One row at a time: create, update, upsert, versions, delete, archive and external ids.

use serde_json::{Value, json};

use crate::app::{App, Caller};

const PAYLOAD: &str = "outcome isReplayed deletedId errors { code path }
    node { id name contact version createdAt updatedAt archivedAt externalIds { system id } }";

/// The codes of a payload's errors.
pub fn codes(payload: &Value) -> Vec<&str> {
    payload["errors"].as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap()).collect()
}

/// Makes a department and answers with its id.
pub async fn department(caller: &Caller<'_>, name: &str) -> String {
    let made = caller.mutate("departmentCreate", json!({ "name": name }), "node { id }").await;
    made["node"]["id"].as_str().unwrap().to_owned()
}

fn key(system: &str, id: &str) -> Value {
    json!({ "system": system, "id": id })
}

async fn change(caller: &Caller<'_>, field: &str, input: Value) -> Value {
    caller.mutate(field, input, PAYLOAD).await
}

async fn names(caller: &Caller<'_>, filter: Value) -> Vec<String> {
    let document = "query($filter: DepartmentFilter) { departments(filter: $filter) { nodes { name } } }";
    let data = caller.data(document, json!({ "filter": filter })).await;
    let nodes = data["departments"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect()
}

async fn by_id(caller: &Caller<'_>, id: &str) -> Value {
    let document = "query($id: ID!) { department(by: { id: $id }) { id name contact version archivedAt } }";
    caller.data(document, json!({ "id": id })).await["department"].take()
}

#[tokio::test]
async fn a_row_is_made_of_what_was_given_and_what_was_left_out_is_absent() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let made = change(&caller, "departmentCreate", json!({ "name": " Repairs " })).await;
    let node = &made["node"];
    assert_eq!((&made["outcome"], &made["deletedId"], codes(&made)), (&json!("CREATED"), &Value::Null, vec![]));
    assert_eq!((&node["name"], &node["contact"], &node["version"]), (&json!("Repairs"), &Value::Null, &json!(1)));
    assert_eq!((&node["createdAt"], &node["archivedAt"]), (&node["updatedAt"], &Value::Null));
    assert_eq!(names(&caller, json!({})).await, ["Unassigned", "Repairs"]);
}

#[tokio::test]
async fn a_default_stands_in_for_what_was_left_out() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let made = caller.mutate("interactionPointCreate", json!({ "name": "Desk" }), "node { kind }").await;
    assert_eq!(made["node"]["kind"], "OTHER");
}

#[tokio::test]
async fn an_update_keeps_what_is_absent_and_clears_what_is_null() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let made = change(&caller, "departmentCreate", json!({ "name": "A", "contact": "x" })).await;
    let id = &made["node"]["id"];
    let kept = change(&caller, "departmentUpdate", json!({ "by": { "id": id }, "name": "B" })).await;
    assert_eq!((&kept["outcome"], &kept["node"]["version"]), (&json!("UPDATED"), &json!(2)));
    assert_eq!((&kept["node"]["name"], &kept["node"]["contact"]), (&json!("B"), &json!("x")));
    let cleared = change(&caller, "departmentUpdate", json!({ "by": { "id": id }, "contact": null })).await;
    assert_eq!((&cleared["node"]["name"], &cleared["node"]["contact"]), (&json!("B"), &Value::Null));
    let refused = change(&caller, "departmentUpdate", json!({ "by": { "id": id }, "name": null })).await;
    assert_eq!((codes(&refused), &refused["errors"][0]["path"]), (vec!["REQUIRED"], &json!(["name"])));
    assert_eq!((&refused["outcome"], &refused["node"]["version"]), (&json!("FAILED"), &json!(3)));
}

#[tokio::test]
async fn an_update_clears_a_relation_with_null_and_keeps_it_when_absent() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let owner = department(&caller, "A").await;
    let point = json!({ "name": "Desk", "ownerRef": { "id": owner } });
    let selection = "outcome node { id owner { id } }";
    let made = caller.mutate("interactionPointCreate", point, selection).await;
    let id = &made["node"]["id"];
    let kept =
        caller.mutate("interactionPointUpdate", json!({ "by": { "id": id }, "promise": "Soon" }), selection).await;
    assert_eq!(kept["node"]["owner"]["id"], owner);
    let cleared =
        caller.mutate("interactionPointUpdate", json!({ "by": { "id": id }, "ownerRef": null }), selection).await;
    assert_eq!(cleared["node"]["owner"], Value::Null);
}

#[tokio::test]
async fn what_stays_for_ever_can_be_given_again_but_not_changed() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let mut points = Vec::new();
    for name in ["A", "B"] {
        let made = caller.mutate("interactionPointCreate", json!({ "name": name }), "node { id }").await;
        points.push(made["node"]["id"].clone());
    }
    let selection = "outcome node { id point { id } } errors { code path }";
    let given = json!({ "statement": "Fast", "source": "RESEARCH", "pointRef": { "id": points[0] } });
    let made = caller.mutate("expectationCreate", given, selection).await;
    let update = |point: &Value| json!({ "by": { "id": made["node"]["id"] }, "pointRef": { "id": point } });
    let same = caller.mutate("expectationUpdate", update(&points[0]), selection).await;
    assert_eq!(same["outcome"], "UNCHANGED");
    let other = caller.mutate("expectationUpdate", update(&points[1]), selection).await;
    assert_eq!((codes(&other), &other["node"]["point"]["id"]), (vec!["INVALID"], &points[0]));
}

#[tokio::test]
async fn an_update_that_changes_nothing_writes_nothing() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let made = change(&caller, "departmentCreate", json!({ "name": "A", "externalIds": [key("crm", "1")] })).await;
    let id = &made["node"]["id"];
    for input in
        [json!({ "by": { "id": id } }), json!({ "by": { "id": id }, "name": "A", "externalIds": [key("crm", "1")] })]
    {
        let same = change(&caller, "departmentUpdate", input).await;
        assert_eq!((&same["outcome"], &same["node"]["version"]), (&json!("UNCHANGED"), &json!(1)));
    }
    let other = change(&caller, "departmentCreate", json!({ "name": "B" })).await;
    let same =
        change(&caller, "departmentUpdate", json!({ "by": { "id": other["node"]["id"] }, "externalIds": null })).await;
    assert_eq!((&same["outcome"], &same["node"]["version"]), (&json!("UNCHANGED"), &json!(1)));
}

#[tokio::test]
async fn an_upsert_does_what_its_mode_allows() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let upsert = async |id: &str, name: &str, mode: &str| {
        let input = json!({ "externalId": key("crm", id), "name": name, "mode": mode });
        let done = change(&caller, "departmentUpsert", input).await;
        let codes = codes(&done).join(" ");
        format!("{} {codes} {}", done["outcome"].as_str().unwrap(), done["node"]["name"])
    };
    assert_eq!(upsert("1", "A", "UPDATE_ONLY").await, "FAILED NOT_FOUND null");
    assert_eq!(upsert("1", "A", "CREATE_ONLY").await, "CREATED  \"A\"");
    assert_eq!(upsert("1", "B", "CREATE_ONLY").await, "FAILED TAKEN \"A\"");
    assert_eq!(upsert("1", "B", "UPDATE_ONLY").await, "UPDATED  \"B\"");
    assert_eq!(upsert("1", "B", "UPSERT").await, "UNCHANGED  \"B\"");
    assert_eq!(upsert("2", "C", "UPSERT").await, "CREATED  \"C\"");
    assert_eq!(names(&caller, json!({})).await, ["Unassigned", "B", "C"]);
}

#[tokio::test]
async fn an_upsert_that_makes_a_row_needs_what_a_create_needs() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let input = json!({ "externalId": key("crm", "1"), "contact": "x" });
    let refused = change(&caller, "departmentUpsert", input.clone()).await;
    assert_eq!((codes(&refused), &refused["errors"][0]["path"]), (vec!["REQUIRED"], &json!(["name"])));
    change(&caller, "departmentUpsert", json!({ "externalId": key("crm", "1"), "name": "A" })).await;
    let changed = change(&caller, "departmentUpsert", input).await;
    assert_eq!((&changed["outcome"], &changed["node"]["name"]), (&json!("UPDATED"), &json!("A")));
}

#[tokio::test]
async fn a_stale_version_is_a_conflict_and_answers_with_the_row_as_it_is() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let made = change(&caller, "departmentCreate", json!({ "name": "A", "externalIds": [key("crm", "1")] })).await;
    let id = &made["node"]["id"];
    let update = json!({ "by": { "id": id }, "name": "B", "expectedVersion": 1 });
    assert_eq!(change(&caller, "departmentUpdate", update.clone()).await["outcome"], "UPDATED");
    let stale = json!({ "by": { "id": id }, "expectedVersion": 1 });
    let upsert = json!({ "externalId": key("crm", "1"), "name": "C", "expectedVersion": 1 });
    for (field, input) in [
        ("departmentUpdate", update),
        ("departmentUpsert", upsert),
        ("departmentDelete", stale.clone()),
        ("departmentArchive", stale),
    ] {
        let refused = change(&caller, field, input).await;
        assert_eq!((codes(&refused), &refused["outcome"]), (vec!["CONFLICT"], &json!("FAILED")), "{field}");
        assert_eq!((&refused["node"]["name"], &refused["node"]["version"]), (&json!("B"), &json!(2)), "{field}");
    }
    let unknown = json!({ "externalId": key("crm", "2"), "name": "C", "expectedVersion": 1 });
    assert_eq!(codes(&change(&caller, "departmentUpsert", unknown).await), ["CONFLICT"]);
    assert_eq!(names(&caller, json!({})).await, ["Unassigned", "B"]);
}

#[tokio::test]
async fn a_deleted_row_is_gone_and_its_external_id_is_free() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let made = change(&caller, "departmentCreate", json!({ "name": "A", "externalIds": [key("crm", "1")] })).await;
    let id = made["node"]["id"].as_str().unwrap();
    let deleted = change(&caller, "departmentDelete", json!({ "by": { "id": id }, "expectedVersion": 1 })).await;
    assert_eq!((&deleted["outcome"], &deleted["deletedId"]), (&json!("DELETED"), &json!(id)));
    assert_eq!((&deleted["node"], by_id(&caller, id).await), (&Value::Null, Value::Null));
    for field in ["departmentDelete", "departmentUpdate", "departmentArchive"] {
        let again = change(&caller, field, json!({ "by": { "id": id } })).await;
        assert_eq!(
            (codes(&again), &again["deletedId"], &again["node"]),
            (vec!["NOT_FOUND"], &Value::Null, &Value::Null)
        );
    }
    let again = change(&caller, "departmentUpsert", json!({ "externalId": key("crm", "1"), "name": "B" })).await;
    assert_eq!(again["outcome"], "CREATED");
    assert_ne!(again["node"]["id"], id);
}

#[tokio::test]
async fn a_row_that_others_refer_to_cannot_be_deleted() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let owner = department(&caller, "A").await;
    let point = json!({ "name": "Desk", "ownerRef": { "id": owner } });
    let point = caller.mutate("interactionPointCreate", point, "node { id }").await["node"]["id"].take();
    let refused = change(&caller, "departmentDelete", json!({ "by": { "id": owner } })).await;
    assert_eq!((codes(&refused), &refused["deletedId"]), (vec!["IN_USE"], &Value::Null));
    assert_eq!((&refused["outcome"], &refused["node"]["id"]), (&json!("FAILED"), &json!(owner)));
    caller.mutate("interactionPointDelete", json!({ "by": { "id": point } }), "outcome").await;
    assert_eq!(change(&caller, "departmentDelete", json!({ "by": { "id": owner } })).await["outcome"], "DELETED");
}

#[tokio::test]
async fn an_archived_row_is_left_out_of_lists_but_resolved_by_id_and_relation() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let owner = department(&caller, "A").await;
    let point = json!({ "name": "Desk", "ownerRef": { "id": owner } });
    let selection = "node { id owner { name archivedAt } }";
    let point = caller.mutate("interactionPointCreate", point, selection).await["node"]["id"].take();
    let archived = change(&caller, "departmentArchive", json!({ "by": { "id": owner } })).await;
    assert_eq!((&archived["outcome"], &archived["node"]["version"]), (&json!("UPDATED"), &json!(2)));
    assert_ne!(archived["node"]["archivedAt"], Value::Null);
    let again = change(&caller, "departmentArchive", json!({ "by": { "id": owner } })).await;
    assert_eq!((&again["outcome"], &again["node"]["version"]), (&json!("UNCHANGED"), &json!(2)));

    assert_eq!(names(&caller, json!({})).await, ["Unassigned"]);
    assert_eq!(names(&caller, json!({ "archivedAt": { "isNull": false } })).await, ["A"]);
    assert_eq!(by_id(&caller, &owner).await["archivedAt"], archived["node"]["archivedAt"]);
    let document =
        "query($id: ID!) { interactionPoint(by: { id: $id }) { owner { name } } departments { totalCount } }";
    let data = caller.data(document, json!({ "id": point })).await;
    assert_eq!(data["interactionPoint"]["owner"]["name"], "A");
    assert_eq!(data["departments"]["totalCount"], 1);

    let back = change(&caller, "departmentUnarchive", json!({ "by": { "id": owner }, "expectedVersion": 2 })).await;
    assert_eq!((&back["node"]["archivedAt"], &back["node"]["version"]), (&Value::Null, &json!(3)));
    assert_eq!(change(&caller, "departmentUnarchive", json!({ "by": { "id": owner } })).await["outcome"], "UNCHANGED");
    assert_eq!(names(&caller, json!({})).await, ["Unassigned", "A"]);
}

#[tokio::test]
async fn child_lists_leave_out_archived_rows_too() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let owner = department(&caller, "A").await;
    let point = json!({ "name": "Desk", "ownerRef": { "id": owner } });
    let point = caller.mutate("interactionPointCreate", point, "node { id }").await["node"]["id"].take();
    caller.mutate("interactionPointArchive", json!({ "by": { "id": point } }), "outcome").await;
    let document = "query($id: ID!) { department(by: { id: $id }) {
        shown: interactionPoints { totalCount nodes { id } }
        archived: interactionPoints(filter: { archivedAt: { isNull: false } }) { totalCount nodes { id } }
    } }";
    let data = caller.data(document, json!({ "id": owner })).await;
    assert_eq!(data["department"]["shown"], json!({ "totalCount": 0, "nodes": [] }));
    assert_eq!(data["department"]["archived"], json!({ "totalCount": 1, "nodes": [{ "id": point }] }));
}
