//! Filters that are wrong, or too much.

use serde_json::{Value, json};

use super::{assert_alive, assert_request_fails};
use crate::app::App;

const RECORDS: &str = "query($f: FeedbackRecordFilter) { feedbackRecords(filter: $f) { totalCount nodes { id } } }";

#[tokio::test]
async fn a_condition_that_cannot_be_asked_fails_the_request() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let cases = [
        ("eq null", json!({"product": {"eq": null}})),
        ("neq null", json!({"product": {"neq": null}})),
        ("in null", json!({"product": {"in": null}})),
        ("isNull null", json!({"product": {"isNull": null}})),
        ("a column null", json!({"product": null})),
        ("a relation null", json!({"point": null})),
        ("some null", json!({"routings": {"some": null}})),
        ("and null", json!({"and": null})),
        ("not null", json!({"not": null})),
        ("null in a list", json!({"product": {"in": [null]}})),
        ("a comparison of another type", json!({"nps": {"contains": "1"}})),
        ("contains on a column that cannot be searched", json!({"product": {"contains": "a"}})),
        ("an unknown column", json!({"nmae": {"eq": "a"}})),
        ("an unknown comparison", json!({"product": {"like": "a"}})),
        ("an unknown quantifier", json!({"routings": {"every": {}}})),
        ("a quantifier on a single row", json!({"point": {"some": {}}})),
        ("an unknown enum value", json!({"kind": {"eq": "NONSENSE"}})),
        ("a text for a number", json!({"nps": {"gt": "1"}})),
        ("a text for a boolean", json!({"product": {"isNull": "true"}})),
        ("half an attribute", json!({"attributes": {"hasAny": [{"name": "a"}]}})),
        ("1,001 values", json!({"product": {"in": vec!["a"; 1001]}})),
        ("1,001 tags", json!({"tags": {"hasAny": vec!["a"; 1001]}})),
        ("a text of 8,001 bytes", json!({"product": {"eq": "a".repeat(8001)}})),
        ("a NUL byte in eq", json!({"product": {"eq": "a\0"}})),
        ("a NUL byte in neq", json!({"product": {"neq": "a\0"}})),
        ("a NUL byte in in", json!({"product": {"in": ["a", "a\0"]}})),
        ("a NUL byte in contains", json!({"body": {"contains": "a\0"}})),
        ("a NUL byte in startsWith", json!({"body": {"startsWith": "a\0"}})),
        ("a NUL byte in a tag", json!({"tags": {"hasAny": ["a\0"]}})),
        ("a NUL byte in an attribute's name", json!({"attributes": {"hasAny": [{"name": "a\0", "value": "b"}]}})),
        ("a NUL byte in an attribute's value", json!({"attributes": {"hasNone": [{"name": "a", "value": "b\0"}]}})),
    ];
    for (name, filter) in cases {
        assert_request_fails(&caller, name, RECORDS, json!({"f": filter}), "BAD_USER_INPUT").await;
        let groups = "query($f: FeedbackRecordFilter) { feedbackRecordGroups(filter: $f) { recordCount } }";
        assert_request_fails(&caller, name, groups, json!({"f": filter}), "BAD_USER_INPUT").await;
    }
    assert_alive(&caller).await;
}

#[tokio::test]
async fn conditions_with_nothing_in_them_are_no_mistake() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    caller.mutate("feedbackRecordCreate", json!({"kind": "COMPLAINT"}), "outcome").await;
    let cases = [
        ("no filter", json!(null), 1),
        ("an empty filter", json!({}), 1),
        ("all of nothing", json!({"and": []}), 1),
        ("one of nothing", json!({"or": []}), 0),
        ("not nothing", json!({"not": {}}), 0),
        ("an empty comparison", json!({"product": {}}), 1),
        ("in nothing", json!({"product": {"in": []}}), 0),
        ("has any of nothing", json!({"tags": {"hasAny": []}}), 0),
        ("has all of nothing", json!({"tags": {"hasAll": []}}), 1),
        ("has none of nothing", json!({"tags": {"hasNone": []}}), 1),
        ("an empty quantifier", json!({"routings": {}}), 1),
    ];
    for (name, filter, expected) in cases {
        let found = caller.data(RECORDS, json!({"f": filter})).await;
        assert_eq!(found["feedbackRecords"]["totalCount"], expected, "{name}");
    }
}

/// A filter so many levels deep.
fn nested(levels: usize) -> Value {
    (1..levels)
        .fold(json!({}), |inner, level| if level % 2 == 0 { json!({"not": inner}) } else { json!({"and": [inner]}) })
}

