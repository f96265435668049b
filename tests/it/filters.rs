//! Filters find what they say: every comparison of every type, with nulls, nested, and through relations.

use std::{cmp::Ordering, collections::BTreeSet};

use proptest::{prelude::*, sample::select, test_runner};
use serde_json::{Map, Value, json};

use crate::app::{App, Caller};

const TEXTS: [&str; 12] =
    ["100%", "100 and", "100_", "a\\b", "Ärger", "ärger", "İstanbul", "ISTANBUL", "ΟΔΟΣ", "οδοσα", "Straße", "'; --"];
const NEEDLES: [&str; 16] =
    ["", "%", "_", "\\", "0_", "är", "Ä", "İ", "i\u{307}", "ist", "ΟΔΟΣ", "ς", "σ", "STRASS", "aße", "'"];
const NUMBERS: [f64; 6] = [-1.5, -0.0, 0.1, 2.0, 0.0001, 900_000_000_000.062_5];
const KINDS: [&str; 3] = ["WANT", "NEED", "BENEFIT"];

/// An expectation's values that are filtered here.
#[derive(Clone, Debug)]
struct Row(Map<String, Value>);

fn row() -> impl Strategy<Value = Row> {
    let nullable = |values: Vec<Value>| prop_oneof![2 => select(values), 1 => Just(Value::Null)];
    (
        nullable((1..=7).map(Value::from).collect()),
        nullable(NUMBERS.map(Value::from).to_vec()),
        nullable(TEXTS.map(Value::from).to_vec()),
        select(&TEXTS[..]),
        select(&KINDS[..]),
    )
        .prop_map(|(importance, value, metric, statement, kind)| {
            let row = json!({ "importance": importance, "targetValue": value, "targetMetric": metric,
                "statement": statement, "kind": kind });
            Row(row.as_object().unwrap().clone())
        })
}

/// A comparison of one field.
fn comparison() -> impl Strategy<Value = Value> {
    let of = |name: &'static str, operators: &'static [&'static str], values: Vec<Value>| {
        (select(operators), prop::collection::vec(select(values), 1..4)).prop_map(move |(operator, values)| {
            let value = if operator == "in" { json!(values) } else { values[0].clone() };
            json!({ name: { operator: value } })
        })
    };
    let numeric: &[&str] = &["eq", "neq", "in", "gt", "gte", "lt", "lte"];
    let plain: &[&str] = &["eq", "neq", "in"];
    let search: &[&str] = &["contains", "startsWith"];
    prop_oneof![
        of("importance", numeric, (0..9).map(Value::from).collect()),
        of("targetValue", numeric, NUMBERS.map(Value::from).to_vec()),
        of("targetMetric", plain, TEXTS.map(Value::from).to_vec()),
        of("statement", plain, TEXTS.map(Value::from).to_vec()),
        of("statement", search, NEEDLES.map(Value::from).to_vec()),
        of("kind", plain, KINDS.map(Value::from).to_vec()),
        (select(&["importance", "targetValue", "targetMetric"][..]), any::<bool>())
            .prop_map(|(name, is_null)| json!({ name: { "isNull": is_null } })),
        Just(json!({ "importance": { "gte": 2, "lt": 5 }, "targetMetric": { "in": [] } })),
        Just(json!({ "importance": { "gte": 2, "lt": 5, "neq": 3 }, "kind": {} })),
    ]
}

fn filter() -> impl Strategy<Value = Value> {
    comparison().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|parts| json!({ "and": parts })),
            prop::collection::vec(inner.clone(), 0..4).prop_map(|parts| json!({ "or": parts })),
            inner.prop_map(|part| json!({ "not": part })),
        ]
    })
}

/// Folds as people do: capitals, and the Greek sigma that changes at a word's end.
fn fold(text: &Value) -> String {
    text.as_str().unwrap().to_lowercase().replace('ς', "σ")
}

/// What a filter means.
fn meets(row: &Row, filter: &Value) -> bool {
    filter.as_object().unwrap().iter().all(|(name, inside)| match name.as_str() {
        "and" => inside.as_array().unwrap().iter().all(|part| meets(row, part)),
        "or" => inside.as_array().unwrap().iter().any(|part| meets(row, part)),
        "not" => !meets(row, inside),
        name => inside.as_object().unwrap().iter().all(|(operator, value)| compares(&row.0[name], operator, value)),
    })
}

