//! Texts about persons: who may find them, and that an erasure takes them out of the index, with their bytes.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use entity::Permission;
use rapport::store::STEP;
use serde_json::{Value, json};

use super::{count, found, make, page};
use crate::{
    app::{App, Caller, now},
    outline::codes,
    residue::residue,
};

async fn customer(caller: &Caller<'_>, name: &str) -> String {
    let key = json!([{ "system": "crm", "id": format!("{name}77") }]);
    make(
        caller,
        "customerCreate",
        json!({ "name": format!("{name} Person"), "email": format!("{name}@example.org"), "externalIds": key }),
    )
    .await
}

async fn records(caller: &Caller<'_>, customer: &str, number: usize, word: &str) {
    let row = |row: usize| {
        json!({ "externalId": { "system": "desk", "id": format!("{word}Key-{row}") }, "kind": "COMPLAINT",
            "body": format!("{word} said row{row}"), "customerRef": { "id": customer } })
    };
    let rows: Vec<Value> = (0..number).map(row).collect();
    let done = caller.mutate("feedbackRecordsBulkUpsert", json!({ "rows": rows }), "errors { code }").await;
    assert_eq!(done["errors"], json!([]));
}

#[tokio::test]
async fn personal_texts_are_matched_only_for_those_who_may_read_them() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let customer = customer(&caller, "Zebulon").await;
    records(&caller, &customer, 1, "Quagmire").await;
    let unit = json!({ "product": "Kettle", "serial": "Serial99", "customerRef": { "id": customer } });
    make(&caller, "unitCreate", unit).await;
    let texts = ["zebulon", "zebulon77", "quagmire", "quag*", "\"quagmire said\"", "serial99", "zebulon@example.org"];
    for text in texts {
        assert!(count(&caller, text).await > 0, "{text}");
    }
    let reader = caller.with([Permission::MapRead, Permission::RecordRead]);
    for text in texts {
        assert_eq!(count(&reader, text).await, 0, "{text}");
    }
    assert_eq!(found(&reader, "kettle").await, ["Unit.product: [Kettle]"]);
    // External ids of rows about a person may be known to those who write such rows.
    let writer = caller.with([Permission::RecordRead, Permission::RecordWrite]);
    assert_eq!(found(&writer, "quagmirekey").await, ["FeedbackRecord.externalIds: [QuagmireKey]-0"]);
    assert_eq!(count(&writer, "quagmire").await, 0);
    let filter = "{ feedbackRecords(filter: { body: { matches: \"quagmire\" } }) { totalCount } }";
    assert_eq!(caller.ask(filter).await["feedbackRecords"]["totalCount"], 1);
    assert_eq!(codes(&reader.run(filter, json!({})).await.body), ["FORBIDDEN"]);
}

#[tokio::test]
async fn an_erasure_hides_at_once_and_leaves_no_word_in_the_index_or_the_files() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (one, two) = (customer(&caller, "Zebulon").await, customer(&caller, "Other").await);
    records(&caller, &one, 2 * STEP + 50, "Quagmire").await;
    records(&caller, &two, 3, "Stayer").await;
    assert_eq!(count(&caller, "quag*").await, 2 * STEP + 50);
    let texts: Vec<String> =
        ["Zebulon", "Quagmire", "QuagmireKey", "Zebulon77"].into_iter().map(str::to_owned).collect();
    assert!(residue(&app.database, &texts).await.contains("quagmire"));
    let done = caller.mutate("customerErase", json!({ "by": { "id": one } }), "outcome").await;
    assert_eq!(done["outcome"], "UPDATED");
    let asked = ["quagmire", "quag*", "\"quagmire said\"", "quagmirekey", "zebulon", "zebulon77", "row7"];
    // Not even the position of the page tells how many rows had the words.
    let nothing = json!({ "hasNextPage": false, "hasPreviousPage": false, "startCursor": null, "endCursor": null });
    for text in asked {
        let hidden = page(&caller, json!({ "text": text, "first": 5 })).await;
        assert_eq!((&hidden["nodes"], &hidden["pageInfo"]), (&json!([]), &nothing), "{text} before the steps");
    }
    let filter = "{ feedbackRecords(filter: { body: { matches: \"quag* said\" } }) { totalCount }
        customers(filter: { feedbackRecords: { some: { body: { matches: \"quagmire\" } } } }) { totalCount } }";
    let none = json!({ "feedbackRecords": { "totalCount": 0 }, "customers": { "totalCount": 0 } });
    assert_eq!(caller.ask(filter).await, none);
    // A change of a hidden row stores it as it is seen; the step takes the words all the same.
    let rows =
        caller.ask("{ feedbackRecords(first: 1, orderBy: { field: ID, direction: ASC }) { nodes { id } } }").await;
    let by = json!({ "id": rows["feedbackRecords"]["nodes"][0]["id"] });
    caller.mutate("feedbackRecordUpdate", json!({ "by": by, "nps": 4 }), "outcome").await;
    app.store.finish_jobs(now()).await.unwrap();
    for text in asked {
        assert_eq!(count(&caller, text).await, 0, "{text} after the steps");
    }
    assert_eq!(count(&caller, "stayer").await, 3);
    let left = "SELECT COUNT(*) || '' FROM search_entry WHERE tokens LIKE '%quagmire%' OR tokens LIKE '%zebulon%'";
    assert_eq!(app.database.look(left.to_owned()).await, [[Some("0".to_owned())]]);
    if !app.database.is_sqlite() {
        app.store.scrub(|_| {}).await.unwrap();
    }
    assert_eq!(residue(&app.database, &texts).await, BTreeSet::new());
    assert!(!residue(&app.database, &["Stayer".to_owned()]).await.is_empty());
}

#[tokio::test]
async fn a_deleted_organization_leaves_no_word() {
    let app = App::start().await;
    let (caller, other) = (app.admin("one").await, app.admin("two").await);
    for of in [&caller, &other] {
        let customer = customer(of, "Zebulon").await;
        records(
            of,
            &customer,
            STEP + 20,
            if of.organization() == caller.organization() { "Quagmire" } else { "Stayer" },
        )
        .await;
    }
    caller.mutate("organizationDelete", json!({ "slug": "one" }), "outcome").await;
    for (organization, job) in app.store.jobs(DateTime::<Utc>::MAX_UTC).await.unwrap() {
        while app.store.step(organization, job, now()).await.unwrap() == rapport::store::operation::jobs::StepResult::On
        {
        }
    }
    assert_eq!(count(&other, "stayer").await, STEP + 20);
    if app.database.is_sqlite() {
        assert_eq!(residue(&app.database, &["Quagmire".to_owned()]).await, BTreeSet::new());
    }
}
