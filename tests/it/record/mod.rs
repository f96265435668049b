//! What happened to customers, through the API: their units and repairs.

mod repairs;
mod units;

use serde_json::{Value, json};

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
