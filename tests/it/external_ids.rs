//! Ids that other systems gave a row: added, replaced, cleared, looked up, and never shared.

use serde_json::{Value, json};

use crate::{app::App, writes::codes};

const PAYLOAD: &str = "outcome errors { code path } node { id version externalIds { system id } }";

fn key(system: &str, id: &str) -> Value {
    json!({ "system": system, "id": id })
}

#[tokio::test]
async fn external_ids_are_added_replaced_by_system_and_cleared_by_null() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let input = json!({ "name": "A", "externalIds": [key("erp", "9"), key("crm", "1")] });
    let made = caller.mutate("departmentCreate", input, PAYLOAD).await;
    assert_eq!(made["node"]["externalIds"], json!([key("crm", "1"), key("erp", "9")]));
    let id = &made["node"]["id"];
    let update = async |given: Value| {
        let input = json!({ "id": id, "externalIds": given });
        let mut done = caller.mutate("departmentUpdate", input, PAYLOAD).await;
        (done["node"]["version"].as_i64().unwrap(), done["node"]["externalIds"].take())
    };
    assert_eq!(update(json!([key("crm", "2")])).await, (2, json!([key("crm", "2"), key("erp", "9")])));
    assert_eq!(update(json!([key("web", "3")])).await.0, 3);
    assert_eq!(update(json!([])).await, (3, json!([key("crm", "2"), key("erp", "9"), key("web", "3")])));
    assert_eq!(update(json!(null)).await, (4, json!([])));
    let document = r#"{ a: department(by: { externalId: { system: "crm", id: "2" } }) { id } }"#;
    assert_eq!(caller.ask(document).await["a"], Value::Null);
}

#[tokio::test]
async fn a_row_is_found_by_its_external_id_in_lookups_and_references() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let input = json!({ "name": "A", "externalIds": [key("crm", "1")] });
    let id = caller.mutate("departmentCreate", input, PAYLOAD).await["node"]["id"].take();
    let document = r#"{ department(by: { externalId: { system: "crm", id: "1" } }) { id } }"#;
    assert_eq!(caller.ask(document).await["department"]["id"], id);
    let point = json!({ "name": "Desk", "ownerRef": { "externalId": key("crm", "1") } });
    let made = caller.mutate("interactionPointCreate", point, "node { owner { id } }").await;
    assert_eq!(made["node"]["owner"]["id"], id);
    let point = json!({ "name": "Desk", "ownerRef": { "externalId": key("crm", "2") } });
    let refused = caller.mutate("interactionPointCreate", point, "outcome errors { code path }").await;
    assert_eq!((codes(&refused), &refused["errors"][0]["path"]), (vec!["NOT_FOUND"], &json!(["ownerRef"])));
}

#[tokio::test]
async fn an_external_id_belongs_to_one_row_of_a_type() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let input = json!({ "name": "A", "externalIds": [key("crm", "1")] });
    caller.mutate("departmentCreate", input.clone(), PAYLOAD).await;
    let taken = caller.mutate("departmentCreate", input.clone(), PAYLOAD).await;
    assert_eq!((codes(&taken), &taken["node"]), (vec!["TAKEN"], &Value::Null));
    let other = caller.mutate("departmentCreate", json!({ "name": "B" }), PAYLOAD).await;
    let update = json!({ "id": other["node"]["id"], "externalIds": [key("crm", "1")] });
    let taken = caller.mutate("departmentUpdate", update, PAYLOAD).await;
    assert_eq!((codes(&taken), &taken["node"]["version"]), (vec!["TAKEN"], &json!(1)));
    let made = caller.mutate("influencerCreate", input, "outcome").await;
    assert_eq!(made["outcome"], "CREATED");
}

#[tokio::test]
async fn an_upsert_keeps_the_external_id_that_it_names() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let upsert = async |given: Value| {
        let input = json!({ "externalId": key("crm", "1"), "name": "A", "externalIds": given });
        caller.mutate("departmentUpsert", input, PAYLOAD).await
    };
    let made = upsert(json!([key("crm", "1"), key("erp", "9")])).await;
    assert_eq!(made["outcome"], "CREATED");
    assert_eq!(made["node"]["externalIds"], json!([key("crm", "1"), key("erp", "9")]));
    let cleared = upsert(json!(null)).await;
    assert_eq!((&cleared["outcome"], &cleared["node"]["id"]), (&json!("UPDATED"), &made["node"]["id"]));
    assert_eq!(cleared["node"]["externalIds"], json!([key("crm", "1")]));
    assert_eq!(upsert(json!(null)).await["outcome"], "UNCHANGED");
    for input in [json!([key("crm", "2")]), json!([key("web", "1"), key("web", "2")])] {
        assert_eq!(codes(&upsert(input).await), ["INVALID"]);
    }
    let other = json!({ "externalId": key("crm", "3"), "name": "B", "externalIds": [key("crm", "4")] });
    assert_eq!(codes(&caller.mutate("departmentUpsert", other, PAYLOAD).await), ["INVALID"]);
}

/// A call whose rows get in each other's way; each is told apart and the first one wins.
#[tokio::test]
async fn rows_of_one_call_cannot_be_the_same_row_or_share_an_external_id() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let both = json!({ "name": "Both", "externalIds": [key("crm", "1"), key("erp", "1")] });
    caller.mutate("departmentCreate", both, PAYLOAD).await;
    let row =
        |target: Value, name: &str, more: Value| json!({ "externalId": target, "name": name, "externalIds": more });
    let none = || json!([]);
    for (first, second, outcomes) in [
        // The same key, of a new row and of a known one.
        (row(key("crm", "2"), "A", none()), row(key("crm", "2"), "B", none()), ["CREATED", "TAKEN"]),
        (row(key("crm", "2"), "C", none()), row(key("crm", "2"), "D", none()), ["UPDATED", "TAKEN"]),
        // Two keys of one row.
        (row(key("crm", "1"), "E", none()), row(key("erp", "1"), "F", none()), ["UPDATED", "TAKEN"]),
        // One more key for each of two new rows, the same.
        (
            row(key("crm", "3"), "G", json!([key("web", "1")])),
            row(key("crm", "4"), "H", json!([key("web", "1")])),
            ["CREATED", "TAKEN"],
        ),
        // The key that names the second is given to the first.
        (row(key("crm", "5"), "I", json!([key("web", "2")])), row(key("web", "2"), "J", none()), ["CREATED", "TAKEN"]),
    ] {
        let input = json!({ "rows": [first, second], "policy": "SKIP_INVALID" });
        let selection = "results { outcome errors { code } node { name } } errors { code }";
        let done = caller.mutate("departmentsBulkUpsert", input, selection).await;
        let results = done["results"].as_array().unwrap();
        assert_eq!(results[0]["outcome"], outcomes[0], "{done:#}");
        assert_eq!((&results[1]["outcome"], codes(&results[1])), (&json!("FAILED"), vec![outcomes[1]]), "{done:#}");
    }
}
