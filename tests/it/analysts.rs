//! The guide for analysts: each of its examples runs on the data of the demo.

use serde_json::json;

use crate::example::Example;

const GUIDE: &str = include_str!("../../docs/guides/analyst.md");

/// The examples of the guide.
fn examples() -> Vec<&'static str> {
    let parts = GUIDE.split("```graphql\n").skip(1);
    parts.map(|part| part.split("```").next().unwrap()).collect()
}

#[tokio::test]
async fn every_example_of_the_guide_runs_and_finds_something() {
    // One of them changes what is there.
    let example = Example::own().await;
    if !example.app.database.is_sqlite() {
        // Without statistics, the filter of three attributes takes longer than a request may.
        let sql = "SELECT c.relname::text FROM pg_class c WHERE c.relname = 'feedback_record_attributes' AND c.reltuples > 30000";
        assert_eq!(example.app.database.look(sql.to_owned()).await.len(), 1);
    }
    let admin = example.admin();
    let examples = examples();
    assert_eq!(examples.len(), 11);
    for document in examples {
        let data = admin.data(document, json!({})).await;
        let (name, answer) = data.as_object().unwrap().iter().next().unwrap();
        let has_some = answer["totalCount"].as_u64().is_some_and(|count| count > 0)
            || answer["nodes"].as_array().is_some_and(|nodes| !nodes.is_empty())
            // The demo has a journey, and no interactions.
            || answer["findings"].as_array().is_some_and(|findings| findings.len() == 5)
            || answer["url"].is_string()
            || answer["node"].is_object();
        assert!(has_some, "{name} finds nothing: {document}");
    }
}
