//! What is kept of merged customers belongs to what their export holds.

use std::collections::BTreeSet;

use rapport::store::STEP;
use serde_json::{Value, json};

use super::{customer, merge, steps::busy};
use crate::{
    app::{App, Caller, now},
    record::{TOLD, by_id, made},
    recovery::printed,
};

const EXPORT: &str = "query($by: CustomerRef!, $first: Int, $after: String) {
    customerExport(by: $by, first: $first, after: $after) { document rowCount hasNextPage endCursor } }";

/// All rows of an export, read in pages of this size.
async fn exported(caller: &Caller<'_>, id: &str, first: usize) -> Vec<(String, Value)> {
    let (mut rows, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = caller.data(EXPORT, json!({ "by": by_id(id), "first": first, "after": after })).await;
        let page = &page["customerExport"];
        let document: Value = serde_json::from_str(page["document"].as_str().unwrap()).unwrap();
        let held = document["held"].as_object().unwrap();
        let on_page: Vec<(String, Value)> = held
            .iter()
            .flat_map(|(name, rows)| rows.as_array().unwrap().iter().map(|row| (name.clone(), row.clone())))
            .collect();
        assert_eq!(page["rowCount"], on_page.len());
        assert!(on_page.len() <= first);
        rows.extend(on_page);
        assert_eq!(page["hasNextPage"], !page["endCursor"].is_null());
        if page["hasNextPage"] == false {
            return rows;
        }
        after = page["endCursor"].clone();
    }
}

fn of<'a>(rows: &'a [(String, Value)], name: &str) -> Vec<&'a Value> {
    rows.iter().filter(|(known, _)| known == name).map(|(_, row)| row).collect()
}

#[tokio::test]
async fn the_export_of_the_winner_holds_what_is_kept_of_the_losers() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let winner = customer(&caller, "Ann", json!({ "tags": ["a"] })).await;
    let more = json!({ "name": "Anna Secret", "email": "secret@example.org", "phone": "+49 1", "tags": ["b"] });
    let loser = customer(&caller, "Anna", more).await;
    let first = customer(&caller, "Earlier", json!({ "name": "Earlier Secret" })).await;
    let record = made(&caller, "feedbackRecordCreate", json!({ "kind": "PRAISE", "customerRef": by_id(&loser) })).await;
    let none = exported(&caller, &winner, 1_000).await;
    assert!(of(&none, "RowMerge").is_empty() && of(&none, "RowMergeMove").is_empty());
    merge(&caller, "customer", &loser, &first).await;
    merge(&caller, "customer", &winner, &loser).await;

    let all = exported(&caller, &loser, 1_000).await;
    let merges = of(&all, "RowMerge");
    let losers: Vec<&Value> = merges.iter().map(|merge| &merge["loser"]).collect();
    assert_eq!(losers, [&json!(first), &json!(loser)]);
    let (earlier, last) = (merges[0], merges[1]);
    assert_eq!(earlier["row"]["name"], "Earlier Secret");
    assert_eq!((&last["winner"], &last["mergedAt"]), (&json!(winner), &json!("2026-11-22T12:00:00Z")));
    let values = ["id", "name", "email", "phone"].map(|field| last["row"][field].as_str().unwrap());
    assert_eq!(values, [loser.as_str(), "Anna Secret", "secret@example.org", "+49 1"]);
    assert_eq!(last["row"]["tags"], json!(["b"]));
    let keys = json!([{ "system": "crm", "id": "Anna" }, { "system": "crm", "id": "Earlier" }]);
    assert_eq!(last["row"]["externalIds"], keys);
    assert_eq!(last["events"][0]["operation"], "CREATED");
    assert_eq!(last["winnerChanges"]["phone"], json!({ "before": null, "after": "+49 1" }));
    assert_eq!(last["winnerChanges"]["tags"], json!({ "before": ["a"], "after": ["a", "b"] }));
    let moved = json!({ "loser": loser, "type": "FeedbackRecord", "relation": "customer", "row": record });
    assert!(of(&all, "RowMergeMove").contains(&&moved), "{all:#?}");

    // The command line writes the same rows.
    let folder = tempfile::tempdir().unwrap();
    let command = ["customer", "export", "--organization", "one", "--database-url", &app.database.url, "--id", &loser];
    let lines: Vec<Value> =
        printed(folder.path(), &command).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let rows = lines[1..lines.len() - 1].iter();
    let rows: Vec<(String, Value)> =
        rows.map(|line| (line["type"].as_str().unwrap().to_owned(), line["row"].clone())).collect();
    let sorted = |rows: &[(String, Value)]| {
        let mut rows: Vec<String> = rows.iter().map(|(name, row)| format!("{name} {row}")).collect();
        rows.sort();
        rows
    };
    assert_eq!(sorted(&rows), sorted(&all));
    assert_eq!(lines[lines.len() - 1]["rows"]["RowMerge"], 2);

    // An undone merge leaves nothing, and an erasure takes it away.
    caller.mutate("customerUnmerge", json!({ "loser": by_id(&loser) }), TOLD).await;
    assert!(of(&exported(&caller, &winner, 1_000).await, "RowMerge").is_empty());
    assert_eq!(of(&exported(&caller, &loser, 1_000).await, "RowMerge").len(), 1);
    caller.mutate("customerErase", json!({ "by": by_id(&loser) }), TOLD).await;
    let erased = exported(&caller, &loser, 1_000).await;
    assert!(!json!(erased).to_string().contains("Secret"), "{erased:#?}");
}

