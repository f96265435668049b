//! Journeys through the API: their structure, their order, what follows what, copies and editions.

mod copies;
mod cycles;
mod editions;
mod flow;
mod order;

use serde_json::{Value, json};

use crate::app::Caller;

/// What a mutation is asked for.
pub const TOLD: &str = "outcome node { id } errors { code message path }";

/// Runs a mutation that must succeed, and answers the id of its row.
pub async fn made(caller: &Caller<'_>, field: &str, input: Value) -> String {
    let payload = caller.mutate(field, input, TOLD).await;
    assert_eq!(payload["errors"], json!([]), "{field}");
    payload["node"]["id"].as_str().unwrap().to_owned()
}

pub fn by_id(id: &str) -> Value {
    json!({ "id": id })
}

/// The codes and paths of a payload's errors.
pub fn mistakes(payload: &Value) -> Vec<(String, Vec<String>)> {
    let errors = payload["errors"].as_array().unwrap().iter();
    let path = |error: &Value| {
        error["path"].as_array().unwrap().iter().map(|part| part.as_str().unwrap().to_owned()).collect()
    };
    errors.map(|error| (error["code"].as_str().unwrap().to_owned(), path(error))).collect()
}

pub fn one(code: &str, path: &[&str]) -> Vec<(String, Vec<String>)> {
    vec![(code.to_owned(), path.iter().map(|part| (*part).to_owned()).collect())]
}

async fn journey(caller: &Caller<'_>, title: &str) -> String {
    made(caller, "journeyCreate", json!({ "title": title })).await
}

pub async fn point(caller: &Caller<'_>, name: &str) -> String {
    made(caller, "interactionPointCreate", json!({ "name": name })).await
}

/// Makes steps at one point, labelled as told, in one call.
async fn steps(caller: &Caller<'_>, journey: &str, labels: &[&str]) -> Vec<String> {
    let point = point(caller, "Desk").await;
    let row = |label: &&str| {
        let key = json!({ "system": journey, "id": label });
        json!({ "externalId": key, "label": label, "journeyRef": by_id(journey), "pointRef": by_id(&point) })
    };
    let rows: Vec<Value> = labels.iter().map(row).collect();
    let payload = caller.mutate("stepsBulkUpsert", json!({ "rows": rows }), "results { outcome node { id } }").await;
    let results = payload["results"].as_array().unwrap().iter();
    results.map(|result| result["node"]["id"].as_str().unwrap().to_owned()).collect()
}

fn link(journey: &str, from: &str, to: &str, kind: &str) -> Value {
    json!({ "journeyRef": by_id(journey), "fromRef": by_id(from), "toRef": by_id(to), "kind": kind })
}

async fn linked(caller: &Caller<'_>, journey: &str, from: &str, to: &str, kind: &str) -> String {
    made(caller, "stepLinkCreate", link(journey, from, to, kind)).await
}

/// The labels of a journey's steps in their order, and that their places are 1, 2, 3 and so on.
async fn labels(caller: &Caller<'_>, journey: &str) -> Vec<String> {
    let document = "query($id: ID!) { journey(by: { id: $id }) {
        steps(first: 1000, orderBy: [{ field: POSITION }]) { nodes { label position } } } }";
    let mut data = caller.data(document, json!({ "id": journey })).await;
    let nodes = data["journey"]["steps"]["nodes"].take();
    let nodes = nodes.as_array().unwrap();
    let places: Vec<usize> =
        nodes.iter().map(|node| usize::try_from(node["position"].as_u64().unwrap()).unwrap()).collect();
    assert_eq!(places, (1..=nodes.len()).collect::<Vec<_>>());
    nodes.iter().map(|node| node["label"].as_str().unwrap_or_default().to_owned()).collect()
}