fn compares(mine: &Value, operator: &str, value: &Value) -> bool {
    let equals = |value: &Value| match (mine.as_f64(), value.as_f64()) {
        (Some(mine), Some(value)) => mine.partial_cmp(&value) == Some(Ordering::Equal),
        _ => mine == value,
    };
    match operator {
        "isNull" => mine.is_null() == value.as_bool().unwrap(),
        "neq" => !equals(value),
        _ if mine.is_null() => false,
        "eq" => equals(value),
        "in" => value.as_array().unwrap().iter().any(equals),
        "contains" => fold(mine).contains(&fold(value)),
        "startsWith" => fold(mine).starts_with(&fold(value)),
        operator => {
            let (mine, value) = (mine.as_f64().unwrap(), value.as_f64().unwrap());
            match operator {
                "gt" => mine > value,
                "gte" => mine >= value,
                "lt" => mine < value,
                _ => mine <= value,
            }
        }
    }
}

/// Places of the expectations a filter finds, which `targetUnit` tells.
async fn found(caller: &Caller<'_>, filter: &Value) -> BTreeSet<usize> {
    let document = "query($filter: ExpectationFilter) {
        expectations(first: 1000, filter: $filter) { totalCount nodes { targetUnit } } }";
    let data = caller.data(document, json!({ "filter": filter })).await;
    let nodes = data["expectations"]["nodes"].as_array().unwrap();
    assert_eq!(data["expectations"]["totalCount"], nodes.len());
    nodes.iter().map(|node| node["targetUnit"].as_str().unwrap().parse().unwrap()).collect()
}

#[test]
fn a_filter_finds_exactly_the_rows_that_meet_it_and_not_the_others() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(App::start());
    let config = ProptestConfig { cases: 10, max_shrink_iters: 40, failure_persistence: None, ..Default::default() };
    let count = std::cell::Cell::new(0);
    let cases = (prop::collection::vec(row(), 1..30), prop::collection::vec(filter(), 25));
    let result = test_runner::TestRunner::new(config).run(&cases, |(rows, filters)| {
        count.set(count.get() + 1);
        runtime.block_on(async {
            let caller = app.admin(&format!("case-{}", count.get())).await;
            let point = caller.mutate("interactionPointCreate", json!({ "name": "Desk" }), "node { id }").await;
            let input = |(place, row): (usize, &Row)| {
                let mut input = row.0.clone();
                input.insert("externalId".into(), json!({ "system": "test", "id": place.to_string() }));
                input.insert("targetUnit".into(), place.to_string().into());
                input.insert("source".into(), "RESEARCH".into());
                input.insert("pointRef".into(), json!({ "id": point["node"]["id"] }));
                input
            };
            let input: Vec<_> = rows.iter().enumerate().map(input).collect();
            let done = caller.mutate("expectationsBulkUpsert", json!({ "rows": input }), "errors { code }").await;
            assert_eq!(done["errors"], json!([]));
            for filter in &filters {
                let expected: BTreeSet<usize> = (0..rows.len()).filter(|place| meets(&rows[*place], filter)).collect();
                assert_eq!(found(&caller, filter).await, expected, "{filter}");
                let rest: BTreeSet<usize> = (0..rows.len()).filter(|place| !expected.contains(place)).collect();
                assert_eq!(found(&caller, &json!({ "not": filter })).await, rest, "not {filter}");
            }
        });
        Ok(())
    });
    runtime.block_on(async { drop(app) });
    result.unwrap();
}

/// Names of the customers a filter finds.
async fn customers(caller: &Caller<'_>, filter: Value) -> Vec<String> {
    let document = "query($filter: CustomerFilter) {
        customers(filter: $filter, orderBy: [{ field: NAME }]) { nodes { name } } }";
    let data = caller.data(document, json!({ "filter": filter })).await;
    let nodes = data["customers"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["name"].as_str().unwrap_or("-").to_owned()).collect()
}

#[tokio::test]
async fn a_searched_text_has_no_wildcards_and_letter_case_counts_in_no_script() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for name in TEXTS.map(Some).into_iter().chain([None]) {
        caller.mutate("customerCreate", json!({ "name": name }), "outcome").await;
    }
    for (filter, names) in [
        (json!({ "contains": "%" }), vec!["100%"]),
        (json!({ "contains": "0_" }), vec!["100_"]),
        (json!({ "contains": "\\" }), vec!["a\\b"]),
        (json!({ "contains": "';" }), vec!["'; --"]),
        (json!({ "startsWith": "ÄR" }), vec!["Ärger", "ärger"]),
        (json!({ "startsWith": "rger" }), vec![]),
        (json!({ "contains": "RGER" }), vec!["Ärger", "ärger"]),
        (json!({ "startsWith": "i\u{307}STAN" }), vec!["İstanbul"]),
        (json!({ "startsWith": "istan" }), vec!["ISTANBUL"]),
        (json!({ "contains": "ΟΔΟΣ" }), vec!["ΟΔΟΣ", "οδοσα"]),
        (json!({ "contains": "straSSe" }), vec![]),
        (json!({ "contains": "RAßE" }), vec!["Straße"]),
    ] {
        assert_eq!(customers(&caller, json!({ "name": filter })).await, names, "{filter}");
    }
    assert_eq!(customers(&caller, json!({ "name": { "contains": "" } })).await.len(), TEXTS.len());
}

