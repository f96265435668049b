//! What is kept counted answers as the records themselves do.

use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use crate::app::{App, Caller, now};

const GROUPS: &str = "query(
    $filter: FeedbackRecordFilter, $by: [FeedbackRecordGroupKey!]!, $bucket: BucketInput, $order: GroupOrder, $first: Int
) {
    groups: feedbackRecordGroups(filter: $filter, groupBy: $by, bucket: $bucket, orderBy: $order, first: $first) {
        recordCount groupCount
        nodes {
            count bucketStart bucketEnd point { id }
            meanNps { mean n } meanCsat { mean n } cesMeans { scale mean n } meanSentimentScore { mean n }
        }
    }
}";

/// A filter that finds everything, and that no count answers.
fn everything() -> Value {
    json!({ "version": { "gte": 1 } })
}

/// Every question that counts can answer.
fn questions() -> Vec<Value> {
    let mut found = Vec::new();
    for by in [json!([]), json!(["POINT"])] {
        for bucket in [
            json!(null),
            json!({ "unit": "WEEK" }),
            json!({ "unit": "WEEK", "timeZone": "Europe/Berlin" }),
            json!({ "unit": "WEEK", "weekStart": "SUNDAY" }),
        ] {
            for (order, first) in [("KEY", 1_000), ("COUNT", 1_000), ("COUNT", 2)] {
                found.push(json!({ "by": by, "bucket": bucket, "order": order, "first": first }));
            }
        }
    }
    found
}

async fn assert_the_same(caller: &Caller<'_>) {
    for mut question in questions() {
        let counted = caller.data(GROUPS, question.clone()).await;
        question["filter"] = everything();
        assert_eq!(counted, caller.data(GROUPS, question.clone()).await, "{question}");
    }
}

/// How many statements a question by week costs.
async fn cost(app: &App, caller: &Caller<'_>) -> u64 {
    let before = app.store.statements();
    let document = "{ feedbackRecordGroups(groupBy: [POINT], bucket: { unit: WEEK }) { nodes { count } } }";
    caller.data(document, json!({})).await;
    app.store.statements() - before
}

/// What counts answer costs one statement; otherwise that one is in vain, then come the zone, the range, and the records.
const COUNTED: u64 = 1;
const READ: u64 = 4;

async fn made(caller: &Caller<'_>, noun: &str, mut input: Value) -> String {
    if noun == "feedbackRecord" {
        input["kind"] = json!("SURVEY");
    }
    let done = caller.mutate(&format!("{noun}Create"), input, "node { id } errors { code path }").await;
    done["node"]["id"].as_str().unwrap_or_else(|| panic!("{done}")).to_owned()
}

async fn changed(caller: &Caller<'_>, name: &str, input: Value) {
    let done = caller.mutate(name, input, "errors { code path }").await;
    assert_eq!(done["errors"], json!([]), "{name}");
}

async fn count_weeks(app: &App) {
    app.run_jobs(now()).await;
}

/// A change of what is counted.
#[derive(Clone, Debug)]
enum Change {
    Create(Value),
    Update(usize, Value),
    Delete(usize),
    Move(Value),
    Count,
}

fn record() -> impl Strategy<Value = Value> {
    let point = prop::option::of(0..2_usize);
    let at = (0..40_i64).prop_map(|days| {
        (chrono::DateTime::UNIX_EPOCH + chrono::Duration::days(20_000) + chrono::Duration::hours(days * 7)).to_rfc3339()
    });
    let score = prop::option::of(-1.0..=1.0_f64);
    let scale = prop::sample::select(vec!["EASE_7", "EASE_5", "EFFORT_7", "EFFORT_5"]);
    (point, at, score, prop::option::of(0..=10), prop::option::of(1..=5), prop::option::of(1..=5), scale).prop_map(
        |(point, at, score, nps, csat, ces, scale)| {
            json!({ "point": point, "receivedAt": at, "sentimentScore": score, "nps": nps, "csat": csat, "ces": ces,
                "cesScale": scale })
        },
    )
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => record().prop_map(Change::Create),
        4 => (any::<usize>(), record()).prop_map(|(place, record)| Change::Update(place, record)),
        2 => any::<usize>().prop_map(Change::Delete),
        1 => prop::sample::select(vec!["MONDAY", "SUNDAY"]).prop_map(|day| Change::Move(json!({ "weekStart": day }))),
        1 => prop::sample::select(vec!["Europe/Berlin", "America/New_York"])
            .prop_map(|zone| Change::Move(json!({ "timeZone": zone }))),
        2 => Just(Change::Count),
    ]
}