#[tokio::test]
async fn an_export_of_many_moved_rows_is_read_in_pages_that_miss_and_repeat_none() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let winner = customer(&caller, "Ann", json!({})).await;
    let losers = [busy(&caller, "Anna", STEP + 30).await, busy(&caller, "Anne", 3).await];
    for loser in &losers {
        made(&caller, "referralCreate", json!({ "referrerRef": by_id(loser) })).await;
        merge(&caller, "customer", &winner, loser).await;
        app.store.finish_jobs(now()).await.unwrap();
    }
    // A phone number and a referral move with the records of each.
    let expected = STEP + 30 + 3 + 2 * 2;
    for first in [7, 26, 1_000] {
        let rows = exported(&caller, &winner, first).await;
        let moves: BTreeSet<String> = of(&rows, "RowMergeMove").into_iter().map(Value::to_string).collect();
        assert_eq!((moves.len(), of(&rows, "RowMergeMove").len()), (expected, expected), "{first} a page");
        assert_eq!(of(&rows, "RowMerge").len(), 2);
        let records: BTreeSet<String> = of(&rows, "FeedbackRecord").into_iter().map(Value::to_string).collect();
        assert_eq!(records.len(), STEP + 33);
    }
    for cursor in ["[\"RowMerge/Nothing.customer\",[]]", "[\"RowMergeX\",[]]", "[\"RowMerge\",[1]]"] {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        let variables = json!({ "by": by_id(&winner), "after": URL_SAFE_NO_PAD.encode(cursor) });
        let refused = caller.run(EXPORT, variables).await.body;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{cursor}: {refused}");
    }
}

#[tokio::test]
async fn while_a_merge_is_undone_the_values_of_the_loser_are_in_the_losers_export_only() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (winner, loser) = (customer(&caller, "Ann", json!({})).await, busy(&caller, "Anna", STEP + 30).await);
    merge(&caller, "customer", &winner, &loser).await;
    app.store.finish_jobs(now()).await.unwrap();
    caller.mutate("customerUnmerge", json!({ "loser": by_id(&loser) }), TOLD).await;
    let row = async |id: &str| {
        let rows = exported(&caller, id, 1_000).await;
        of(&rows, "RowMerge").first().map(|merge| merge["row"]["name"].clone())
    };
    assert_eq!((row(&winner).await, row(&loser).await), (Some(Value::Null), Some(json!("Anna"))));
}
