//! The whole map as one document: out of one organization and into another.

mod refusals;
mod round_trip;

use serde_json::{Value, json};

use crate::app::Caller;

/// The document of the caller's map.
async fn exported(caller: &Caller<'_>) -> Value {
    caller.ask("{ mapExport { format rowCount document } }").await["mapExport"]["document"].take()
}

const TOLD: &str = "outcome isReplayed errors { code path } importCounts { type created updated unchanged }";

/// What came of an import.
async fn imported(caller: &Caller<'_>, document: &Value) -> Value {
    caller.mutate("mapImport", json!({ "document": document.to_string() }), TOLD).await
}

/// The rows of an import, over all types: created, updated, unchanged.
fn totals(payload: &Value) -> (u64, u64, u64) {
    let counts = payload["importCounts"].as_array().unwrap();
    let sum = |name: &str| counts.iter().map(|count| count[name].as_u64().unwrap()).sum();
    (sum("created"), sum("updated"), sum("unchanged"))
}
