//! The search: what it finds, in which order, for whom, and that it stays in step with the rows.

mod differential;
mod fill;
mod in_step;
mod languages;
mod persons;

use serde_json::{Value, json};

use crate::app::Caller;

const QUERY: &str = "query($text: String!, $types: [SearchNoun!], $first: Int, $after: String) {
    search(text: $text, types: $types, first: $first, after: $after) {
        nodes { id type field score archivedAt snippet { text isMatch } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
}";

/// The page of a search.
async fn page(caller: &Caller<'_>, variables: Value) -> Value {
    caller.data(QUERY, variables).await["search"].take()
}

/// What a search finds: of each row the type and, marked by brackets, the snippet.
async fn found(caller: &Caller<'_>, text: &str) -> Vec<String> {
    let page = page(caller, json!({ "text": text, "first": 1000 })).await;
    page["nodes"].as_array().unwrap().iter().map(shown).collect()
}

fn shown(hit: &Value) -> String {
    let segments = hit["snippet"].as_array().unwrap().iter().map(|segment| {
        let text = segment["text"].as_str().unwrap();
        if segment["isMatch"] == true { format!("[{text}]") } else { text.to_owned() }
    });
    format!("{}.{}: {}", hit["type"].as_str().unwrap(), hit["field"].as_str().unwrap(), segments.collect::<String>())
}

/// How many rows a search finds.
async fn count(caller: &Caller<'_>, text: &str) -> usize {
    found(caller, text).await.len()
}

/// The code with which a search fails.
async fn refusal(caller: &Caller<'_>, variables: Value) -> Value {
    let reply = caller.run(QUERY, variables).await.body;
    reply.pointer("/errors/0/extensions/code").cloned().unwrap_or_default()
}

/// Makes a row, and returns its id.
async fn make(caller: &Caller<'_>, field: &str, input: Value) -> String {
    let made = caller.mutate(field, input, "node { id } errors { code path message }").await;
    assert_eq!(made["errors"], json!([]), "{field}");
    made["node"]["id"].as_str().unwrap().to_owned()
}
