//! Who reads the feed: types and fields by scopes, whole organizations only, and nothing of another one.

use entity::Permission;
use serde_json::{Value, json};

use super::{QUERY, change, changed, make, page, refusal, sequences};
use crate::{app::App, outline::codes};

const ROW: &str = "query($row: Boolean = true) { changes { nodes { rowId
    row @include(if: $row) { ... on Customer { id version SELECTED } } } } }";

#[tokio::test]
async fn the_feed_needs_its_scope_and_tells_of_the_types_that_the_caller_may_read() {
    let app = App::start().await;
    let (admin, ..) = changed(&app, "one").await;
    make(&admin, "customerCreate", json!({ "name": "Ann" })).await;
    change(&admin, "organizationUpdate", json!({ "name": "One" })).await;
    let blind = admin.with(Permission::ALL.into_iter().filter(|known| *known != Permission::ExchangeRead));
    assert_eq!(refusal(&blind, json!({})).await.0, "FORBIDDEN");
    let of_map = admin.with([Permission::ExchangeRead, Permission::MapRead]);
    assert_eq!(sequences(&page_of(&of_map).await), [1, 2, 3, 4, 5, 6, 8], "those of the organization need no scope");
    let of_record = admin.with([Permission::ExchangeRead, Permission::RecordRead]);
    assert_eq!(sequences(&page_of(&of_record).await), [7, 8]);
    for types in [json!(["CUSTOMER"]), json!(["DEPARTMENT", "CUSTOMER"])] {
        let before = app.store.statements();
        assert_eq!(refusal(&of_map, json!({ "types": types })).await.0, "FORBIDDEN");
        assert_eq!(app.store.statements(), before);
    }
}

/// A page without personal fields.
async fn page_of(caller: &crate::app::Caller<'_>) -> Value {
    let document =
        "{ changes { headSequence nodes { sequence row { ... on Department { name } ... on Customer { id } } } } }";
    let mut data = caller.ask(document).await;
    assert_eq!(data["changes"]["headSequence"], 8);
    data["changes"].take()
}

#[tokio::test]
async fn a_field_that_the_caller_may_not_read_fails_the_page_before_it_is_read() {
    let app = App::start().await;
    let admin = app.admin("one").await;
    let person = make(&admin, "customerCreate", json!({ "name": "CanaryOfTheScopes" })).await;
    let feedback = json!({ "kind": "PRAISE", "body": "CanaryOfTheScopes", "customerRef": { "id": person } });
    make(&admin, "feedbackRecordCreate", feedback).await;
    let caller = admin.with([Permission::ExchangeRead, Permission::RecordRead, Permission::MapRead]);
    for selected in [
        "name",
        "externalIds { id }",
        "attributes { name }",
        "feedbackRecords { nodes { body } }",
        "feedbackRecords { edges { node { body } } }",
        "feedbackRecords { nodes { customer { name } } }",
        "timeline { nodes { ... on FeedbackRecord { body } } }",
        "cases { nodes { id } }",
    ] {
        let document = ROW.replace("SELECTED", selected);
        // Once planned for this, once from the cache.
        for _ in 0..2 {
            let before = app.store.statements();
            let reply = caller.run(&document, json!({})).await.body;
            assert_eq!((&reply["data"], codes(&reply)), (&json!({ "changes": null }), vec!["FORBIDDEN"]), "{selected}");
            // Which attributes are open is read once.
            assert!(app.store.statements() - before <= u64::from(selected.starts_with("attributes")), "{selected}");
            let whole = admin.run(&document, json!({})).await.body;
            assert_eq!(whole["errors"], Value::Null, "{selected} {whole:#}");
        }
    }
    let document = ROW.replace("SELECTED", "name");
    assert_eq!(caller.data(&document, json!({ "row": false })).await["changes"]["nodes"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_token_of_departments_is_refused() {
    let app = App::start().await;
    let (admin, _, there) = changed(&app, "one").await;
    let narrowed = admin.of_departments([there.as_str()]);
    assert_eq!(refusal(&narrowed, json!({})).await.0, "FORBIDDEN");
    assert_eq!(refusal(&narrowed, json!({ "types": ["MEDIUM"] })).await.0, "FORBIDDEN");
}

#[tokio::test]
async fn an_organization_sees_its_own_changes_and_no_cursor_of_another() {
    let app = App::start().await;
    let (one, ..) = changed(&app, "one").await;
    let two = app.admin("two").await;
    let empty = page(&two, json!({})).await;
    assert_eq!((&empty["nodes"], &empty["headSequence"], &empty["oldestSequence"]), (&json!([]), &json!(0), &json!(1)));
    make(&two, "departmentCreate", json!({ "name": "Two" })).await;
    let first = page(&one, json!({ "first": 1 })).await;
    assert_eq!(sequences(&page(&two, json!({})).await), [1]);
    assert_ne!(first["epoch"], empty["epoch"]);
    assert_eq!(refusal(&two, json!({ "after": first["pageInfo"]["endCursor"] })).await.0, "BAD_USER_INPUT");
    assert_eq!(sequences(&page(&two, json!({ "after": empty["headCursor"] })).await), [1]);
    let reply = two.run(QUERY, json!({ "after": "x" })).await.body;
    assert_eq!(codes(&reply), ["BAD_USER_INPUT"]);
}
