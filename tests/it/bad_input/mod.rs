//! Input that is wrong, a case each: the exact code, at the exact place, nothing written, and the server still answers.

mod cursors;
mod filters;
mod keys;
mod map;
mod numbers;
mod requests;
mod texts;

use serde_json::{Value, json};

use crate::{
    app::{App, Caller},
    outline::codes,
};

/// What a refused mutation is asked for.
const TOLD: &str = "outcome node { id } errors { code path }";

/// Asserts that a request fails with no other code and answers null at every root field.
async fn assert_request_fails(caller: &Caller<'_>, name: &str, document: &str, variables: Value, code: &str) {
    let reply = caller.run(document, variables).await.body;
    let mut found = codes(&reply);
    found.dedup();
    assert_eq!(found, [code], "{name}: {reply:#}");
    let data = reply["data"].as_object();
    assert!(data.is_none_or(|fields| fields.values().all(Value::is_null)), "{name}: {reply:#}");
}

/// A wrong input: its name, the mutation field, the input, and the errors' codes with their paths.
type Case<'a> = (&'a str, &'a str, Value, Vec<(&'a str, Value)>);

/// Runs cases of one mutation field each: name, field, input, and the errors' codes with their paths. Asserts that
/// afterwards the organization is as it was.
async fn assert_refused(app: &App, caller: &Caller<'_>, cases: Vec<Case<'_>>) {
    let before = app.dump(caller.organization()).await;
    for (name, field, input, expected) in cases {
        let payload = caller.mutate(field, input, TOLD).await;
        let errors: Vec<Value> = expected.iter().map(|(code, path)| json!({"code": code, "path": path})).collect();
        assert_eq!(payload["errors"], json!(errors), "{name}");
        assert_eq!(payload["outcome"], "FAILED", "{name}");
    }
    assert_eq!(app.dump(caller.organization()).await, before, "a refused mutation has left something");
    assert_alive(caller).await;
}

/// The server still answers.
async fn assert_alive(caller: &Caller<'_>) {
    assert!(caller.ask("{ organization { id } }").await["organization"]["id"].is_string());
}

/// The one error of a payload.
fn only(code: &'static str, path: &str) -> Vec<(&'static str, Value)> {
    vec![(code, json!([path]))]
}
