//! The examples that the explorer opens with, on the example organization.

use rapport::http::explorer::EXAMPLES;
use serde_json::{Value, json};

use crate::example::Example;

/// How many rows there are in an answer: lists with something in them, and single rows.
fn rows(data: &Value) -> usize {
    match data {
        Value::Array(list) => list.len(),
        Value::Object(fields) => {
            fields.values().map(rows).sum::<usize>() + usize::from(fields.get("id").is_some_and(Value::is_string))
        }
        _ => 0,
    }
}

#[tokio::test]
async fn every_example_is_answered_with_rows_and_without_errors() {
    let example = Example::own().await;
    for document in EXAMPLES {
        let data = example.admin().ask(document).await;
        assert!(rows(&data) > 0, "{document}{data:#}");
        let payload = data.as_object().unwrap().values().next().unwrap();
        assert!(matches!(&payload["errors"], Value::Null) || payload["errors"] == json!([]), "{payload:#}");
    }
}
