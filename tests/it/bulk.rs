//! Many rows in one call: all of them or those that are right, with an outcome for each.

use serde_json::{Value, json};

use crate::{
    app::{App, Caller},
    writes::codes,
};

const PAYLOAD: &str = "isReplayed errors { code path }
    results { index outcome errors { code path } node { name contact version } }";

fn row(id: &str, name: &str) -> Value {
    json!({ "externalId": { "system": "crm", "id": id }, "name": name })
}

async fn bulk(caller: &Caller<'_>, rows: &[Value], policy: &str, mode: &str) -> Value {
    let input = json!({ "rows": rows, "policy": policy, "mode": mode });
    caller.mutate("departmentsBulkUpsert", input, PAYLOAD).await
}

fn outcomes(payload: &Value) -> Vec<String> {
    let results = payload["results"].as_array().unwrap();
    let outcome = |result: &Value| format!("{} {}", result["outcome"].as_str().unwrap(), codes(result).join(" "));
    results.iter().map(|result| outcome(result).trim_end().to_owned()).collect()
}

async fn names(caller: &Caller<'_>) -> Vec<Value> {
    let data = caller.ask("{ departments(orderBy: [{ field: NAME }]) { nodes { name } } }").await;
    data["departments"]["nodes"].as_array().unwrap().iter().map(|node| node["name"].clone()).collect()
}

#[tokio::test]
async fn every_row_has_its_own_outcome_in_the_order_of_the_call() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    bulk(&caller, &[row("1", "A"), row("2", "B")], "ALL_OR_NOTHING", "UPSERT").await;
    let rows = [
        row("3", "C"),
        row("1", "A"),
        row("4", ""),
        row("2", "Bb"),
        json!({ "externalId": row("5", "")["externalId"] }),
    ];
    let done = bulk(&caller, &rows, "SKIP_INVALID", "UPSERT").await;
    assert_eq!(outcomes(&done), ["CREATED", "UNCHANGED", "FAILED REQUIRED", "UPDATED", "FAILED REQUIRED"]);
    let results = done["results"].as_array().unwrap();
    let indexes: Vec<i64> = results.iter().map(|result| result["index"].as_i64().unwrap()).collect();
    assert_eq!(indexes, [0, 1, 2, 3, 4]);
    let versions: Vec<&Value> = results.iter().map(|result| &result["node"]["version"]).collect();
    assert_eq!(versions, [&json!(1), &json!(1), &Value::Null, &json!(2), &Value::Null]);
    assert_eq!(
        (&done["errors"], names(&caller).await),
        (&json!([]), vec!["A".into(), "Bb".into(), "C".into(), "Unassigned".into()])
    );
}

#[tokio::test]
async fn one_wrong_row_keeps_all_from_being_written() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    bulk(&caller, &[row("1", "A")], "ALL_OR_NOTHING", "UPSERT").await;
    let done = bulk(&caller, &[row("1", "Aa"), row("2", ""), row("3", "C")], "ALL_OR_NOTHING", "UPSERT").await;
    assert_eq!(outcomes(&done), ["FAILED", "FAILED REQUIRED", "FAILED"]);
    assert_eq!((codes(&done), &done["results"][0]["node"]["name"]), (vec!["INVALID"], &json!("A")));
    assert_eq!(names(&caller).await, ["A", "Unassigned"]);
    let default = json!({ "rows": [row("1", "Aa"), row("2", "")] });
    caller.mutate("departmentsBulkUpsert", default, PAYLOAD).await;
    assert_eq!(names(&caller).await, ["A", "Unassigned"]);
}

#[tokio::test]
async fn a_mode_holds_for_every_row() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    bulk(&caller, &[row("1", "A")], "ALL_OR_NOTHING", "UPSERT").await;
    let rows = [row("1", "Aa"), row("2", "B")];
    let done = bulk(&caller, &rows, "SKIP_INVALID", "CREATE_ONLY").await;
    assert_eq!(outcomes(&done), ["FAILED TAKEN", "CREATED"]);
    let rows = [row("1", "Aa"), row("3", "C"), row("1", "Ab")];
    let done = bulk(&caller, &rows, "SKIP_INVALID", "UPDATE_ONLY").await;
    assert_eq!(outcomes(&done), ["UPDATED", "FAILED NOT_FOUND", "FAILED TAKEN"]);
    assert_eq!(names(&caller).await, ["Aa", "B", "Unassigned"]);
}

#[tokio::test]
async fn a_stale_version_fails_its_row_alone() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    bulk(&caller, &[row("1", "A"), row("2", "B")], "ALL_OR_NOTHING", "UPSERT").await;
    let versioned = |id, name, version: i64| {
        let mut row = row(id, name);
        row["expectedVersion"] = version.into();
        row
    };
    let rows = [versioned("1", "Aa", 7), versioned("2", "Bb", 1)];
    let done = bulk(&caller, &rows, "SKIP_INVALID", "UPSERT").await;
    assert_eq!(outcomes(&done), ["FAILED CONFLICT", "UPDATED"]);
    assert_eq!(done["results"][0]["node"], json!({ "name": "A", "contact": null, "version": 1 }));
}

