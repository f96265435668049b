//! Journeys made in one call: of notes, of an outline, of a template, of CJML.

mod cjml;
mod outlines;
mod quick;
mod templates;

use serde_json::{Value, json};

use crate::app::Caller;

/// What a mutation is asked for.
const TOLD: &str = "outcome isReplayed node { id } errors { code path }";

/// Runs a mutation that must succeed, and answers the id of its journey.
async fn made(caller: &Caller<'_>, field: &str, input: Value) -> String {
    let payload = caller.mutate(field, input, TOLD).await;
    assert_eq!(payload["errors"], json!([]), "{field}");
    payload["node"]["id"].as_str().unwrap().to_owned()
}

/// A journey with everything in it.
async fn shape(caller: &Caller<'_>, id: &str) -> Value {
    let document = "query($id: ID!) { journey(by: { id: $id }) { title summary customerSegment status
        stages(first: 100, orderBy: [{ field: POSITION }]) { nodes { name } }
        steps(first: 100, orderBy: [{ field: POSITION }]) { nodes { label stage { name } point { name kind
            mediums(orderBy: [{ field: NAME }]) { nodes { name } }
            influencers(orderBy: [{ field: NAME }]) { edges { strength node { name } } }
            expectations(first: 100) { nodes { statement source rank } } } } }
        links(first: 100) { nodes { kind label from { point { name } } to { point { name } } } } } }";
    caller.data(document, json!({ "id": id })).await["journey"].take()
}

/// How many rows of each noun of the map there are.
async fn counts(caller: &Caller<'_>) -> Value {
    let lists =
        ["journeys", "stages", "steps", "stepLinks", "interactionPoints", "mediums", "influencers", "expectations"];
    let asked: Vec<String> = lists.iter().map(|list| format!("{list} {{ totalCount }}")).collect();
    caller.ask(&format!("{{ {} }}", asked.join(" "))).await
}
