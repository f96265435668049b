//! The index follows every change of the rows, in a fixed number of statements.

use serde_json::{Value, json};

use super::{count, found, make, page};
use crate::app::App;

#[tokio::test]
async fn the_index_follows_creations_changes_and_deletions() {
    let app = App::start().await;
    let (caller, other) = (app.admin("one").await, app.admin("two").await);
    let key = |id: &str| json!({ "system": "crm", "id": id });
    make(&other, "messageCreate", json!({ "name": "Apple", "statement": "Birch" })).await;
    let id = make(&caller, "messageCreate", json!({ "name": "Apple", "statement": "Birch" })).await;
    let by = json!({ "id": id });
    let change = |input: Value| caller.mutate("messageUpdate", input, "errors { code }");
    change(json!({ "by": by, "statement": "Cedar" })).await;
    assert_eq!(
        (count(&caller, "birch").await, count(&caller, "cedar").await, count(&caller, "apple").await),
        (0, 1, 1)
    );
    // External ids come and go one by one.
    change(json!({ "by": by, "externalIds": [key("K-1"), key("K-2")] })).await;
    assert_eq!(found(&caller, "k-1").await, ["Message.externalIds: [K-1], K-2"]);
    change(json!({ "by": by, "externalIds": [key("K-3")], "externalIdsRemove": [key("K-1")] })).await;
    let now: Vec<usize> =
        [count(&caller, "k-1").await, count(&caller, "k-2").await, count(&caller, "k-3").await].into();
    assert_eq!(now, [0, 1, 1]);
    assert_eq!(count(&caller, "\"2 k\"").await, 0, "no phrase goes on in the next id");
    // Archived rows are found and say so.
    caller.mutate("messageArchive", json!({ "by": by }), "errors { code }").await;
    let hits = page(&caller, json!({ "text": "cedar" })).await;
    assert_eq!(hits["nodes"][0]["archivedAt"], "2026-11-22T12:00:00Z");
    caller.mutate("messageUnarchive", json!({ "by": by }), "errors { code }").await;
    // A failed call changes nothing.
    change(json!({ "by": by, "statement": "Dune", "expectedVersion": 1 })).await;
    assert_eq!((count(&caller, "dune").await, count(&caller, "cedar").await), (0, 1));
    let gone = caller.mutate("messageDelete", json!({ "by": by }), "outcome").await;
    assert_eq!(gone["outcome"], "DELETED");
    for text in ["apple", "cedar", "k-2"] {
        assert_eq!(count(&caller, text).await, 0, "{text}");
    }
    assert_eq!(found(&other, "birch").await, ["Message.statement: [Birch]"]);
}

#[tokio::test]
async fn bulk_calls_parts_and_clearing_keep_the_index_in_step() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let row = |number: usize, body: Value| json!({ "externalId": { "system": "desk", "id": number.to_string() }, "kind": "PRAISE", "body": body });
    let write = async |rows: Vec<Value>| {
        let done = caller
            .mutate("feedbackRecordsBulkUpsert", json!({ "rows": rows, "onNull": "CLEAR" }), "errors { code }")
            .await;
        assert_eq!(done["errors"], json!([]));
    };
    write((0..300).map(|number| row(number, json!("apple birch"))).collect()).await;
    assert_eq!(count(&caller, "apple").await, 300);
    write(
        (0..300).map(|number| row(number, if number % 2 == 0 { json!("apple cedar") } else { Value::Null })).collect(),
    )
    .await;
    assert_eq!(
        (count(&caller, "apple").await, count(&caller, "birch").await, count(&caller, "cedar").await),
        (150, 0, 150)
    );
    let rows: Vec<Value> = (0..100)
        .map(|number| json!({ "by": { "externalId": { "system": "desk", "id": number.to_string() } } }))
        .collect();
    caller.mutate("feedbackRecordsBulkDelete", json!({ "rows": rows }), "errors { code }").await;
    assert_eq!((count(&caller, "cedar").await, count(&caller, "7").await, count(&caller, "107").await), (100, 0, 1));
    // Rows that are written with another one.
    let key = json!({ "externalId": { "system": "a", "id": "part" } });
    let part = json!({ "upsert": [{ "by": key, "name": "Elm tree" }] });
    let id = make(&caller, "unitCreate", json!({ "product": "Fern", "parts": part })).await;
    assert_eq!(found(&caller, "elm").await, ["UnitPart.name: [Elm] tree"]);
    let without = json!({ "by": { "id": id }, "parts": { "remove": [key] } });
    caller.mutate("unitUpdate", without, "errors { code }").await;
    assert_eq!((count(&caller, "elm").await, count(&caller, "fern").await), (0, 1));
}

#[tokio::test]
async fn a_search_costs_two_statements_and_writing_a_fixed_number() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let rows = |from: usize, number: usize| -> Vec<Value> {
        (from..from + number).map(|row| json!({ "externalId": { "system": "crm", "id": format!("k{row}") }, "name": "Apple", "statement": format!("Birch {row}") })).collect()
    };
    let mut costs = Vec::new();
    for (from, number) in [(0, 10), (100, 1000)] {
        // Once for what is remembered.
        for statement in ["x", "y", "z"] {
            let mut rows = rows(from, number);
            for row in &mut rows {
                row["statement"] = json!(statement);
            }
            let before = app.store.statements();
            caller.mutate("messagesBulkUpsert", json!({ "rows": rows }), "errors { code }").await;
            costs.push(app.store.statements() - before);
        }
    }
    assert_eq!(costs[1..3], costs[4..6], "a change of 10 rows costs as many as one of 1,000: {costs:?}");
    make(&caller, "departmentCreate", json!({ "name": "Apple", "externalIds": [{ "system": "a", "id": "apple" }] }))
        .await;
    for (text, hits) in [("apple", 1000), ("nothing", 0)] {
        let before = app.store.statements();
        let found = page(&caller, json!({ "text": text, "first": 1000 })).await;
        assert_eq!(found["nodes"].as_array().unwrap().len(), hits);
        assert!(app.store.statements() - before <= 2, "{text}");
    }
    // The rows themselves: one more for each type of which a field is selected, however many there are.
    let document = "{ search(text: \"apple\", first: 1000) { nodes { type row {
        ... on Node { id } ... on Message { name } ... on Department { name archivedAt } ... on Stage { name } } } } }";
    let before = app.store.statements();
    let found = caller.ask(document).await;
    assert_eq!(app.store.statements() - before, 4);
    let rows = found["search"]["nodes"].as_array().unwrap();
    assert!(rows.iter().all(|hit| hit["row"]["name"] == "Apple" && hit["row"]["id"].is_string()), "{rows:#?}");
}

#[test]
fn names_bodies_summaries_and_statements_are_searched() {
    let of_all = entity::NOUNS.into_iter().filter(|noun| noun.is_stored());
    for noun in of_all {
        for field in noun.fields {
            let is_text = ["name", "title", "body", "summary", "statement", "quote", "text"].contains(&field.name);
            // The organization and the names of attributes are settings, and the body of a document is program text: its name is
            // searched.
            let is_setting = ["Organization", "AttributeDefinition"].contains(&noun.name)
                || (noun.name, field.name) == ("TrustedDocument", "body");
            assert!(!is_text || is_setting || field.is_searchable, "{}.{}", noun.name, field.name);
        }
    }
}
