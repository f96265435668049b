//! Tests of request costs with a schema that has every kind of field with a cost.

use async_graphql::Variables;
use serde_json::{Value as Json, json};

use crate::graphql::{
    documents::{document::Document, limits::Limits},
    failure::code,
    types::schema_index::SchemaIndex,
};

const SDL: &str = "
    type Query {
        point: Point
        points(first: Int, after: String, last: Int, before: String, filter: Filter): PointConnection
        groups(groupBy: [String!] = [], first: Int = 1000): Groups
        nodes(ids: [ID!]!): [Point]
    }
    type Mutation {
        pointUpdate(input: Change!): Payload
        pointsBulkUpsert(input: Bulk!): BulkPayload
    }
    type Point { id: ID! name: String next: Point near(first: Int, last: Int): PointConnection! externalIds: [External!]! }
    type External { system: String! id: String! }
    type PointConnection { nodes: [Point!]! edges: [Edge!]! pageInfo: PageInfo! totalCount: Int! }
    type Edge { cursor: String! node: Point! }
    type PageInfo { endCursor: String }
    type Groups { count: Int! nodes: [Group!]! }
    type Group { count: Int! point: Point }
    type Payload { node: Point errors: [Mistake!]! }
    type BulkPayload { results: [Result!]! }
    type Result { node: Point }
    type Mistake { code: String! }
    input Filter { in: [ID!] }
    input Change { tags: [String!] externalIds: [Id!] }
    input Id { id: String }
    input Bulk { rows: [Row!]! }
    input Row { name: String }
    schema { query: Query mutation: Mutation }
";

fn priced_of(text: &str, variables: Json, limits: &Limits) -> Result<u64, async_graphql::ServerError> {
    let document = Document::read(text, None, limits)?;
    let prepared = document.prepare(Variables::from_json(variables), &SchemaIndex::read(SDL).unwrap(), limits)?;
    Ok(prepared.cost)
}

fn priced(text: &str, variables: Json) -> u64 {
    priced_of(text, variables, &Limits { cost_limit: u32::MAX, ..Limits::DEFAULT }).unwrap()
}

#[track_caller]
fn assert_price(text: &str, expected: u64) {
    assert_eq!(priced(text, json!({})), expected, "{text}");
}

#[test]
fn scalars_are_free_and_objects_cost_a_point() {
    assert_price("{ __typename }", 0);
    assert_price("{ point { id name } }", 1);
    assert_price("{ point { next { next { id } } externalIds { system id } } }", 4);
    assert_price("{ a: point { id } b: point { id } }", 2);
}

#[test]
fn a_connection_costs_its_page_times_what_a_row_costs() {
    assert_price("{ points { nodes { id } } }", 1 + 25);
    assert_price("{ points(first: 10) { nodes { id next { id } } pageInfo { endCursor } } }", 1 + 10 * 2 + 1);
    assert_price("{ points(last: 10) { edges { cursor node { id } } } }", 1 + 10 * 2);
    assert_price("{ points(first: 10) { nodes { near(first: 5) { nodes { id } } } } }", 1 + 10 * (1 + 1 + 5));
    assert_price("{ points(first: 10) { nodes { externalIds { id } } } }", 1 + 10 * 2);
    assert_price("{ points(filter: {in: [1, 2, 3]}) { pageInfo { endCursor } } }", 2);
}

#[test]
fn a_page_may_come_from_a_variable_or_its_default() {
    let text = "query ($n: Int = 7) { points(first: $n) { nodes { id } } }";
    assert_eq!(priced(text, json!({})), 1 + 7);
    assert_eq!(priced(text, json!({"n": 300})), 1 + 300);
    assert_eq!(priced(text, json!({"n": null})), 1 + 25);
}

#[test]
fn counting_and_grouping_have_a_surcharge() {
    assert_price("{ points { totalCount } }", 1 + 10);
    assert_price("{ points(first: 2) { nodes { near { totalCount } } } }", 1 + 2 * (1 + 1 + 10));
    assert_price("{ groups { count } }", 1 + 100);
    assert_price("{ groups { nodes { count } } }", 1 + 100 + 1_000);
    assert_price("{ groups(first: 3) { nodes { point { id } } } }", 1 + 100 + 3 * 2);
}

#[test]
fn rows_that_are_named_are_counted() {
    assert_price("{ nodes(ids: [1, 2, 3]) { id externalIds { id } } }", 3 * 2);
    let nodes = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    assert_eq!(priced(nodes, json!({"ids": ["a", "b"]})), 2);

    assert_price("mutation { pointUpdate(input: {tags: [\"a\", \"b\"]}) { node { id } } }", 2);
    assert_price("mutation { pointUpdate(input: {externalIds: [{id: \"a\"}, {id: \"b\"}]}) { node { id } } }", 4);
    let rows = json!([{}, {}, {}]);
    for (text, variables) in [
        ("mutation { pointsBulkUpsert(input: {rows: [{}, {}, {}]}) { results { node { id } } } }", json!({})),
        (
            "mutation ($r: [Row!]!) { pointsBulkUpsert(input: {rows: $r}) { results { node { id } } } }",
            json!({"r": rows}),
        ),
        (
            "mutation ($i: Bulk!) { pointsBulkUpsert(input: $i) { results { node { id } } } }",
            json!({"i": {"rows": rows}}),
        ),
    ] {
        assert_eq!(priced(text, variables), 1 + 3 + 3 * 2, "{text}");
    }
}

#[test]
fn what_merges_is_paid_once_and_what_is_skipped_not_at_all() {
    assert_price("{ point { id } point { name } ...F } fragment F on Query { point { id } }", 1);
    assert_price("{ point { id next @skip(if: true) { id } next @include(if: false) { id } } }", 1);
}

