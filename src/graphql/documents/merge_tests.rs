//! Tests of merging by execution of the merged operations.

use async_graphql::{EmptySubscription, Object, Response, Schema, Union, Variables};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::graphql::{
    documents::{document::Document, limits::Limits},
    failure::code,
    types::schema_index::SchemaIndex,
};

thread_local! {
    static READS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

struct Point {
    depth: i32,
}

#[Object]
impl Point {
    async fn id(&self, plus: Option<i32>) -> i32 {
        READS.set(READS.get() + 1);
        self.depth + plus.unwrap_or_default()
    }
    async fn name(&self) -> String {
        READS.set(READS.get() + 1);
        format!("point {}", self.depth)
    }
    async fn next(&self) -> Option<Point> {
        READS.set(READS.get() + 1);
        (self.depth < 6).then_some(Point { depth: self.depth + 1 })
    }
    async fn list(&self) -> Vec<Point> {
        READS.set(READS.get() + 1);
        vec![Point { depth: self.depth + 1 }, Point { depth: self.depth + 2 }]
    }
    async fn owner(&self) -> Owner {
        READS.set(READS.get() + 1);
        if self.depth % 2 == 0 { Owner::Point(Point { depth: 9 }) } else { Owner::Medium(Medium) }
    }
}

struct Medium;

#[Object]
impl Medium {
    async fn label(&self) -> &str {
        READS.set(READS.get() + 1);
        "telephone"
    }
}

#[derive(Union)]
enum Owner {
    Point(Point),
    Medium(Medium),
}

struct Query;

#[Object]
impl Query {
    async fn point(&self) -> Point {
        READS.set(READS.get() + 1);
        Point { depth: 0 }
    }
}

struct Mutation;

#[Object]
impl Mutation {
    async fn write(&self, number: Option<i32>) -> Point {
        READS.set(READS.get() + 1);
        Point { depth: number.unwrap_or_default() }
    }
}

type TestSchema = Schema<Query, Mutation, EmptySubscription>;

fn schema() -> (TestSchema, SchemaIndex) {
    let schema = Schema::new(Query, Mutation, EmptySubscription);
    let schema_index = SchemaIndex::read(&schema.sdl()).unwrap();
    (schema, schema_index)
}

/// Prepares and executes a document. Returns the response and the number of resolved fields of the test schema.
fn run(text: &str, variables: Json) -> (Response, usize) {
    let (schema, schema_index) = schema();
    let limits = Limits::DEFAULT;
    let prepared = Document::read(text, None, &limits)
        .and_then(|document| document.prepare(Variables::from_json(variables), &schema_index, &limits));
    READS.set(0);
    let response = match prepared {
        Ok(prepared) => futures_util::FutureExt::now_or_never(schema.execute(prepared.request())).unwrap(),
        Err(refused) => Response::from_errors(vec![refused]),
    };
    (response, READS.get())
}

fn data(text: &str, variables: Json) -> (Json, usize) {
    let (response, reads) = run(text, variables);
    assert!(response.errors.is_empty(), "{text}: {:?}", response.errors);
    (response.data.into_json().unwrap(), reads)
}

fn refusal(text: &str, variables: Json) -> String {
    let (response, _) = run(text, variables);
    assert!(!response.errors.is_empty(), "{text}: {:?}", response.data);
    response.errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_mutation_field_asked_for_twice_runs_once() {
    let once = (json!({"a": {"id": 0, "name": "point 0"}}), 3);
    for text in [
        "mutation { a: write { id } a: write { name } }",
        "mutation { ...F ...F } fragment F on Mutation { a: write { id name } }",
        "mutation { ...F ...G } fragment F on Mutation { a: write { id } } fragment G on Mutation { a: write { name } }",
        "mutation { a: write { id } ... on Mutation { a: write { name } } }",
        "mutation { a: write { id } ... { ... @include(if: true) { a: write { name } } } }",
        "mutation { a: write { id ...P } ...F } fragment F on Mutation { a: write { ...P } } fragment P on Point { name }",
    ] {
        assert_eq!(data(text, json!({})), once, "{text}");
    }
}

#[test]
fn two_mutation_fields_of_different_keys_run_twice() {
    assert_eq!(data("mutation { a: write { id } b: write { id } }", json!({})).1, 4);
}

#[test]
fn equal_arguments_merge_in_any_order_of_writing_and_variables_by_name() {
    let text =
        "mutation ($n: Int, $p: Int) { write(number: $n) { id(plus: $p) } write(number: $n) { id(plus: $p) name } }";
    let expected = json!({"write": {"id": 3, "name": "point 1"}});
    assert_eq!(data(text, json!({"n": 1, "p": 2})), (expected, 3));
}

#[test]
fn one_key_for_different_things_is_refused() {
    for text in [
        "mutation { a: write(number: 1) { id } a: write(number: 2) { id } }",
        "mutation { ...F ...G } fragment F on Mutation { a: write(number: 1) { id } } fragment G on Mutation { a: write { id } }",
        "mutation { a: write(number: 1) { id } ... on Mutation { a: write(number: 2) { id } } }",
        "{ point { a: id a: name } }",
        "{ point { a: id } point { ... on Point { a: name } } }",
    ] {
        assert!(refusal(text, json!({})).contains("conflict"), "{text}");
    }
}

#[test]
fn conditions_are_evaluated_with_variables_and_their_defaults() {
    let text = "query ($a: Boolean!, $b: Boolean = true) {
        point { id @skip(if: $a) id name @include(if: $b) next @skip(if: $b) { id } list { id @include(if: $a) } }
    }";
    let skipped = json!({"point": {"id": 0, "name": "point 0", "list": [{}, {}]}});
    assert_eq!(data(text, json!({"a": false})).0, skipped);
    let shown = json!({"point": {"id": 0, "next": {"id": 1}, "list": [{"id": 1}, {"id": 2}]}});
    assert_eq!(data(text, json!({"a": true, "b": false})).0, shown);
}

#[test]
fn a_default_decides_even_where_nothing_else_merges() {
    let text = "query ($a: Boolean = true) { point { id @skip(if: $a) name } }";
    assert_eq!(data(text, json!({})).0, json!({"point": {"name": "point 0"}}));
}

#[test]
fn a_condition_that_is_no_boolean_is_refused() {
    refusal("query ($a: Int) { point { id @skip(if: $a) } }", json!({"a": 1}));
    refusal("query ($a: Boolean) { point { id @skip(if: $a) } }", json!({}));
    refusal("query ($a: Boolean) { point { id @skip(if: $a) } }", json!({"a": null}));
    refusal("{ point { id @skip(if: $a) } }", json!({}));
    refusal("{ point { id @skip(if: \"yes\") } }", json!({}));
    refusal("{ point { id @skip } }", json!({}));
}

#[test]
fn what_is_skipped_or_merged_away_is_still_validated() {
    for text in [
        "{ point { id } point { unheard } }",
        "{ point { id id } ...F } fragment F on Query { point { unheard } }",
        "{ point { id id unheard @skip(if: true) } }",
        "{ point { id id ... @skip(if: true) { unheard } } }",
        "{ point { id id } } fragment Unused on Point { id }",
        "query ($unused: Int) { point { id id } }",
        "{ point { id id ...Unknown } }",
        "{ point { id id } point @unheard { name } }",
    ] {
        refusal(text, json!({}));
    }
}

#[test]
fn a_variable_used_only_in_a_condition_stays_used() {
    let text = "query ($a: Boolean!) { point { id @include(if: $a) id @include(if: $a) } }";
    assert_eq!(data(text, json!({"a": true})), (json!({"point": {"id": 0}}), 2));
    assert_eq!(data(text, json!({"a": false})), (json!({"point": {}}), 1));
}

#[test]
fn lists_and_their_items_are_read_once() {
    let text = "{ point { list { id next { id } } ...F ...G } }
        fragment F on Point { list { name next { id name } } }
        fragment G on Point { ...F list { ... on Point { id } } }";
    let (data, reads) = data(text, json!({}));
    assert_eq!(data["point"]["list"][0], json!({"id": 1, "name": "point 1", "next": {"id": 2, "name": "point 2"}}));
    assert_eq!(reads, 2 + 2 * 5);
}

#[test]
fn fragments_on_the_members_of_a_union_stay_apart() {
    let text = "{ point { owner { ...P ...M ... on Point { name id } } list { owner { ...P ...M } } } }
        fragment P on Point { id } fragment M on Medium { label }";
    let (data, reads) = data(text, json!({}));
    assert_eq!(data["point"]["owner"], json!({"id": 9, "name": "point 9"}));
    assert_eq!(data["point"]["list"][0]["owner"], json!({"label": "telephone"}));
    assert_eq!(reads, 2 + 2 + 1 + 4);
}

#[test]
fn a_document_without_doubles_is_left_as_it_is() {
    let text = "query ($a: Boolean!) { point { id @skip(if: $a) ...F } } fragment F on Point { name }";
    let parsed = async_graphql::parser::parse_query(text).unwrap();
    let (_, operation) = parsed.operations.iter().next().unwrap();
    let (variables, (_, schema_index)) = (Variables::from_json(json!({"a": false})), schema());
    let merged = super::merge(&operation.node, &parsed, &variables, &schema_index).unwrap();
    assert!(merged.selections().is_none());
    let without = Variables::from_json(json!({"a": true}));
    let merged = super::merge(&operation.node, &parsed, &without, &schema_index).unwrap();
    assert_eq!(merged.selections().map(|selections| selections.len()), Some(1));
}

fn selections() -> impl Strategy<Value = String> {
    let condition = prop_oneof![
        4 => Just(""),
        1 => Just(" @skip(if: $yes)"),
        1 => Just(" @include(if: $no)"),
        1 => Just(" @include(if: $yes)"),
        1 => Just(" @skip(if: false)"),
    ];
    let leaf =
        (prop_oneof![Just("id"), Just("name"), Just("a: id(plus: 1)"), Just("b: id(plus: 1)")], condition.clone())
            .prop_map(|(field, condition)| format!("{field}{condition}"));
    leaf.prop_recursive(4, 48, 4, move |inner| {
        let opening = prop_oneof![
            Just("next"),
            Just("c: next"),
            Just("list"),
            Just("..."),
            Just("... on Point"),
            Just("owner { ... on Point"),
        ];
        (opening, condition.clone(), proptest::collection::vec(inner, 1..5)).prop_map(|(opening, condition, inner)| {
            let inner = inner.join(" ");
            match opening {
                "owner { ... on Point" => {
                    format!("owner {{ ... on Point{condition} {{ {inner} }} ... on Medium {{ label }} }}")
                }
                _ => format!("{opening}{condition} {{ {inner} }}"),
            }
        })
    })
}

proptest! {
    #[test]
    fn the_answer_is_that_of_the_unmerged_document_with_every_field_read_once(
        sets in proptest::collection::vec(selections(), 1..6)
    ) {
        let text = format!(
            "query ($yes: Boolean!, $no: Boolean!) {{
                point @include(if: $yes) @skip(if: $no) {{ id ...F ...F ... on Point {{ ...F }} }}
            }} fragment F on Point {{ {} }}",
            sets.join(" "),
        );
        let variables = json!({"yes": true, "no": false});
        let (schema, _) = schema();
        let request = async_graphql::Request::new(&text).variables(Variables::from_json(variables.clone()));
        READS.set(0);
        let plain = futures_util::FutureExt::now_or_never(schema.execute(request)).unwrap();
        let plain_reads = READS.get();
        let (merged, reads) = run(&text, variables);
        prop_assume!(!merged.errors.iter().any(|error| code(error).is_some_and(|code| code.starts_with("TOO_"))));
        prop_assert!(plain.errors.is_empty(), "{:?}", plain.errors);
        prop_assert!(merged.errors.is_empty(), "{:?}", merged.errors);
        let data = merged.data.into_json().unwrap();
        prop_assert_eq!(plain.data.into_json().unwrap(), data.clone());
        prop_assert!(reads <= plain_reads);
        prop_assert_eq!(reads, fields_shown(&data));
    }
}

/// Returns the number of fields in a response.
fn fields_shown(value: &Json) -> usize {
    match value {
        Json::Object(fields) => fields.values().map(|value| 1 + fields_shown(value)).sum(),
        Json::Array(items) => items.iter().map(fields_shown).sum(),
        _ => 0,
    }
}
