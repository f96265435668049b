//! The erasure of somebody with many rows: hidden at once, emptied in steps, whoever reads or crashes in between.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use entity::personal;
use rapport::store::{STEP, operation::jobs::StepResult};
use serde_json::{Value, json};

use crate::{
    app::{App, Caller, now},
    residue::residue,
};

const WORDS: &str = "CanaryOfTheWords";
const ATTRIBUTE: &str = "CanaryOfTheAttribute";
const REASON: &str = "CanaryOfTheReason";
const KEY: &str = "CanaryOfTheKey";

fn crm(who: &str) -> Value {
    json!({ "system": "crm", "id": who })
}

fn desk(number: usize) -> Value {
    json!({ "system": "desk", "id": format!("{KEY}-{number}-") })
}

/// A person with so many records, made by so many calls with idempotency keys, one of which was sent elsewhere.
async fn settle(caller: &Caller<'_>, who: &str, records: usize, calls: usize) -> String {
    let made = caller.mutate("customerUpsert", json!({ "externalId": crm(who), "name": who }), "node { id }").await;
    let numbers: Vec<usize> = (0..records).collect();
    for (call, numbers) in numbers.chunks(records.div_ceil(calls)).enumerate() {
        let rows: Vec<Value> = numbers
            .iter()
            .map(|number| {
                json!({ "externalId": desk(*number), "kind": "COMPLAINT", "nps": 3, "body": format!("{WORDS} {number}"),
                    "customerRef": { "externalId": crm(who) }, "attributes": [{ "name": "who", "value": ATTRIBUTE }] })
            })
            .collect();
        let input = json!({ "rows": rows, "idempotencyKey": format!("{who} {call}") });
        let done = caller.mutate("feedbackRecordsBulkUpsert", input, "errors { code }").await;
        assert_eq!(done["errors"], json!([]));
    }
    let data =
        caller.ask("{ organization { fallbackDepartment { id } } feedbackRecords(first: 1) { nodes { id } } }").await;
    let input = json!({ "by": { "id": data["feedbackRecords"]["nodes"][0]["id"] }, "reason": REASON,
        "departmentRef": { "id": data["organization"]["fallbackDepartment"]["id"] } });
    assert_eq!(caller.mutate("feedbackRecordReroute", input, "errors { code }").await["errors"], json!([]));
    made["node"]["id"].as_str().unwrap().to_owned()
}

async fn erase(caller: &Caller<'_>, id: &str) -> Value {
    let selection = "outcome node { name externalIds { id } erasedAt erasure { rowCount doneAt } }";
    caller.mutate("customerErase", json!({ "by": { "id": id } }), selection).await
}

/// The one job there is.
async fn job(app: &App) -> uuid::Uuid {
    let jobs = app.store.jobs(DateTime::<Utc>::MAX_UTC).await.unwrap();
    assert_eq!(jobs.len(), 1);
    jobs[0].1
}

/// Takes all steps there are, and answers how many and how many statements each took.
async fn finish(app: &App, caller: &Caller<'_>) -> Vec<u64> {
    let (job, mut costs) = (job(app).await, Vec::new());
    loop {
        let before = app.store.statements();
        let stepped = app.store.step(caller.organization(), job, now()).await.unwrap();
        costs.push(app.store.statements() - before);
        if stepped == StepResult::Done {
            return costs;
        }
        assert_eq!(stepped, StepResult::On);
    }
}

