//! What is wrong with a document is told with the path to it, and nothing of it is written.

use entity::Permission;
use serde_json::{Value, json};

use super::TOLD;
use crate::{app::App, outline::codes};

fn with(lists: Value) -> String {
    let mut document = lists;
    document["format"] = json!("rapport-map/1");
    document.to_string()
}

fn medium(more: &Value) -> Value {
    let mut medium = json!({ "key": "m", "name": "Medium" });
    medium.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    medium
}

/// A document, the code of what is wrong with it, and the path to that.
type Case = (String, &'static str, &'static [&'static str]);

/// Each is refused as told, and nothing of it is written.
async fn all_are_refused(cases: Vec<Case>) {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let known = json!({ "name": "Known", "externalIds": [{ "system": "crm", "id": "7" }] });
    caller.mutate("mediumCreate", known, "outcome").await;
    let before = app.dump(caller.organization()).await;
    for (document, code, path) in cases {
        let shown: String = document.chars().take(300).collect();
        let payload = caller.mutate("mapImport", json!({ "document": document }), TOLD).await;
        assert_eq!(payload["errors"], json!([{ "code": code, "path": path }]), "{shown}");
        assert_eq!((&payload["outcome"], &payload["importCounts"]), (&json!("FAILED"), &json!([])), "{shown}");
        assert_eq!(app.dump(caller.organization()).await, before, "{shown}");
    }
}

#[tokio::test]
async fn a_mistake_in_the_form_of_a_document_is_told_at_its_place() {
    let deep: Vec<Value> = (0..70)
        .map(|place| json!({ "key": place.to_string(), "name": "M", "parent": (place > 0).then(|| (place - 1).to_string()) }))
        .collect();
    all_are_refused(vec![
        ("no JSON".to_owned(), "INVALID", &["document"]),
        ("[]".to_owned(), "INVALID", &["document"]),
        ("{}".to_owned(), "INVALID", &["document", "format"]),
        (json!({ "format": "rapport-map/2" }).to_string(), "INVALID", &["document", "format"]),
        (" ".repeat(4 * 1024 * 1024 + 1), "TOO_LONG", &["document"]),
        (with(json!({ "customers": [] })), "INVALID", &["document", "customers"]),
        (with(json!({ "mediums": {} })), "INVALID", &["document", "mediums"]),
        (with(json!({ "mediums": [1] })), "INVALID", &["document", "mediums", "0"]),
        (with(json!({ "mediums": [{ "name": "M" }] })), "REQUIRED", &["document", "mediums", "0", "key"]),
        (
            with(json!({ "mediums": [medium(&json!({ "key": " " }))] })),
            "REQUIRED",
            &["document", "mediums", "0", "key"],
        ),
        (
            with(json!({ "mediums": [medium(&json!({ "key": "k".repeat(256) }))] })),
            "TOO_LONG",
            &["document", "mediums", "0", "key"],
        ),
        (
            with(json!({ "mediums": [medium(&json!({})), medium(&json!({}))] })),
            "TAKEN",
            &["document", "mediums", "1", "key"],
        ),
        (with(json!({ "mediums": [{ "key": "m" }] })), "REQUIRED", &["document", "mediums", "0", "name"]),
        (
            with(json!({ "mediums": [medium(&json!({ "name": "n".repeat(201) }))] })),
            "TOO_LONG",
            &["document", "mediums", "0", "name"],
        ),
        (
            with(json!({ "mediums": [medium(&json!({ "name": "a\0b" }))] })),
            "INVALID",
            &["document", "mediums", "0", "name"],
        ),
        (with(json!({ "mediums": [medium(&json!({ "name": 7 }))] })), "INVALID", &["document", "mediums", "0", "name"]),
        (
            with(json!({ "mediums": [medium(&json!({ "colour": "red" }))] })),
            "INVALID",
            &["document", "mediums", "0", "colour"],
        ),
        (
            with(json!({ "mediums": [medium(&json!({ "version": 3 }))] })),
            "INVALID",
            &["document", "mediums", "0", "version"],
        ),
        (
            with(json!({ "mediums": [medium(&json!({ "isArchived": "yes" }))] })),
            "INVALID",
            &["document", "mediums", "0", "isArchived"],
        ),
        (
            with(json!({ "mediums": [medium(&json!({ "parent": "nobody" }))] })),
            "NOT_FOUND",
            &["document", "mediums", "0", "parent"],
        ),
        (
            with(json!({ "mediums": [medium(&json!({ "parent": "m" }))] })),
            "CYCLE",
            &["document", "mediums", "0", "parent"],
        ),
        (with(json!({ "mediums": deep })), "OUT_OF_RANGE", &["document", "mediums", "64", "parent"]),
        (
            with(json!({ "mediums": [medium(&json!({ "externalIds": [{ "system": "rapport-map", "id": "1" }] }))] })),
            "INVALID",
            &["document", "mediums", "0", "externalIds", "0"],
        ),
        (
            with(json!({ "mediums": [medium(&json!({ "externalIds": [{ "system": "", "id": "1" }] }))] })),
            "REQUIRED",
            &["document", "mediums", "0", "externalIds", "0"],
        ),
        (
            with(json!({ "mediums": [medium(&json!({ "externalIds": vec![json!({ "system": "crm", "id": "8" }); 101] }))] })),
            "TOO_LONG",
            &["document", "mediums", "0", "externalIds"],
        ),
        (
            with(json!({ "mediums": [medium(&json!({ "externalIds": [{ "system": "crm", "id": "7" }] }))] })),
            "TAKEN",
            &["document", "mediums", "0", "externalIds"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_row_that_breaks_a_rule_is_told_at_its_place() {
    let step = |more: Value| {
        let mut step = json!({ "key": "s", "journey": "j", "point": "p" });
        step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        step
    };
    let base = |steps: Value, links: Value| {
        json!({ "journeys": [{ "key": "j", "title": "J" }, { "key": "other", "title": "O" }],
            "stages": [{ "key": "g", "name": "G", "journey": "other" }],
            "interactionPoints": [{ "key": "p", "name": "P" }], "steps": steps, "stepLinks": links })
    };
    let three = json!([step(json!({})), step(json!({ "key": "t" })), step(json!({ "key": "u" }))]);
    let tie = |key: &str, from: &str, to: &str| json!({ "key": key, "journey": "j", "from": from, "to": to });
    let wish = |rank: i64| json!({ "statement": "S", "source": "RESEARCH", "point": "p", "rank": rank });
    let keyed = |key: &str, mut row: Value| {
        row["key"] = json!(key);
        row
    };
    all_are_refused(vec![
        (
            with(json!({ "interactionPoints": [{ "key": "p", "name": "P", "kind": "BAR" }] })),
            "INVALID",
            &["document", "interactionPoints", "0", "kind"],
        ),
        (
            with(json!({ "interactionPoints": [{ "key": "p", "name": "P", "mediums": [{ "key": "x" }] }] })),
            "NOT_FOUND",
            &["document", "interactionPoints", "0", "mediums", "0", "key"],
        ),
        (
            with(
                json!({ "mediums": [medium(&json!({}))], "interactionPoints": [{ "key": "p", "name": "P", "mediums": [{ "key": "m" }, { "key": "m" }] }] }),
            ),
            "INVALID",
            &["document", "interactionPoints", "0", "mediums", "1"],
        ),
        (
            with(
                json!({ "influencers": [{ "key": "i", "name": "I" }], "interactionPoints": [{ "key": "p", "name": "P", "influencers": [{ "key": "i", "strength": 6 }] }] }),
            ),
            "OUT_OF_RANGE",
            &["document", "interactionPoints", "0", "influencers", "0", "strength"],
        ),
        (
            with(
                json!({ "influencers": [{ "key": "i", "name": "I" }], "interactionPoints": [{ "key": "p", "name": "P", "influencers": [{ "key": "i" }] }] }),
            ),
            "REQUIRED",
            &["document", "interactionPoints", "0", "influencers", "0", "strength"],
        ),
        (
            with(json!({ "interactionPoints": [{ "key": "p", "name": "P" }], "expectations": [keyed("a", wish(6))] })),
            "OUT_OF_RANGE",
            &["document", "expectations", "0", "rank"],
        ),
        (
            with(
                json!({ "interactionPoints": [{ "key": "p", "name": "P" }], "expectations": [keyed("a", wish(1)), keyed("b", wish(1))] }),
            ),
            "INVALID",
            &["document", "expectations", "1", "rank"],
        ),
        (
            with(json!({ "expectations": [{ "key": "a", "statement": "S", "source": "RESEARCH" }] })),
            "REQUIRED",
            &["document", "expectations", "0", "point"],
        ),
        (
            with(base(json!([step(json!({ "stage": "g" }))]), json!([]))),
            "INVALID",
            &["document", "steps", "0", "stage"],
        ),
        (
            with(base(json!([step(json!({ "journey": null }))]), json!([]))),
            "REQUIRED",
            &["document", "steps", "0", "journey"],
        ),
        (
            with(base(three, json!([tie("1", "s", "t"), tie("2", "t", "u"), tie("3", "u", "s")]))),
            "CYCLE",
            &["document", "stepLinks", "2", "to"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_document_of_too_many_rows_is_refused() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let rows: Vec<Value> = (0..10_001).map(|place| json!({ "key": place.to_string(), "name": "I" })).collect();
    let document = with(json!({ "influencers": rows }));
    let payload = caller.mutate("mapImport", json!({ "document": document }), TOLD).await;
    assert_eq!(payload["errors"], json!([{ "code": "TOO_LONG", "path": ["document"] }]));
}

#[tokio::test]
async fn the_key_of_another_organizations_row_is_any_new_key() {
    let app = App::start().await;
    let (one, two) = (app.admin("one").await, app.admin("two").await);
    let theirs = one.mutate("mediumCreate", json!({ "name": "Theirs" }), "node { id }").await["node"]["id"].take();
    let before = app.dump(one.organization()).await;
    let document = with(json!({ "mediums": [{ "key": theirs, "name": "Mine" }] }));
    let payload = two.mutate("mapImport", json!({ "document": document }), TOLD).await;
    let created = json!([{ "type": "Medium", "created": 1, "updated": 0, "unchanged": 0 }]);
    assert_eq!((&payload["errors"], &payload["importCounts"]), (&json!([]), &created));
    assert_eq!(app.dump(one.organization()).await, before);
}

#[tokio::test]
async fn export_needs_the_scope_to_read_the_map_and_import_that_to_write_it_too() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let reply = caller.with([Permission::MapWrite]).run("{ mapExport { format } }", json!({})).await;
    assert_eq!(codes(&reply.body), ["FORBIDDEN"]);
    for permission in [Permission::MapRead, Permission::MapWrite] {
        let document = "mutation($input: MapImportInput!) { mapImport(input: $input) { outcome } }";
        let input = json!({ "input": { "document": with(json!({})) } });
        let reply = caller.with([permission]).run(document, input).await;
        assert_eq!(codes(&reply.body), ["FORBIDDEN"]);
    }
}
