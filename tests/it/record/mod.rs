//! What happened to customers, through the API: their units and repairs.

mod customers;
mod merge;
mod repairs;
mod required_fields;
mod sales;
mod timelines;
mod units;

use serde_json::{Value, json};

use crate::app::Caller;
pub use crate::{
    elements::{listed, refused},
    journeys::{TOLD, by_id, made, mistakes, one},
};

fn key(id: &str) -> Value {
    json!({ "system": "crm", "id": id })
}

/// A minute from now.
fn soon() -> String {
    (crate::app::now() + chrono::Duration::minutes(1)).to_rfc3339()
}

/// The codes of the errors of a mutation, each with the path of its field.
async fn wrong(caller: &Caller<'_>, mutation: &str, input: Value) -> Vec<(String, String)> {
    let payload = caller.mutate(mutation, input, TOLD).await;
    mistakes(&payload).into_iter().map(|(code, path)| (code, path.join("."))).collect()
}