/// A filter that follows so many relations.
fn following(relations: usize) -> Value {
    (0..relations).rev().fold(json!({}), |inner, place| {
        if place % 2 == 0 { json!({"point": inner}) } else { json!({"feedbackRecords": {"some": inner}}) }
    })
}

#[tokio::test]
async fn a_filter_has_a_depth() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    caller.data(RECORDS, json!({"f": nested(16)})).await;
    caller.data(RECORDS, json!({"f": following(8)})).await;
    for (name, filter) in [
        ("17 levels", nested(17)),
        ("100 levels", nested(100)),
        ("9 relations", following(9)),
        ("30 relations", following(30)),
    ] {
        assert_request_fails(&caller, name, RECORDS, json!({"f": filter}), "BAD_USER_INPUT").await;
    }
    assert_alive(&caller).await;
}

#[tokio::test]
async fn a_filter_has_a_size() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let several = |count: usize, each: Value| json!({"or": vec![each; count]});
    caller.data(RECORDS, json!({"f": several(160, json!({"product": {"eq": "a"}}))})).await;
    caller.data(RECORDS, json!({"f": {"tags": {"hasAll": vec!["a"; 1000]}}})).await;
    caller.data(RECORDS, json!({"f": several(5, json!({"product": {"in": vec!["a"; 1000]}}))})).await;
    for (name, filter) in [
        ("1,000 empty conditions", several(1_000, json!({}))),
        ("1,000 conditions", several(1_000, json!({"product": {"eq": "a"}}))),
        ("100,000 conditions", several(100_000, json!({"product": {"eq": "a"}}))),
        ("31 relations", several(31, json!({"routings": {"none": {}}}))),
        ("31 single relations", several(31, json!({"point": {}}))),
        ("31 conditions on tags", several(31, json!({"tags": {"hasAny": ["a"]}}))),
        ("6,000 values", several(6, json!({"product": {"in": vec!["a"; 1000]}}))),
    ] {
        assert_request_fails(&caller, name, RECORDS, json!({"f": filter}), "BAD_USER_INPUT").await;
    }
    assert_alive(&caller).await;
}

#[tokio::test]
async fn the_largest_filter_between_two_cursors_is_answered() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for rank in 0..3 {
        let input = json!({"name": format!("c{rank}"), "segment": format!("s{rank}")});
        caller.mutate("customerCreate", input, "outcome").await;
    }
    let document = "query($f: CustomerFilter, $a: String, $b: String) { customers(filter: $f, after: $a, before: $b,
        orderBy: [{field: NAME}, {field: SEGMENT, direction: DESC}, {field: CREATED_AT}, {field: UPDATED_AT}])
        { pageInfo { startCursor endCursor } } }";
    let whole = caller.data(document, json!({})).await;
    let (start, end) = (&whole["customers"]["pageInfo"]["startCursor"], &whole["customers"]["pageInfo"]["endCursor"]);
    let filter = json!({"or": vec![json!({"segment": {"in": vec!["a"; 1000]}}); 5]});
    let answer = caller.data(document, json!({"f": filter, "a": start, "b": end})).await;
    assert_eq!(answer["customers"]["pageInfo"]["startCursor"], Value::Null);
}

#[tokio::test]
async fn a_selection_that_cannot_be_answered_leaves_no_effect() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let before = app.dump(caller.organization()).await;
    let document =
        "mutation($f: FeedbackRecordFilter) { departmentCreate(input: {name: \"a\", idempotencyKey: \"k\"}) {
        outcome node { feedbackRecords(filter: $f) { totalCount } } } }";
    for filter in [following(9), nested(17), json!({"product": {"eq": null}}), json!({"product": {"eq": "a\0"}})] {
        assert_request_fails(&caller, "a filter", document, json!({"f": filter}), "BAD_USER_INPUT").await;
    }
    assert_eq!(app.dump(caller.organization()).await, before);
}

#[tokio::test]
async fn signs_with_a_meaning_elsewhere_are_matched_as_they_are() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let texts =
        ["'; DROP TABLE department; --", "100%", "a_b", "a\\b", "$1", "?1", "\"", "é\u{200d}\u{200e}", "\u{1f600}"];
    for text in texts {
        caller.mutate("departmentCreate", json!({"name": text}), "outcome").await;
    }
    let document = "query($t: String) { a: departments(filter: {name: {eq: $t}}) { nodes { name } }
        b: departments(filter: {name: {contains: $t}}) { nodes { name } }
        c: departments(filter: {name: {startsWith: $t}}) { nodes { name } } }";
    for text in texts {
        let found = caller.data(document, json!({"t": text})).await;
        for key in ["a", "b", "c"] {
            assert_eq!(found[key]["nodes"], json!([{"name": text}]), "{key} {text}");
        }
    }
}