#[tokio::test]
async fn a_time_range_holds_its_start_and_not_its_end() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for at in ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00.001Z", "2026-03-02T00:00:00Z", "1969-12-31T23:59:59.999Z"] {
        caller.mutate("feedbackRecordCreate", json!({ "kind": "PRAISE", "receivedAt": at }), "outcome").await;
    }
    let document = "query($filter: FeedbackRecordFilter) {
        feedbackRecords(filter: $filter, orderBy: [{ field: RECEIVED_AT }]) { nodes { receivedAt } } }";
    for (filter, times) in [
        (
            json!({ "gte": "2026-03-01T00:00:00Z", "lt": "2026-03-02T00:00:00Z" }),
            vec!["2026-03-01T00:00:00Z", "2026-03-01T00:00:00.001Z"],
        ),
        // The same range, said in another zone.
        (
            json!({ "gte": "2026-02-28T19:00:00-05:00", "lt": "2026-03-02T01:00:00+01:00" }),
            vec!["2026-03-01T00:00:00Z", "2026-03-01T00:00:00.001Z"],
        ),
        (json!({ "gt": "2026-03-01T00:00:00.001Z" }), vec!["2026-03-02T00:00:00Z"]),
        (json!({ "lte": "1970-01-01T00:00:00Z" }), vec!["1969-12-31T23:59:59.999Z"]),
        (json!({ "eq": "2026-03-02T00:00:00.000Z" }), vec!["2026-03-02T00:00:00Z"]),
    ] {
        let data = caller.data(document, json!({ "filter": { "receivedAt": filter } })).await;
        let nodes = data["feedbackRecords"]["nodes"].as_array().unwrap();
        let found: Vec<&str> = nodes.iter().map(|node| node["receivedAt"].as_str().unwrap()).collect();
        assert_eq!(found, times, "{filter}");
    }
}

#[tokio::test]
async fn sets_are_asked_for_any_all_or_none_of_their_items() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for (product, tags, attributes) in [
        ("1", json!(["a", "b", "Ä%"]), json!([{ "name": "state", "value": "NY" }, { "name": "size", "value": "1" }])),
        ("2", json!(["b"]), json!([{ "name": "state", "value": "CA" }])),
        ("3", json!([]), json!([])),
    ] {
        let input = json!({ "kind": "PRAISE", "product": product, "tags": tags, "attributes": attributes });
        caller.mutate("feedbackRecordCreate", input, "outcome").await;
    }
    let pair = |name: &str, value: &str| json!({ "name": name, "value": value });
    let document = "query($filter: FeedbackRecordFilter) {
        feedbackRecords(filter: $filter, orderBy: [{ field: PRODUCT }]) { nodes { product } } }";
    for (filter, products) in [
        (json!({ "tags": { "hasAny": ["a", "b"] } }), "1 2"),
        (json!({ "tags": { "hasAll": ["a", "b"] } }), "1"),
        (json!({ "tags": { "hasNone": ["a"] } }), "2 3"),
        (json!({ "tags": { "hasAny": ["b"], "hasNone": ["a"] } }), "2"),
        (json!({ "tags": { "hasAny": ["Ä%", "ä%", "%"] } }), "1"),
        (json!({ "tags": { "hasAny": ["A", "ä%", ""] } }), ""),
        (json!({ "tags": { "hasAny": [] } }), ""),
        (json!({ "tags": { "hasAll": [] } }), "1 2 3"),
        (json!({ "tags": { "hasNone": [] } }), "1 2 3"),
        (json!({ "not": { "tags": { "hasAny": ["a"] } } }), "2 3"),
        (json!({ "attributes": { "hasAny": [pair("state", "NY"), pair("state", "CA")] } }), "1 2"),
        (json!({ "attributes": { "hasAll": [pair("state", "NY"), pair("size", "1")] } }), "1"),
        (json!({ "attributes": { "hasAny": [pair("state", "1"), pair("size", "NY")] } }), ""),
        (json!({ "attributes": { "hasNone": [pair("state", "CA")] } }), "1 3"),
    ] {
        let data = caller.data(document, json!({ "filter": filter })).await;
        let nodes = data["feedbackRecords"]["nodes"].as_array().unwrap();
        let found: Vec<&str> = nodes.iter().map(|node| node["product"].as_str().unwrap()).collect();
        assert_eq!(found.join(" "), products, "{filter}");
    }
}
