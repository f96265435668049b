//! Rows found by their external ids.

use entity::Permission;
use serde_json::{Value, json};

use crate::{
    app::{App, Caller},
    outline::codes,
};

const LIST: &str = "query($filter: DepartmentFilter) {
    departments(filter: $filter, orderBy: [{ field: NAME }]) { totalCount nodes { name } } }";

/// Departments by name, each with the ids that are given as `system:id`.
async fn settle(caller: &Caller<'_>) {
    for (name, keys) in [
        ("a", &["crm:1", "crm:12", "erp:7"][..]),
        ("b", &["crm:2", "erp:1"]),
        ("c", &["CRM:1", "crm:%"]),
        ("d", &["crm:É1"]),
        ("e", &[]),
    ] {
        let key = |key: &&str| {
            let (system, id) = key.split_once(':').unwrap();
            json!({ "system": system, "id": id })
        };
        let keys: Vec<Value> = keys.iter().map(key).collect();
        caller.mutate("departmentCreate", json!({ "name": name, "externalIds": keys }), "errors { code }").await;
    }
}

/// The names that a filter finds besides the department that every organization has, in one word.
async fn found(caller: &Caller<'_>, filter: &Value) -> String {
    let filter = json!({ "and": [filter, { "name": { "neq": "Unassigned" } }] });
    let data = caller.data(LIST, json!({ "filter": filter })).await;
    let nodes = data["departments"]["nodes"].as_array().unwrap();
    assert_eq!(data["departments"]["totalCount"], nodes.len());
    nodes.iter().map(|node| node["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn rows_are_found_by_whether_some_or_none_of_their_external_ids_match() {
    let app = App::start().await;
    let (caller, other) = (app.admin("one").await, app.admin("other").await);
    settle(&caller).await;
    settle(&other).await;
    for (condition, expected) in [
        (json!({ "system": { "eq": "crm" }, "id": { "eq": "1" } }), "a"),
        (json!({ "system": { "eq": "erp" }, "id": { "eq": "1" } }), "b"),
        (json!({ "id": { "eq": "1" } }), "abc"),
        (json!({ "system": { "eq": "crm" } }), "abcd"),
        (json!({ "system": { "in": ["CRM", "erp"] } }), "abc"),
        (json!({ "id": { "in": ["12", "2", "none"] } }), "ab"),
        (json!({ "id": { "in": [] } }), ""),
        (json!({ "system": { "eq": "crm" }, "id": { "startsWith": "1" } }), "a"),
        (json!({ "id": { "startsWith": "%" } }), "c"),
        (json!({ "id": { "startsWith": "É" } }), "d"),
        (json!({ "id": { "startsWith": "é" } }), ""),
        (json!({ "id": { "startsWith": "" } }), "abcd"),
        (json!({ "system": { "startsWith": "c" }, "id": { "startsWith": "1", "in": ["12", "2"] } }), "a"),
        // Both of the same one.
        (json!({ "system": { "eq": "erp" }, "id": { "eq": "2" } }), ""),
        (json!({ "system": {}, "id": {} }), "abcd"),
        (json!({}), "abcd"),
    ] {
        let others: String = ["a", "b", "c", "d", "e"].into_iter().filter(|name| !expected.contains(name)).collect();
        let some = json!({ "externalIds": { "some": condition } });
        assert_eq!(found(&caller, &some).await, expected, "{condition}");
        assert_eq!(found(&caller, &json!({ "externalIds": { "none": condition } })).await, others, "{condition}");
        assert_eq!(found(&caller, &json!({ "not": some })).await, others, "{condition}");
    }
    let both =
        json!({ "externalIds": { "some": { "system": { "eq": "crm" } }, "none": { "system": { "eq": "erp" } } } });
    assert_eq!(found(&caller, &both).await, "cd");
    assert_eq!(found(&caller, &json!({ "externalIds": {} })).await, "abcde");
    // Through a relation, and of the newest state.
    let point = json!({ "name": "P", "ownerRef": { "externalId": { "system": "crm", "id": "2" } } });
    caller.mutate("interactionPointCreate", point, "errors { code }").await;
    let document =
        r#"{ interactionPoints(filter: { owner: { externalIds: { some: { id: { eq: "2" } } } } }) { totalCount } }"#;
    assert_eq!(caller.ask(document).await["interactionPoints"]["totalCount"], 1);
    let removed =
        json!({ "by": { "externalId": { "system": "crm", "id": "2" } }, "externalIdsRemove": [{ "system": "crm" }] });
    caller.mutate("departmentUpdate", removed, "errors { code }").await;
    assert_eq!(caller.ask(document).await["interactionPoints"]["totalCount"], 0);
}

#[tokio::test]
async fn a_condition_that_says_nothing_or_too_much_is_refused() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let many: Vec<String> = (0..1_001).map(|id| id.to_string()).collect();
    let some = |condition: Value| json!({ "externalIds": { "some": condition } });
    for filter in [
        json!({ "externalIds": { "some": null } }),
        some(json!({ "id": null })),
        some(json!({ "id": { "eq": null } })),
        some(json!({ "id": { "startsWith": null } })),
        some(json!({ "id": { "in": many } })),
        json!({ "and": vec![some(json!({})); 31] }),
        json!({ "and": vec![some(json!({ "id": { "startsWith": "1" } })); 31] }),
    ] {
        let reply = caller.run(LIST, json!({ "filter": filter })).await.body;
        assert_eq!(codes(&reply), ["BAD_USER_INPUT"], "{}", filter.to_string().chars().take(80).collect::<String>());
    }
    let fine = json!({ "and": vec![some(json!({ "id": { "eq": "1" } })); 30] });
    assert_eq!(caller.run(LIST, json!({ "filter": fine })).await.body.get("errors"), None);
}

#[tokio::test]
async fn a_row_of_an_id_is_found_along_the_key_of_external_ids() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    settle(&caller).await;
    let document = "query($filter: DepartmentFilter) { departments(filter: $filter, first: 3) { nodes { name } } }";
    let condition = json!({ "system": { "eq": "crm" }, "id": { "eq": "1" } });
    app.store.texts();
    caller.data(document, json!({ "filter": { "externalIds": { "some": condition } } })).await;
    let texts = app.store.texts();
    let text = texts.iter().find(|text| text.contains("department_external_id")).unwrap();
    let plan: Vec<String> = app.database.plan(text).await;
    let (finds, key) = if app.database.is_sqlite() {
        ("SEARCH", "organization_id=? AND system=? AND external_id=?")
    } else {
        ("Index", "department_external_id_pkey")
    };
    assert!(plan.iter().any(|step| step.contains(finds) && step.contains(key)), "{text}\n{plan:#?}");
}

#[tokio::test]
async fn who_may_not_see_external_ids_of_people_filters_by_none() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let key = json!([{ "system": "crm", "id": "1" }]);
    caller.mutate("customerCreate", json!({ "name": "Ada", "externalIds": key }), "errors { code }").await;
    let document = r#"{ feedbackRecords(filter: { customer: { externalIds: { some: { id: { startsWith: "1" } } } } }) { totalCount } }"#;
    let reader = caller.with([Permission::RecordRead]);
    assert_eq!(codes(&reader.run(document, json!({})).await.body), ["FORBIDDEN"]);
    let allowed = caller.with([Permission::RecordRead, Permission::CustomersRead]);
    assert_eq!(allowed.ask(document).await["feedbackRecords"]["totalCount"], 0);
}
