//! The examples that the explorer opens with, on the example organization.

use rapport::http::explorer::{BEGINNINGS, EXAMPLES, GENERAL};
use serde_json::{Value, json};

use crate::{
    app::{App, Caller},
    example::Example,
};

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
    answered(&example.admin(), &EXAMPLES).await;
}

/// Asserts that each is answered with rows and without errors.
async fn answered(caller: &Caller<'_>, documents: &[&str]) {
    for document in documents {
        let data = caller.ask(document).await;
        assert!(rows(&data) > 0, "{document}{data:#}");
        let payload = data.as_object().unwrap().values().next().unwrap();
        assert!(matches!(&payload["errors"], Value::Null) || payload["errors"] == json!([]), "{payload:#}");
    }
}

#[tokio::test]
async fn where_there_is_nothing_the_examples_make_something_and_then_the_general_ones_find_it() {
    let app = App::start().await;
    let caller = app.admin("acme").await;
    answered(&caller, &BEGINNINGS).await;
    answered(&caller, &GENERAL).await;
    answered(&caller, &BEGINNINGS).await;
}
