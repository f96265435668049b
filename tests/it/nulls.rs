//! What null means: typed clients send it for whatever they do not set.

use entity::{Noun, noun::Operation};
use serde_json::{Map, Value, json};

use crate::{
    app::App,
    fixture::World,
    outline::{Outline, codes as failures},
    writes::codes,
};

const PAYLOAD: &str = "outcome isReplayed errors { code path } node { version name contact externalIds { id } }";

/// An input object as a typed client sends it that sets nothing: every field that may be null is.
fn nulls(outline: &Outline, ty: &str, set: &Value) -> Value {
    let members = outline.inputs(ty).iter().filter(|member| !member.is_required());
    let mut object: Map<String, Value> = members.map(|member| (member.name.clone(), Value::Null)).collect();
    object.extend(set.as_object().unwrap().clone());
    Value::Object(object)
}

fn upserted() -> impl Iterator<Item = &'static Noun> {
    entity::NOUNS.into_iter().filter(|noun| noun.offers(Operation::Upsert) && noun.offers(Operation::Update))
}

#[tokio::test]
async fn the_nulls_of_a_typed_client_change_no_noun_in_upserts_and_bulk_calls_nor_in_updates_that_keep() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "One").await;
    let upper = |name: &str| format!("{}{}", name[..1].to_uppercase(), &name[1..]);
    for noun in upserted() {
        let row = world.newest(noun.name);
        let select = outline.select(noun.name, 2);
        let document = format!("query($id: ID!) {{ it: {}(by: {{ id: $id }}) {select} }}", noun.singular);
        let before = world.caller.data(&document, json!({ "id": row.id })).await;
        let named = nulls(&outline, &format!("{}UpsertRow", noun.name), &json!({ "externalId": row.external }));
        let bulk = nulls(&outline, &format!("{}BulkUpsertInput", upper(noun.plural)), &json!({ "rows": [named] }));
        let upsert = format!("{}UpsertInput", noun.name);
        let update = format!("{}UpdateInput", noun.name);
        let calls = [
            (format!("{}Upsert", noun.singular), nulls(&outline, &upsert, &json!({ "externalId": row.external }))),
            (format!("{}BulkUpsert", noun.plural), bulk),
            (
                format!("{}Update", noun.singular),
                nulls(&outline, &update, &json!({ "by": { "id": row.id }, "onNull": "KEEP" })),
            ),
        ];
        for (field, input) in calls {
            let outcome = if field.ends_with("BulkUpsert") { "results { outcome }" } else { "outcome" };
            let done = world.caller.mutate(&field, input, &format!("{outcome} errors {{ code path }}")).await;
            assert_eq!(codes(&done), [""; 0], "{field} {done:#}");
            assert!(done.to_string().contains("UNCHANGED"), "{field} {done:#}");
            assert_eq!(world.caller.data(&document, json!({ "id": row.id })).await, before, "{field}");
        }
    }
}

#[tokio::test]
async fn a_null_never_takes_external_ids_away_whatever_else_it_clears() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "One").await;
    for noun in upserted() {
        let row = world.newest(noun.name);
        for given in [Value::Null, json!([])] {
            let input =
                json!({ "by": { "id": row.id }, "onNull": "CLEAR", "externalIds": given, "externalIdsRemove": given });
            let selection = "outcome errors { code } node { externalIds { system id } }";
            let done = world.caller.mutate(&format!("{}Update", noun.singular), input, selection).await;
            assert_eq!((&done["outcome"], codes(&done)), (&json!("UNCHANGED"), vec![]), "{}", noun.name);
            assert!(done["node"]["externalIds"].as_array().unwrap().contains(row.external.as_ref().unwrap()));
        }
    }
}

#[tokio::test]
async fn a_null_clears_where_the_call_says_so_in_a_row_in_a_relation_and_in_a_set() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let external = json!({ "system": "survey", "id": "1" });
    let owner = caller.mutate("customerCreate", json!({ "name": "Ann" }), "node { id }").await["node"]["id"].take();
    let full = json!({ "externalId": external, "kind": "COMPLAINT", "body": "Slow", "customerRef": { "id": owner },
        "tags": ["a"], "attributes": [{ "name": "a", "value": "b" }] });
    let selection = "outcome errors { code path } node { body tags attributes { name } customer { id } }";
    caller.mutate("feedbackRecordUpsert", full, selection).await;
    let given = json!({ "externalId": external, "onNull": "CLEAR", "body": null, "customerRef": null });
    let cleared = caller.mutate("feedbackRecordUpsert", given, selection).await;
    let node = json!({ "body": null, "tags": ["a"], "attributes": [{ "name": "a" }], "customer": null });
    assert_eq!((&cleared["outcome"], &cleared["node"]), (&json!("UPDATED"), &node));
    // Sets are emptied by an empty list.
    let nulls = json!({ "rows": [{ "externalId": external, "tags": null, "kind": null }], "onNull": "CLEAR" });
    let refused = caller.mutate("feedbackRecordsBulkUpsert", nulls, "results { errors { code path } }").await;
    let expected = json!([{ "code": "REQUIRED", "path": ["kind"] }, { "code": "REQUIRED", "path": ["tags"] }]);
    assert_eq!(refused["results"][0]["errors"], expected);
    let empty = json!({ "externalId": external, "tags": [], "attributes": [] });
    let emptied = caller.mutate("feedbackRecordUpsert", empty, selection).await;
    assert_eq!((&emptied["node"]["tags"], &emptied["node"]["attributes"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn a_create_takes_a_null_for_a_field_left_out() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let input = json!({ "kind": "PRAISE", "receivedAt": null, "tags": null, "body": null, "pointRef": null });
    let made =
        caller.mutate("feedbackRecordCreate", input, "outcome errors { code path } node { tags receivedAt }").await;
    assert_eq!((&made["outcome"], &made["node"]["tags"]), (&json!("CREATED"), &json!([])), "{made:#}");
    let strict = json!({ "kind": "PRAISE", "tags": null, "onNull": "CLEAR" });
    let refused = caller.mutate("feedbackRecordCreate", strict, "errors { code path }").await;
    assert_eq!(refused["errors"], json!([{ "code": "REQUIRED", "path": ["tags"] }]));
}

/// Whoever repeats a call sends what was sent; what a null means hangs on the rest of the input.
#[tokio::test]
async fn under_an_idempotency_key_a_null_and_a_field_left_out_are_two_inputs() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let input = |more: Value| {
        let mut input = json!({ "externalId": { "system": "crm", "id": "1" }, "name": "A", "idempotencyKey": "k" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    for (more, code) in [
        (json!({ "contact": null }), vec![]),
        (json!({ "contact": null }), vec![]),
        (json!({}), vec!["IDEMPOTENCY_CONFLICT"]),
        (json!({ "contact": null, "onNull": "CLEAR" }), vec!["IDEMPOTENCY_CONFLICT"]),
    ] {
        let done = caller.mutate("departmentUpsert", input(more.clone()), PAYLOAD).await;
        assert_eq!(codes(&done), code, "{more}");
    }
}

#[tokio::test]
async fn what_null_means_is_one_of_two() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let document = "mutation($input: DepartmentUpsertInput!) { departmentUpsert(input: $input) { outcome } }";
    let input = json!({ "externalId": { "system": "crm", "id": "1" }, "name": "A", "onNull": "WIPE" });
    let reply = caller.run(document, json!({ "input": input })).await.body;
    assert_eq!(failures(&reply), ["BAD_USER_INPUT"]);
}