/// What callers see of the erased, in every way to ask.
async fn seen(caller: &Caller<'_>) -> Value {
    let mut seen = caller
        .data(
            "query($words: TextFilter!, $item: AttributeInput!, $desk: ExternalIdInput!) {
        customers(first: 5) { nodes { name email erasedAt externalIds { id } } }
        feedbackRecords(first: 1000) { totalCount nodes { body kind nps attributes { value } externalIds { id }
            routings { nodes { reason } } } }
        words: feedbackRecords(filter: { body: $words }) { totalCount }
        without: feedbackRecords(filter: { body: { isNull: true } }) { totalCount }
        not: feedbackRecords(filter: { not: { body: $words } }) { totalCount }
        below: customers(filter: { feedbackRecords: { some: { body: $words } } }) { totalCount }
        item: feedbackRecords(filter: { attributes: { hasAny: [$item] } }) { totalCount }
        one: feedbackRecord(by: { externalId: $desk }) { id }
        keys: feedbackRecords(filter: { externalIds: { some: { system: { eq: \"desk\" } } } }) { totalCount }
        keyless: feedbackRecords(filter: { externalIds: { none: {} } }) { totalCount }
        groups: feedbackRecordGroups(groupBy: [KIND], filter: { body: $words }) { recordCount }
        named: feedbackRecordGroups(attributes: [\"who\"]) { groupCount nodes { count attributes { value } } }
        names: feedbackRecordAttributeNames { distinctCount nodes { name count } }
        values: feedbackRecordAttributeValues(name: \"who\") { distinctCount nodes { value count } }
    }",
            json!({ "words": { "contains": WORDS }, "item": { "name": "who", "value": ATTRIBUTE }, "desk": desk(3) }),
        )
        .await;
    let query = "query($by: CustomerRef!) { customerExport(by: $by) { rowCount document } }";
    let id = caller.ask("{ customers(first: 1) { nodes { id } } }").await["customers"]["nodes"][0]["id"].take();
    let export = caller.data(query, json!({ "by": { "id": id } })).await["customerExport"].take();
    assert!(!export["document"].as_str().unwrap().contains("Canary"), "{export:#}");
    seen["exported"] = export["rowCount"].clone();
    seen
}

/// What comes of trying to bring the erased back.
async fn tried(caller: &Caller<'_>, id: &str) -> Vec<(String, String)> {
    let data = caller.ask("{ feedbackRecords(last: 1) { nodes { id } } }").await;
    let record = &data["feedbackRecords"]["nodes"][0]["id"];
    let mut tried = Vec::new();
    for (field, input) in [
        ("customerUpsert", json!({ "externalId": crm("one"), "name": "Back" })),
        ("customerUpdate", json!({ "by": { "id": id }, "segment": "Back" })),
        ("feedbackRecordUpsert", json!({ "externalId": desk(7), "kind": "PRAISE" })),
        ("feedbackRecordCreate", json!({ "externalIds": [desk(8)], "kind": "PRAISE" })),
        ("feedbackRecordUpdate", json!({ "by": { "id": record }, "body": "Back" })),
        ("feedbackRecordUpdate", json!({ "by": { "id": record }, "customerRef": null })),
        ("feedbackRecordUpdate", json!({ "by": { "id": record }, "externalIds": [{ "system": "new", "id": "Back" }] })),
        ("feedbackRecordCreate", json!({ "kind": "PRAISE", "customerRef": { "id": id } })),
    ] {
        let done = caller.mutate(field, input, "errors { code path }").await;
        let told = |name: &str| match &done["errors"][0][name] {
            Value::Array(path) => path[0].as_str().unwrap().to_owned(),
            told => told.as_str().unwrap_or_default().to_owned(),
        };
        tried.push((told("code"), told("path")));
    }
    tried
}

#[tokio::test]
async fn whoever_asks_between_two_steps_sees_somebody_erased() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let id = settle(&caller, "one", 2 * STEP + 50, 3).await;
    let other = app.admin("two").await;
    settle(&other, "two", 3, 1).await;
    let theirs = "{ feedbackRecords { nodes { body attributes { value } externalIds { id } } } }";
    let untouched = other.ask(theirs).await;

    let done = erase(&caller, &id).await;
    assert_eq!(done["outcome"], "UPDATED");
    let node = json!({ "name": null, "externalIds": [], "erasedAt": "2026-11-22T12:00:00Z",
        "erasure": { "rowCount": 1, "doneAt": null } });
    assert_eq!(done["node"], node);
    assert_eq!(erase(&caller, &id).await["outcome"], "UNCHANGED", "while it goes on");
    let (first, refused) = (seen(&caller).await, tried(&caller, &id).await);
    assert_eq!(
        (&first["words"]["totalCount"], &first["item"]["totalCount"], &first["below"]["totalCount"], &first["one"]),
        (&json!(0), &json!(0), &json!(0), &Value::Null)
    );
    let all = json!(2 * STEP + 50);
    assert_eq!((&first["without"]["totalCount"], &first["not"]["totalCount"]), (&all, &all));
    assert!(!first.to_string().contains("Canary"), "{first:#}");
    assert!(refused.iter().all(|(code, _)| code == "ERASED"), "{refused:?}");
    // A fact may be said, and the answer shows no more than others do.
    let last = caller.ask("{ feedbackRecords(last: 1) { nodes { id } } }").await["feedbackRecords"]["nodes"][0].take();
    let input = json!({ "by": { "id": last["id"] }, "csat": 2 });
    let said = caller.mutate("feedbackRecordUpdate", input, "outcome node { body attributes { value } }").await;
    assert_eq!(said, json!({ "outcome": "UPDATED", "node": { "body": null, "attributes": [] } }));

    let job = job(&app).await;
    loop {
        let stepped = app.store.step(caller.organization(), job, now()).await.unwrap();
        assert_eq!(seen(&caller).await, first, "nothing is to be seen of the steps");
        assert_eq!(tried(&caller, &id).await, refused);
        if stepped == StepResult::Done {
            break;
        }
    }
    let told = caller.ask("{ customers(first: 1) { nodes { erasure { rowCount doneAt } } } }").await;
    // The person, every record and every routing.
    let rows = 1 + (2 * STEP + 50) * 2 + 1;
    let extent = json!({ "rowCount": rows, "doneAt": "2026-11-22T12:00:00Z" });
    assert_eq!(told["customers"]["nodes"][0]["erasure"], extent);
    assert_eq!(other.ask(theirs).await, untouched);
}

#[tokio::test]
async fn an_erasure_that_a_crash_cut_short_is_finished_by_another_server() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let id = settle(&caller, "one", 3 * STEP, 2).await;
    let counted = "{ feedbackRecordGroups(groupBy: [KIND]) { recordCount nodes { count meanNps { mean n } } } }";
    let before = caller.ask(counted).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger");
    let store = app.store.clone().with_erasure_ledger(Some(file.clone()));
    erase(&caller, &id).await;
    let begun = job(&app).await;
    for _ in 0..2 {
        assert_eq!(store.step(caller.organization(), begun, now()).await.unwrap(), StepResult::On);
    }
    // The server is gone, and with it all that it knew.
    let other = App::on(app.database.clone()).await;
    assert_eq!(
        other.store.jobs(now()).await.unwrap(),
        [],
        "a job is left alone while another server may be at work on it"
    );
    let jobs = other.store.jobs(now() + TimeDelta::minutes(1)).await.unwrap();
    assert_eq!(jobs, [(caller.organization(), begun)]);
    assert_eq!(other.store.step(caller.organization(), begun, now()).await.unwrap(), StepResult::On);
    // The first server was only slow: its step was taken, and it goes on with the next.
    assert_eq!(store.step(caller.organization(), begun, now()).await.unwrap(), StepResult::On);
    finish(&other, &caller).await;
    assert_eq!(store.step(caller.organization(), begun, now()).await.unwrap(), StepResult::Done);

    assert_eq!(caller.ask(counted).await, before, "what is counted stays");
    let erased = "SELECT noun, CAST(COUNT(*) AS TEXT), CAST(COUNT(DISTINCT row_id) AS TEXT) FROM event \
                  WHERE operation = 'ERASED' AND subject = 'tester' GROUP BY noun ORDER BY noun";
    let erased: Vec<Vec<Option<String>>> = app.database.look(erased.to_owned()).await;
    let row = |noun: &str, count: usize| vec![Some(noun.to_owned()), Some(count.to_string()), Some(count.to_string())];
    assert_eq!(erased, [row("Customer", 1), row("FeedbackRecord", 3 * STEP), row("Routing", 3 * STEP + 1)]);
    if app.database.is_sqlite() {
        let texts = [WORDS, ATTRIBUTE, REASON, KEY].map(str::to_owned);
        assert_eq!(residue(&app.database, &texts).await, BTreeSet::new(), "done means gone from the files");
    }
    // What the second server did without the ledger, the first one adds.
    store.complete_ledger(None).await.unwrap();
    assert_eq!(store.complete_ledger(None).await.unwrap(), 0);
    let told = rapport::store::erasure::ledger::read(&file, false).unwrap();
    assert_eq!(told.len(), 1 + 3 + 4, "the beginning, parts of records and parts of routings");
}

#[tokio::test]
async fn what_an_erasure_costs_grows_with_its_rows_alone() {
    let mut costs = Vec::new();
    for (records, calls) in [(2 * STEP, 1), (4 * STEP, 1), (4 * STEP, 20)] {
        let app = App::start().await;
        let caller = app.admin("one").await;
        let id = settle(&caller, "one", records, calls).await;
        let others = json!({ "name": "Other", "idempotencyKey": "other" });
        caller.mutate("customerCreate", others, "outcome").await;
        erase(&caller, &id).await;
        let steps = finish(&app, &caller).await;
        let most = *steps.iter().max().unwrap();
        assert!(most <= 40, "a step has a fixed number of statements, whatever there is: {steps:?}");
        costs.push((steps.len(), steps.iter().sum::<u64>()));
        // Calls about the erased are found by the rows they name, and no other is touched.
        let keys = "SELECT CAST(COUNT(*) AS TEXT) FROM idempotency WHERE fingerprint = 'erased'";
        assert_eq!(app.database.look(keys.to_owned()).await[0][0], Some(calls.to_string()));
    }
    let (steps, statements) = costs[0];
    let parts = "two more steps of records, and of their routings, testimonials and follow-ups";
    assert_eq!(costs[1].0 - steps, 8, "{parts}");
    assert!(costs[1].1 < 2 * statements + 40, "{costs:?}");
    assert_eq!(costs[1], costs[2], "how many calls are remembered makes no difference");
}

#[test]
fn no_list_is_ordered_by_what_is_hidden_in_it() {
    for noun in personal::about_a_person().iter().filter(|noun| noun.table != personal::PERSON.table) {
        for field in noun.all_fields().filter(|field| field.is_erasable()) {
            assert!(!field.is_orderable, "{}.{}: its place in a list would tell what is hidden", noun.name, field.name);
        }
    }
}

#[tokio::test]
async fn the_rows_about_a_person_are_found_by_an_index_however_many_there_are() {
    let app = App::start().await;
    for reach in personal::subject_paths() {
        let (table, column) = (reach.noun.table, reach.column);
        let wanted = format!("organization_id, {column}, id");
        let indexes = if app.database.is_sqlite() {
            format!("SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = '{table}' AND sql IS NOT NULL")
        } else {
            format!("SELECT indexdef FROM pg_indexes WHERE tablename = '{table}'")
        };
        let indexes = app.database.look(indexes).await;
        assert!(
            indexes.iter().any(|row| row[0].as_ref().is_some_and(|sql| sql.contains(&wanted))),
            "{table} has no index of ({wanted})"
        );
    }
}
