//! Numbers out of range; tags and attributes that are too many, too long or doubled.

use serde_json::{Value, json};

use super::{TOLD, assert_refused, only};
use crate::app::{App, Caller};

async fn department(caller: &Caller<'_>) -> Value {
    caller.ask("{ organization { fallbackDepartment { id } } }").await["organization"]["fallbackDepartment"].take()
}

/// The one error of a payload, about an item of a list.
fn item(code: &'static str, path: &str, at: usize) -> Vec<(&'static str, Value)> {
    vec![(code, json!([path, at.to_string()]))]
}

#[tokio::test]
async fn a_number_out_of_range_is_refused_and_its_bounds_are_not() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let department = department(&caller).await;
    let point = caller.mutate("interactionPointCreate", json!({"name": "Desk"}), "node { id }").await["node"].take();
    let record = |name: &str, value: Value| ("feedbackRecordCreate", json!({"kind": "COMPLAINT", name: value}));
    let expectation = |name: &str, value: Value| {
        ("expectationCreate", json!({"statement": "a", "source": "RESEARCH", "pointRef": point, name: value}))
    };
    let rule = |name: &str, value: Value| {
        let mut input = json!({"name": "a", "position": 1, "departmentRef": department});
        input[name] = value;
        ("routingRuleCreate", input)
    };
    let wrong = [
        ("nps", record("nps", json!(11))),
        ("nps", record("nps", json!(-1))),
        ("nps", record("nps", json!(i32::MAX))),
        ("nps", record("nps", json!(i32::MIN))),
        ("csat", record("csat", json!(0))),
        ("csat", record("csat", json!(6))),
        ("ces", record("ces", json!(0))),
        ("ces", record("ces", json!(8))),
        ("sentimentScore", record("sentimentScore", json!(1.1))),
        ("sentimentScore", record("sentimentScore", json!(-1.000_001))),
        ("sentimentScore", record("sentimentScore", json!(1e308))),
        ("importance", expectation("importance", json!(0))),
        ("importance", expectation("importance", json!(8))),
        ("position", rule("position", json!(-1))),
        ("position", rule("position", json!(1_000_001))),
        ("scoreFrom", rule("scoreFrom", json!(-1.1))),
        ("scoreTo", rule("scoreTo", json!(1.1))),
    ];
    let cases = wrong.into_iter().map(|(name, (field, input))| (name, field, input, only("OUT_OF_RANGE", name)));
    assert_refused(&app, &caller, cases.collect()).await;
    let (field, mut empty) = rule("scoreFrom", json!(0.5));
    empty["scoreTo"] = json!(0.4);
    let cases = vec![("an empty range", field, empty, only("OUT_OF_RANGE", "scoreTo"))];
    assert_refused(&app, &caller, cases).await;
    let right = [
        record("nps", json!(0)),
        record("nps", json!(10)),
        record("csat", json!(1)),
        record("csat", json!(5)),
        record("ces", json!(1)),
        record("ces", json!(7)),
        record("sentimentScore", json!(-1)),
        record("sentimentScore", json!(1.0)),
        expectation("importance", json!(1)),
        expectation("importance", json!(7)),
        expectation("targetValue", json!(-922_337_203_685_477.5)),
        rule("position", json!(0)),
        rule("position", json!(1_000_000)),
    ];
    for (field, input) in right {
        let payload = caller.mutate(field, input.clone(), TOLD).await;
        assert_eq!(payload["errors"], json!([]), "{field} {input}");
    }
}

#[tokio::test]
async fn tags_and_attributes_have_limits() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let tags = |tags: Vec<String>| json!({"kind": "COMPLAINT", "tags": tags});
    let pairs = |pairs: Vec<(String, String)>| {
        let pairs: Vec<Value> = pairs.into_iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        json!({"kind": "COMPLAINT", "attributes": pairs})
    };
    let one = |text: &str| text.to_owned();
    let numbered = |most: usize| (0..most).map(|place| format!("t{place}")).collect::<Vec<_>>();
    let paired = |most: usize| numbered(most).into_iter().map(|name| (name, "v".to_owned())).collect::<Vec<_>>();
    let field = "feedbackRecordCreate";
    let cases = vec![
        ("51 tags", field, tags(numbered(51)), only("TOO_LONG", "tags")),
        ("10,000 tags", field, tags(numbered(10_000)), only("TOO_LONG", "tags")),
        ("a tag of 65", field, tags(vec!["a".repeat(65)]), item("TOO_LONG", "tags", 0)),
        ("an empty tag", field, tags(vec![one("")]), item("REQUIRED", "tags", 0)),
        ("a blank tag", field, tags(vec![one(" ")]), item("REQUIRED", "tags", 0)),
        ("a NUL byte in a tag", field, tags(vec![one("a\0")]), item("INVALID", "tags", 0)),
        ("a line break in a tag", field, tags(vec![one("a"), one("a\nb")]), item("INVALID", "tags", 1)),
        ("21 attributes", field, pairs(paired(21)), only("TOO_LONG", "attributes")),
        (
            "an attribute twice",
            field,
            pairs(vec![(one("a"), one("1")), (one("a"), one("2"))]),
            only("INVALID", "attributes"),
        ),
        ("an empty name", field, pairs(vec![(one(""), one("1"))]), item("REQUIRED", "attributes", 0)),
        ("an empty value", field, pairs(vec![(one("a"), one(""))]), item("REQUIRED", "attributes", 0)),
        ("a name of 201", field, pairs(vec![("a".repeat(201), one("1"))]), item("TOO_LONG", "attributes", 0)),
        ("a value of 201", field, pairs(vec![(one("a"), "1".repeat(201))]), item("TOO_LONG", "attributes", 0)),
        ("a NUL byte in a name", field, pairs(vec![(one("a\0"), one("1"))]), item("INVALID", "attributes", 0)),
        ("a NUL byte in a value", field, pairs(vec![(one("a"), one("1\0"))]), item("INVALID", "attributes", 0)),
        ("the separator in a name", field, pairs(vec![(one("a\u{1f}b"), one("1"))]), item("INVALID", "attributes", 0)),
    ];
    assert_refused(&app, &caller, cases).await;
    let most = [
        tags(numbered(50)),
        tags(vec!["é".repeat(64)]),
        tags(vec![one("a"); 60]),
        pairs(paired(20)),
        pairs(vec![("é".repeat(200), "é".repeat(200))]),
    ];
    for input in most {
        let payload = caller.mutate(field, input.clone(), TOLD).await;
        assert_eq!(payload["errors"], json!([]), "{input}");
    }
}