async fn make_changes(changes: &[Change]) {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let points = [
        made(&caller, "interactionPoint", json!({ "name": "Desk" })).await,
        made(&caller, "interactionPoint", json!({ "name": "Shop" })).await,
    ];
    let input = |record: &Value| {
        let mut input = record.clone();
        let point = input.as_object_mut().unwrap().remove("point").unwrap();
        input["pointRef"] =
            point.as_u64().map_or(Value::Null, |place| json!({ "id": points[usize::try_from(place).unwrap()] }));
        input
    };
    let mut records: Vec<String> = Vec::new();
    for change in changes {
        match change {
            Change::Create(record) => records.push(made(&caller, "feedbackRecord", input(record)).await),
            Change::Update(place, record) if !records.is_empty() => {
                let mut input = input(record);
                input["by"] = json!({ "id": records[place % records.len()] });
                changed(&caller, "feedbackRecordUpdate", input).await;
            }
            Change::Delete(place) if !records.is_empty() => {
                let id = records.swap_remove(place % records.len());
                changed(&caller, "feedbackRecordDelete", json!({ "by": { "id": id } })).await;
            }
            Change::Move(input) => changed(&caller, "organizationUpdate", input.clone()).await,
            Change::Count => count_weeks(&app).await,
            Change::Update(..) | Change::Delete(_) => {}
        }
    }
    assert_the_same(&caller).await;
    count_weeks(&app).await;
    assert_eq!(cost(&app, &caller).await, COUNTED);
    assert_the_same(&caller).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_are_what_the_records_say_whatever_is_done() {
    let handle = Handle::current();
    tokio::task::spawn_blocking(move || {
        let config = Config { cases: 8, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..Config::default() };
        let run = TestRunner::new(config).run(&prop::collection::vec(change(), 1..30), |changes| {
            handle.block_on(make_changes(&changes));
            Ok(())
        });
        run.unwrap();
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn an_answer_that_only_changes_its_scale_is_counted_under_the_new_one() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let record = made(&caller, "feedbackRecord", json!({ "ces": 3 })).await;
    changed(&caller, "feedbackRecordUpdate", json!({ "by": { "id": record }, "cesScale": "EFFORT_5" })).await;
    assert_eq!(cost(&app, &caller).await, COUNTED);
    let counted = caller.data(GROUPS, json!({ "by": [] })).await;
    let means = &counted["groups"]["nodes"][0]["cesMeans"];
    assert_eq!(*means, json!([{ "scale": "EFFORT_5", "mean": 3.0, "n": 1 }]));
    assert_the_same(&caller).await;
}

#[tokio::test]
async fn a_thousand_records_of_one_call_are_counted() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let point = made(&caller, "interactionPoint", json!({ "name": "Desk" })).await;
    let mut rows: Vec<Value> = (0..1_000_i64)
        .map(|number| {
            let at = chrono::DateTime::UNIX_EPOCH + chrono::Duration::hours(480_000 + number * 5);
            json!({ "externalId": { "system": "test", "id": number.to_string() }, "kind": "SURVEY",
                "receivedAt": at.to_rfc3339(), "nps": number % 11, "pointRef": { "id": point } })
        })
        .collect();
    changed(&caller, "feedbackRecordsBulkUpsert", json!({ "rows": rows })).await;
    assert_eq!(cost(&app, &caller).await, COUNTED);
    assert_the_same(&caller).await;
    for row in &mut rows {
        row["nps"] = json!(null);
        row["csat"] = json!(5);
    }
    changed(&caller, "feedbackRecordsBulkUpsert", json!({ "rows": rows })).await;
    assert_the_same(&caller).await;
}

#[tokio::test]
async fn records_that_a_server_of_before_has_written_are_counted_later() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    made(&caller, "feedbackRecord", json!({ "nps": 3 })).await;
    assert_eq!(cost(&app, &caller).await, COUNTED);
    // It knows of no counts: it takes the sequence and leaves them as they are.
    app.database.force(vec!["UPDATE organization_sequence SET last = last + 1".to_owned()]).await;
    app.database.force(vec!["UPDATE feedback_week SET n = 9".to_owned()]).await;
    assert_eq!(cost(&app, &caller).await, READ);
    assert_the_same(&caller).await;
    made(&caller, "feedbackRecord", json!({ "nps": 4 })).await;
    assert_eq!(cost(&app, &caller).await, READ);
    count_weeks(&app).await;
    assert_eq!(cost(&app, &caller).await, COUNTED);
    assert_the_same(&caller).await;
}

#[tokio::test]
async fn what_is_written_while_weeks_are_being_counted_is_counted_once() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    // More than one transaction counts, and a page of one week that ends where the next begins.
    let rows = |from: i64, most: i64| -> Vec<Value> {
        let row = |number: i64| {
            let at = chrono::DateTime::UNIX_EPOCH + chrono::Duration::minutes(28_800_000 + number);
            json!({ "externalId": { "system": "test", "id": number.to_string() }, "kind": "SURVEY",
                "receivedAt": at.to_rfc3339(), "ces": number % 7 + 1 })
        };
        (from..from + most).map(row).collect()
    };
    for call in 0..22 {
        changed(&caller, "feedbackRecordsBulkUpsert", json!({ "rows": rows(call * 1_000, 1_000) })).await;
    }
    changed(&caller, "organizationUpdate", json!({ "weekStart": "SUNDAY" })).await;
    assert_eq!(cost(&app, &caller).await, READ);
    let writing = async {
        for call in 0..20 {
            // Before and behind where counting has come.
            changed(&caller, "feedbackRecordsBulkUpsert", json!({ "rows": rows(20_000 - call * 997, 3) })).await;
            made(&caller, "feedbackRecord", json!({ "receivedAt": "2024-10-04T00:00:00Z", "nps": 1 })).await;
        }
    };
    tokio::join!(writing, count_weeks(&app));
    count_weeks(&app).await;
    assert_eq!(cost(&app, &caller).await, COUNTED);
    assert_the_same(&caller).await;
}
