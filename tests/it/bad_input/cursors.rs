//! Cursors that are none, or not of this list and order.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::assert_request_fails;
use crate::app::{App, Caller};

const LIST: &str = "query($c: String) { feedbackRecords(first: 1, after: $c, orderBy: [{field: PRODUCT}]) { pageInfo { endCursor } } }";

async fn cursor(caller: &Caller<'_>) -> String {
    caller.mutate("feedbackRecordCreate", json!({"kind": "COMPLAINT", "product": "Loan"}), "outcome").await;
    let page = caller.data(LIST, json!({"c": null})).await;
    page["feedbackRecords"]["pageInfo"]["endCursor"].as_str().unwrap().to_owned()
}

fn parts(cursor: &str) -> Vec<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).unwrap()).unwrap()
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test]
async fn a_cursor_that_was_not_given_out_fails_the_request() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let sound = cursor(&caller).await;
    let given = parts(&sound);
    let with = |place: usize, value: Value| {
        let mut changed = given.clone();
        changed[place] = value;
        encoded(&json!(changed))
    };
    let mut longer = given.clone();
    longer.push(json!(1));
    let cases = [
        ("nothing", String::new()),
        ("no base 64", "!!".to_owned()),
        ("padding", format!("{sound}==")),
        ("base 64 of nothing", URL_SAFE_NO_PAD.encode("")),
        ("base 64 of no JSON", URL_SAFE_NO_PAD.encode("nonsense")),
        ("base 64 of no text", URL_SAFE_NO_PAD.encode([0xff, 0xfe])),
        ("an empty list", encoded(&json!([]))),
        ("an object", encoded(&json!({"a": 1}))),
        ("a deep list", URL_SAFE_NO_PAD.encode("[".repeat(100_000))),
        ("cut short", sound[..sound.len() - 4].to_owned()),
        ("an edited signature", with(0, json!("AAAAAAAA"))),
        ("a number as signature", with(0, json!(1))),
        ("a number for a text", with(1, json!(1))),
        ("an object for a text", with(1, json!({}))),
        ("a NUL byte in a text", with(1, json!("Lo\0an"))),
        ("a number for an id", with(2, json!(1))),
        ("null for an id", with(2, json!(null))),
        ("a word for an id", with(2, json!("x"))),
        ("a value too few", encoded(&json!(given[..2]))),
        ("a value too many", encoded(&json!(longer))),
        ("100,000 signs", "A".repeat(100_000)),
        ("a NUL byte", "\0".to_owned()),
    ];
    let before = "query($c: String) { feedbackRecords(before: $c, orderBy: [{field: PRODUCT}]) { totalCount } }";
    for (name, cursor) in cases {
        assert_request_fails(&caller, name, LIST, json!({"c": cursor}), "BAD_USER_INPUT").await;
        assert_request_fails(&caller, name, before, json!({"c": cursor}), "BAD_USER_INPUT").await;
    }
    assert_eq!(caller.data(before, json!({"c": sound})).await["feedbackRecords"]["totalCount"], 1);
}

#[tokio::test]
async fn a_cursor_of_another_list_order_or_direction_fails_the_request() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let sound = cursor(&caller).await;
    let cases = [
        ("no order", "feedbackRecords(after: $c)"),
        ("another order", "feedbackRecords(after: $c, orderBy: [{field: RECEIVED_AT}])"),
        ("another direction", "feedbackRecords(after: $c, orderBy: [{field: PRODUCT, direction: DESC}])"),
        ("another order of nulls", "feedbackRecords(after: $c, orderBy: [{field: PRODUCT, nulls: LAST}])"),
        ("a further order", "feedbackRecords(after: $c, orderBy: [{field: PRODUCT}, {field: CREATED_AT}])"),
        ("another list", "customers(after: $c, orderBy: [{field: SEGMENT}])"),
    ];
    for (name, list) in cases {
        let document = format!("query($c: String) {{ {list} {{ totalCount }} }}");
        assert_request_fails(&caller, name, &document, json!({"c": sound}), "BAD_USER_INPUT").await;
    }
}

#[tokio::test]
async fn numbers_in_a_cursor_are_numbers_of_the_column() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    cursor(&caller).await;
    let list = "query($c: String) { feedbackRecords(first: 1, after: $c, orderBy: [{field: RECEIVED_AT}]) { pageInfo { endCursor } } }";
    let page = caller.data(list, json!({"c": null})).await;
    let given = parts(page["feedbackRecords"]["pageInfo"]["endCursor"].as_str().unwrap());
    for value in [json!(1.5), json!(u64::MAX), json!("1"), json!(null), json!(true), json!([1])] {
        let mut changed = given.clone();
        changed[1] = value.clone();
        let cursor = encoded(&json!(changed));
        assert_request_fails(&caller, &value.to_string(), list, json!({"c": cursor}), "BAD_USER_INPUT").await;
    }
    for value in [json!(i64::MAX), json!(i64::MIN)] {
        let mut changed = given.clone();
        changed[1] = value;
        caller.data(list, json!({"c": encoded(&json!(changed))})).await;
    }
}

#[tokio::test]
async fn a_cursor_of_another_nouns_list_in_the_same_order_fails_the_request() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let list = |field: &str| {
        format!("query($c: String) {{ {field}(after: $c, orderBy: [{{field: NAME}}]) {{ pageInfo {{ endCursor }} }} }}")
    };
    caller.mutate("mediumCreate", json!({"name": "Phone"}), "outcome").await;
    let departments = caller.data(&list("departments"), json!({"c": null})).await;
    let cursor = &departments["departments"]["pageInfo"]["endCursor"];
    caller.data(&list("departments"), json!({"c": cursor})).await;
    assert_request_fails(&caller, "a cursor", &list("mediums"), json!({"c": cursor}), "BAD_USER_INPUT").await;
}
