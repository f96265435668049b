//! Strings and numbers, in documents and in variables, are read as GraphQL and JSON mean them.

use serde_json::json;

use crate::{app::App, outline::codes};

/// Names that a department may have, as literals and as what they mean.
#[tokio::test]
async fn strings_in_documents_are_those_of_the_specification() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for (literal, name) in [
        (r#""caf\u00e9 \uD83D\uDE00 \u{1F600}""#, "café 😀 😀"),
        (r#""\u{41}\u0042C \"\\\/""#, "ABC \"\\/"),
        ("\"\"\"\r\n    a \\\"\"\" b\r\n      c \\u0041\r\n\r\n    d\r\n  \"\"\"", "a \"\"\" b\n  c \\u0041\n\nd"),
    ] {
        let create = format!("mutation {{ departmentCreate(input: {{name: {literal}}}) {{ node {{ name }} }} }}");
        assert_eq!(caller.ask(&create).await["departmentCreate"]["node"]["name"], name);
        let filter = format!("{{ departments(filter: {{name: {{eq: {literal}}}}}) {{ nodes {{ name }} }} }}");
        assert_eq!(caller.ask(&filter).await["departments"]["nodes"], json!([{ "name": name }]));
        let query = "query ($n: String = NAME) { departments(filter: {name: {eq: $n}}) { totalCount } }";
        assert_eq!(caller.ask(&query.replace("NAME", literal)).await["departments"]["totalCount"], 1);
    }
}

#[tokio::test]
async fn what_is_no_string_is_refused_where_it_stands() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let before = app.dump(caller.organization()).await;
    for literal in
        [r#""a \uD83D""#, r#""a \uDE00\uD83D""#, r#""a \u{110000}""#, r#""a \u{}""#, r#""a \x41""#, "\"\"\"a"]
    {
        let create = format!("mutation {{\n  departmentCreate(input: {{name: {literal}}}) {{ outcome }} }}");
        let reply = caller.run(&create, json!({})).await.body;
        let column = if literal.starts_with("\"\"\"") { 34 } else { 37 };
        assert_eq!(codes(&reply), ["GRAPHQL_PARSE_FAILED"], "{literal}");
        assert_eq!(reply["errors"][0]["locations"], json!([{ "line": 2, "column": column }]), "{literal}");
    }
    for input in ["name: \"a\", name: \"b\"", "name: \"a\", externalIds: [{system: \"a\", id: \"b\", id: \"c\"}]"] {
        let create = format!("mutation {{ departmentCreate(input: {{{input}}}) {{ outcome }} }}");
        let reply = caller.run(&create, json!({})).await.body;
        assert_eq!(codes(&reply), ["GRAPHQL_VALIDATION_FAILED"], "{input}");
    }
    assert_eq!(app.dump(caller.organization()).await, before);
}
