//! Tests of what the parser accepts and refuses.

use async_graphql::parser::types::{ExecutableDocument, OperationType, Selection};
use async_graphql_value::Value as Literal;
use serde_json::{Value, json};

use super::parse;
use crate::graphql::{documents::limits::Limits, failure::code, syntax::scan::scan};

fn read(text: &str) -> Result<ExecutableDocument, async_graphql::ServerError> {
    parse(scan(text, &Limits::DEFAULT)?)
}

/// Returns the debug form of a document without positions, to compare documents with different layouts.
fn shown(document: &ExecutableDocument) -> String {
    let text = format!("{document:?}");
    let mut kept = String::new();
    for piece in text.split("Pos(") {
        kept.push_str(piece.split_once(')').filter(|(place, _)| place.contains(':')).map_or(piece, |(_, rest)| rest));
    }
    kept
}

#[test]
fn a_document_becomes_what_async_graphql_makes_of_it() {
    for text in [
        "{ a }",
        "query ($a: Int! = 3, $b: [[T!]!] ) @d(x: 1) { a: b(c: $a, d: {e: [1, -2.5e3, \"f\", G, null, true, $b]}) @e @f { h } }",
        "mutation { a } fragment F on T @g { h ...F ... on U { i } ... @j { k } ... { l } }",
        "subscription S { query mutation fragment on: true null(on: false) ...onward }",
    ] {
        let known = async_graphql::parser::parse_query(text).unwrap();
        assert_eq!(shown(&read(text).unwrap()), shown(&known), "{text}");
    }
}

/// Returns a literal in the form of the table of graphql-js results.
fn plain(value: &Literal) -> Value {
    match value {
        Literal::Number(number) => json!({ "number": number.as_f64() }),
        Literal::Enum(name) => json!({ "enum": name }),
        Literal::List(items) => items.iter().map(plain).collect(),
        Literal::Object(fields) => {
            json!({ "object": fields.iter().map(|(name, value)| json!([name, plain(value)])).collect::<Vec<_>>() })
        }
        other => serde_json::to_value(other).unwrap(),
    }
}

fn judged(value: &str) -> Option<Value> {
    let document = read(&format!("{{ a(x: {value}) }}")).ok()?;
    let (_, operation) = document.operations.iter().next()?;
    let Selection::Field(field) = &operation.node.selection_set.node.items[0].node else { return None };
    Some(plain(&field.node.get_argument("x")?.node))
}

/// `tests/clients/documents.mjs` generates the table.
#[test]
fn values_and_documents_are_read_as_by_graphql_js() {
    let table: Value = serde_json::from_str(include_str!("../../../tests/it/data/graphql_js.json")).unwrap();
    let (values, documents) = (table["values"].as_array().unwrap(), table["documents"].as_array().unwrap());
    assert!(values.len() > 700 && documents.len() > 130);
    let mut wrong = Vec::new();
    for case in values {
        let (text, ours) = (case["value"].as_str().unwrap(), judged(case["value"].as_str().unwrap()));
        let same = match (case.get("is"), &ours) {
            (None, ours) => ours.is_none(),
            (Some(theirs), ours) => ours.as_ref().is_some_and(|ours| same(theirs, ours)),
        };
        if !same {
            wrong.push(format!("{text:?} is {ours:?} and not {:?}", case.get("is")));
        }
    }
    for case in documents {
        let text = case["document"].as_str().unwrap();
        if read(text).is_err() != case["refused"].as_bool().unwrap() {
            wrong.push(format!("{text:?}: graphql-js and we disagree"));
        }
    }
    assert!(wrong.is_empty(), "{} of graphql-js 16: {wrong:#?}", wrong.len());
}

/// Returns whether two values are equal, where -0 equals 0.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            if let (Some(Value::String(one)), Some(Value::Number(other))) = (one.get("number"), other.get("number")) {
                return one.parse().ok() == other.as_f64();
            }
            let is_same = |key: &String, value| other.get(key).is_some_and(|other| same(value, other));
            one.len() == other.len() && one.iter().all(|(key, value)| is_same(key, value))
        }
        _ => one == other,
    }
}

#[test]
fn places_are_those_of_the_text() {
    let document = read("\u{feff}query Q(\n  $a: Int = 3\n) {\r\n  \"é\": a\n}").unwrap_err();
    assert_eq!((document.locations[0].line, document.locations[0].column), (4, 3));
    let document = read("query Q(\n  $a: Int = 3\n) {\r\n  é: a\n}").unwrap_err();
    assert_eq!((document.locations[0].line, document.locations[0].column), (4, 3));
    let document = read("mutation {\n  a\n    b { c }\n}").unwrap();
    let (_, operation) = document.operations.iter().next().unwrap();
    assert_eq!(operation.node.ty, OperationType::Mutation);
    let places: Vec<_> = operation.node.selection_set.node.items.iter().map(|item| item.pos.to_string()).collect();
    assert_eq!(places, ["2:3", "3:5"]);
}

#[test]
fn what_the_grammar_does_not_allow_is_refused() {
    for text in [
        "",
        "{ }",
        "{ a",
        "{ a } }",
        "queryQ { a }",
        "query Q() { a }",
        "{ a() }",
        "{ a(b) }",
        "{ a(b:) }",
        "{ a: }",
        "{ a { } }",
        "{ ... }",
        "{ ...on }",
        "{ ... on T }",
        "fragment on on T { a }",
        "fragment F onT { a }",
        "fragment F { a } { b }",
        "fragment F on T { a }",
        "query Q($a: Int = $b) { a }",
        "query Q($a) { a }",
        "query Q(a: Int) { a }",
        "query Q($a: [Int) { a }",
        "query Q($a: Int!!) { a }",
        "query Q($a: Int @d(x: $a)) { a }",
        "query Q($a: Int = {b: [$a]}) { a }",
        "{ a } { b }",
        "{ a } query Q { b }",
        "query Q { a } { b }",
        "query Q { a } query Q { b }",
        "{ a ...F } fragment F on T { a } fragment F on T { b }",
        "type T { a: Int }",
        "{ a(b: 1e400) }",
        "{ a(b: $) }",
        "{ a(b: {c: 1,, d}) }",
        "{ a @ }",
        "\"a\" { b }",
        "\"a\"",
    ] {
        let refused = read(text).unwrap_err();
        assert_eq!(code(&refused), Some("GRAPHQL_PARSE_FAILED"), "{text}");
        assert!(!refused.locations.is_empty() || ["", "fragment F on T { a }"].contains(&text), "{text}");
    }
}

#[test]
fn an_input_field_is_given_once_in_each_object() {
    let refused = read("{ a(b: {c: 1, d: {c: 2}, c: \"secret\"}) }").unwrap_err();
    assert_eq!(code(&refused), Some("GRAPHQL_VALIDATION_FAILED"));
    assert_eq!(refused.locations[0].to_string(), "1:26");
    assert!(read("query Q($a: I = {b: 1, b: 1}) { a }").is_err());
    assert!(read("{ a(b: [{c: 1}, {c: 2, d: {c: 3}}]) }").is_ok());
}

#[test]
fn a_syntax_error_tells_kinds_of_tokens_only() {
    let refused = read("{ a(b: \"mia\" \"secret\") }").unwrap_err();
    assert_eq!(refused.message, "syntax error: expected a name, found a string");
}