#[test]
fn a_cost_is_never_negative_and_never_wraps() {
    assert_price("{ points(first: -5) { nodes { id } } }", 1);
    let deep = "{ points(first: 2147483647) { nodes { near(first: 2147483647) { nodes { near(first: 2147483647) {
        nodes { id } } } } } } }";
    let refused = priced_of(deep, json!({}), &Limits::DEFAULT).unwrap_err();
    assert_eq!(refused.extensions.unwrap().get("cost"), Some(&async_graphql::Value::from(u64::MAX)));
}

#[test]
fn a_request_above_the_limit_is_refused_with_its_cost() {
    let text = "query ($n: Int) { points(first: $n) { nodes { id } } }";
    let ask = |n: i32| priced_of(text, json!({ "n": n }), &Limits::DEFAULT);
    assert_eq!(ask(19_999).unwrap(), 20_000);
    let refused = ask(20_000).unwrap_err();
    assert_eq!(code(&refused), Some("QUERY_TOO_COMPLEX"));
    let extensions = serde_json::to_value(refused.extensions).unwrap();
    assert_eq!((&extensions["cost"], &extensions["limit"]), (&json!(20_001), &json!(20_000)));
}

/// The introspection query of graphql-js with all options enabled.
const STANDARD: &str = "query IntrospectionQuery {
    __schema { description queryType { name kind } mutationType { name kind } subscriptionType { name kind }
        types { ...FullType }
        directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } } } }
    fragment FullType on __Type { kind name description specifiedByURL isOneOf
        fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue }
            type { ...TypeRef } isDeprecated deprecationReason }
        inputFields(includeDeprecated: true) { ...InputValue }
        interfaces { ...TypeRef }
        enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
        possibleTypes { ...TypeRef } }
    fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
    fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
        ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";

/// Executes an introspection query against the real schema. Returns its cost in points and the response length in
/// bytes.
fn introspected(text: &str) -> Result<(u64, usize), async_graphql::ServerError> {
    static SERVED: std::sync::LazyLock<(crate::schema::ApiSchema, SchemaIndex)> = std::sync::LazyLock::new(|| {
        let schema = crate::schema::build();
        let schema_index = SchemaIndex::read(&schema.sdl()).unwrap();
        (schema, schema_index)
    });
    let (schema, schema_index) = &*SERVED;
    // Introspection has a separate budget, which `cost_limit` does not affect.
    let limits = Limits { cost_limit: 1, ..Limits::DEFAULT };
    let prepared = Document::read(text, None, &limits)?.prepare(Variables::default(), schema_index, &limits)?;
    let response = futures_util::FutureExt::now_or_never(schema.execute(prepared.request())).unwrap();
    assert_eq!((response.errors.len(), prepared.cost), (0, 0), "{text}");
    Ok((prepared.introspection, serde_json::to_string(&response.data).unwrap().len()))
}

#[test]
fn questions_about_the_schema_are_priced_by_the_size_of_the_answer() {
    let aliases = |question: &str| {
        let all: Vec<String> = (0..20).map(|at| format!("a{at}: {question}")).collect();
        format!("{{ {} }}", all.join(" "))
    };
    for text in [
        STANDARD.to_owned(),
        "{ __schema { types { name } } }".to_owned(),
        "{ __schema { types { name description fields { name description args { name description } } } } }".to_owned(),
        "{ __schema { types { fields { name type { kind name ofType { name ofType { name } } } } } } }".to_owned(),
        "{ __schema { types { inputFields { name defaultValue type { name } } enumValues { name description } } } }"
            .to_owned(),
        "{ __schema { types { possibleTypes { name } interfaces { name } } } }".to_owned(),
        "{ __schema { directives { name description locations args { name } } } }".to_owned(),
        "{ __type(name: \"Mutation\") { fields { name description args { name type { name } } } } }".to_owned(),
        aliases("__type(name: \"Query\") { name fields { name description } }"),
        aliases("__schema { types { name description } }"),
        "{ __schema { types { a_rather_long_alias_that_stands_before_every_name: name } } }".to_owned(),
    ] {
        let (points, bytes) = introspected(&text).unwrap();
        println!("{points} points for {bytes} bytes: {}", text.chars().take(100).collect::<String>());
        // The cost covers the length of the response, with a tolerance for differences between types.
        assert!(points * 1_250 >= bytes as u64, "{points} {bytes} {text}");
        let of_all = text.contains("types {");
        assert!(!of_all || points <= 4 + bytes as u64 * 3 / 1_000, "{points} {bytes} {text}");
    }
}

#[test]
fn the_question_that_tools_begin_with_passes_at_three_times_this_schema() {
    let (points, bytes) = introspected(STANDARD).unwrap();
    let most_bytes = Limits::DEFAULT.response_bytes(true);
    assert!(3 * points <= u64::from(Limits::DEFAULT.introspection_points), "{points}");
    assert!(3 * bytes <= most_bytes, "{bytes}");
    assert!(3 * points <= super::longest(most_bytes), "{points}");
}

#[test]
fn questions_that_go_in_circles_are_refused() {
    let deep = "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }";
    for text in [
        deep.to_owned(),
        "{ __type(name: \"Query\") { fields { type { fields { type { fields { type { fields { name } } } } } } } } }".to_owned(),
        "{ __type(name: \"Node\") { possibleTypes { possibleTypes { fields { name description } } interfaces { possibleTypes { fields { name } } } } } }".to_owned(),
    ] {
        assert_eq!(code(&introspected(&text).unwrap_err()), Some("QUERY_TOO_COMPLEX"), "{text}");
    }
}