#[tokio::test]
async fn a_call_takes_1_to_1_000_rows() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let rows: Vec<Value> = (0..1_001).map(|index| row(&index.to_string(), "A")).collect();
    let none = bulk(&caller, &[], "ALL_OR_NOTHING", "UPSERT").await;
    assert_eq!((codes(&none), &none["results"]), (vec!["REQUIRED"], &json!([])));
    assert_eq!(codes(&bulk(&caller, &rows, "SKIP_INVALID", "UPSERT").await), ["TOO_LONG"]);
    assert_eq!(names(&caller).await.len(), 1);
    let done = bulk(&caller, &rows[..1_000], "ALL_OR_NOTHING", "UPSERT").await;
    assert!(outcomes(&done).iter().all(|outcome| outcome == "CREATED"));
    let again = bulk(&caller, &rows[..1_000], "ALL_OR_NOTHING", "UPSERT").await;
    assert!(outcomes(&again).iter().all(|outcome| outcome == "UNCHANGED"));
    let total = caller.ask("{ departments { totalCount } }").await["departments"]["totalCount"].take();
    assert_eq!(total, 1_001);
}

#[tokio::test]
async fn references_of_all_rows_are_resolved_and_a_wrong_one_fails_its_row() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    bulk(&caller, &[row("1", "A")], "ALL_OR_NOTHING", "UPSERT").await;
    let point = |id: &str, owner: &str| {
        let owner = json!({ "externalId": { "system": "crm", "id": owner } });
        json!({ "externalId": { "system": "crm", "id": id }, "name": id, "ownerRef": owner })
    };
    let rows = json!({ "rows": [point("p", "1"), point("q", "2"), point("r", "1")], "policy": "SKIP_INVALID" });
    let selection = "results { outcome errors { code path } node { owner { name } } }";
    let done = caller.mutate("interactionPointsBulkUpsert", rows, selection).await;
    assert_eq!(outcomes(&done), ["CREATED", "FAILED NOT_FOUND", "CREATED"]);
    assert_eq!(done["results"][1]["errors"][0]["path"], json!(["ownerRef"]));
    assert_eq!(done["results"][2]["node"]["owner"]["name"], "A");
}

#[tokio::test]
async fn errors_of_rows_stand_at_their_rows_whatever_is_selected() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let input = json!({ "rows": [row("1", "")] });
    let failed = caller.mutate("departmentsBulkUpsert", input, "__typename errors { code }").await;
    assert_eq!(failed, json!({ "__typename": "DepartmentBulkPayload", "errors": [{ "code": "INVALID" }] }));
}

#[tokio::test]
async fn rows_of_one_call_are_stored_as_each_would_be_alone() {
    let app = App::start().await;
    let (together, alone) = (app.admin("together").await, app.admin("alone").await);
    let texts = [
        "\"quoted\"",
        "back\\slash",
        "\\\"both\\\\\"",
        "{a,b}",
        "{}",
        "NULL",
        "null",
        ",",
        "it's",
        "new\nline",
        "\ttab",
        "naïve ς 名 🙂",
        "trailing\\",
        " spaces ",
        "\u{1}",
        "$1",
        "%s",
    ];
    let record = |place: usize, text: &str| {
        let scores = [json!(0.1), json!(-1), json!(1e-300), Value::Null];
        json!({
            "externalId": { "system": format!("crm {text}"), "id": format!("{place} {text}") },
            "kind": if place.is_multiple_of(2) { "COMPLAINT" } else { "PRAISE" },
            "body": text,
            "product": if place.is_multiple_of(3) { Value::Null } else { text.into() },
            "sentimentScore": scores[place % 4],
            "receivedAt": "2026-01-01T00:00:00Z",
            "tags": [text, "plain"],
            "attributes": [{ "name": "note", "value": text }],
        })
    };
    let records: Vec<Value> = texts.iter().enumerate().map(|(place, text)| record(place, text)).collect();
    let input = |rows: &[Value]| json!({ "rows": rows, "policy": "SKIP_INVALID" });
    let payload = "results { outcome errors { code path } }";
    let done = together.mutate("feedbackRecordsBulkUpsert", input(&records), payload).await;
    let each = done["results"].as_array().unwrap().iter().zip(&records);
    for (result, record) in each {
        let done = alone.mutate("feedbackRecordsBulkUpsert", input(std::slice::from_ref(record)), payload).await;
        assert_eq!(&done["results"][0], result, "{record}");
    }
    assert!(outcomes(&done).iter().filter(|outcome| *outcome == "CREATED").count() >= texts.len() / 2);
    let stored =
        "{ feedbackRecords(first: 100) { nodes { kind body product sentimentScore tags attributes { name value }
        externalIds { system id } } } }";
    assert_eq!(together.ask(stored).await, alone.ask(stored).await);
    let again = together.mutate("feedbackRecordsBulkUpsert", input(&records), payload).await;
    assert!(outcomes(&again).iter().all(|outcome| *outcome != "CREATED"));
    for text in ["\"quoted\"", "back\\slash"] {
        let found = "query($tag: String!) { feedbackRecords(filter: { tags: { hasAny: [$tag] } }) { totalCount } }";
        let total = together.data(found, json!({ "tag": text })).await["feedbackRecords"]["totalCount"].take();
        assert_eq!(total, 1, "{text}");
    }
}
