//! Attributes by name, the operator saying the type; tags by prefix; what there is, counted.

use serde_json::{Value, json};

use crate::{
    app::{App, Caller},
    outline::codes,
};

/// A product that names a record, its attributes and its tags.
type Given = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

const RECORDS: [Given; 7] = [
    ("a", &[("amount", "10"), ("state", "CA"), ("due", "2026-01-31")], &["company:Wells", "state:CA"]),
    ("b", &[("amount", " 9.5 "), ("state", "ca"), ("due", "2026-01-31T23:30:00-01:00")], &["company:Bank"]),
    ("c", &[("amount", "-1e3"), ("state", "NY")], &["company", "company;"]),
    ("d", &[("amount", "ten"), ("state", "New York"), ("due", "soon")], &[]),
    ("e", &[("amount", ""), ("amounts", "10"), ("amoun", "10")], &["state:NY"]),
    ("f", &[("due", "9999-12-31T23:59:59.999Z"), ("amount", "1,000")], &["company:Ärzte"]),
    ("g", &[], &[]),
];

pub async fn settle(caller: &Caller<'_>) {
    let attributes = |pairs: &[(&str, &str)]| -> Vec<Value> {
        let pair = |(name, value): &(&str, &str)| json!({ "name": name, "value": value });
        pairs.iter().filter(|(_, value)| !value.is_empty()).map(pair).collect()
    };
    for (product, pairs, tags) in RECORDS {
        let input = json!({ "kind": "SURVEY", "product": product, "attributes": attributes(pairs), "tags": tags });
        let done = caller.mutate("feedbackRecordCreate", input, "outcome errors { code path }").await;
        assert_eq!(done["outcome"], "CREATED", "{done}");
    }
}

/// The products of the records that a filter finds, in alphabetical order.
async fn found(caller: &Caller<'_>, filter: Value) -> String {
    let list = "query($filter: FeedbackRecordFilter) {
        feedbackRecords(filter: $filter, orderBy: [{ field: PRODUCT }]) { totalCount nodes { product } }
    }";
    let data = caller.data(list, json!({ "filter": filter })).await;
    let nodes = data["feedbackRecords"]["nodes"].as_array().unwrap();
    assert_eq!(data["feedbackRecords"]["totalCount"], nodes.len());
    nodes.iter().map(|node| node["product"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_attribute_is_compared_as_the_operator_says() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    settle(&caller).await;
    let amount = |number: Value| json!({ "name": "amount", "number": number });
    let state = |text: Value| json!({ "name": "state", "text": text });
    let due = |date: Value| json!({ "name": "due", "date": date });
    for (condition, expected) in [
        (amount(json!({ "gt": 9.5 })), "a"),
        (amount(json!({ "gte": 9.5 })), "ab"),
        (amount(json!({ "lt": 0 })), "c"),
        (amount(json!({ "lte": 9.5, "gt": -1000 })), "b"),
        (amount(json!({ "eq": 10 })), "a"),
        (amount(json!({ "neq": 10 })), "bc"),
        (amount(json!({ "in": [10, -1000.0, 7] })), "ac"),
        (amount(json!({ "in": [] })), ""),
        (amount(json!({})), "abc"),
        (amount(json!({ "isNull": true })), "df"),
        (amount(json!({ "isNull": false })), "abc"),
        (state(json!({ "eq": "CA" })), "a"),
        (state(json!({ "neq": "CA" })), "bcd"),
        (state(json!({ "in": ["CA", "NY", "%"] })), "ac"),
        (state(json!({ "startsWith": "N" })), "cd"),
        (state(json!({ "startsWith": "c" })), "ab"),
        (state(json!({ "contains": "YORK" })), "d"),
        (state(json!({ "contains": "_" })), ""),
        (due(json!({ "eq": "2026-01-31T00:00:00Z" })), "a"),
        (due(json!({ "gte": "2026-02-01T00:00:00Z" })), "bf"),
        (due(json!({ "lt": "2026-02-01T00:30:00Z" })), "a"),
        (due(json!({ "in": ["2026-01-31T00:00:00Z", "9999-12-31T23:59:59.999Z"] })), "af"),
        (due(json!({ "isNull": true })), "d"),
        (json!({ "name": "due" }), "abdf"),
        (json!({ "name": "due", "isNull": false }), "abdf"),
        (json!({ "name": "due", "isNull": true }), "ceg"),
        (json!({ "name": "amoun" }), "e"),
        (json!({ "name": "Amount" }), ""),
        (json!({ "name": "amount", "number": { "gt": 0 }, "text": { "startsWith": "1" } }), "a"),
        (json!({ "name": "amount", "hasAny": [{ "name": "state", "value": "NY" }] }), "c"),
    ] {
        assert_eq!(found(&caller, json!({ "attributes": condition })).await, expected, "{condition}");
        let all: String = RECORDS.iter().map(|(product, ..)| *product).filter(|it| !expected.contains(it)).collect();
        assert_eq!(found(&caller, json!({ "not": { "attributes": condition } })).await, all, "not {condition}");
    }
    let both = json!({ "and": [{ "attributes": amount(json!({ "gt": 0 })) }, { "attributes": state(json!({ "eq": "ca" })) }] });
    assert_eq!(found(&caller, both).await, "b");
    // A change of a record is a change of what is found.
    let list = "{ feedbackRecords(filter: { product: { eq: \"d\" } }) { nodes { id } } }";
    let id = caller.ask(list).await["feedbackRecords"]["nodes"][0]["id"].take();
    let change = json!({ "by": { "id": id }, "attributes": [{ "name": "amount", "value": "11" }] });
    assert_eq!(caller.mutate("feedbackRecordUpdate", change, "outcome").await["outcome"], "UPDATED");
    assert_eq!(found(&caller, json!({ "attributes": amount(json!({ "gt": 9.5 })) })).await, "ad");
    assert_eq!(found(&caller, json!({ "attributes": state(json!({ "contains": "york" })) })).await, "");
}

#[tokio::test]
async fn a_condition_without_a_name_is_refused() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let list = "query($filter: FeedbackRecordFilter) { feedbackRecords(filter: $filter) { totalCount } }";
    for condition in [
        json!({ "text": { "eq": "CA" } }),
        json!({ "number": { "gt": 1 } }),
        json!({ "date": {} }),
        json!({ "isNull": true }),
        json!({ "name": null, "isNull": true }),
        json!({ "name": "a\0b" }),
        json!({ "name": "a", "number": { "gt": null } }),
    ] {
        let reply = caller.run(list, json!({ "filter": { "attributes": condition } })).await.body;
        assert_eq!(codes(&reply), ["BAD_USER_INPUT"], "{condition} {reply:#}");
    }
}

#[tokio::test]
async fn tags_are_found_by_how_they_begin() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    settle(&caller).await;
    for (prefix, expected) in
        [("company:", "abf"), ("company", "abcf"), ("company:Ä", "f"), ("Company", ""), ("state:N", "e"), ("", "abcef")]
    {
        assert_eq!(found(&caller, json!({ "tags": { "hasPrefix": prefix } })).await, expected, "{prefix}");
    }
}

pub const NAMES: &str = "query($filter: FeedbackRecordFilter, $start: String, $first: Int, $after: String) {
    found: feedbackRecordAttributeNames(filter: $filter, startsWith: $start, first: $first, after: $after) {
        distinctCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        nodes { name count valueCount unparsedNumberCount unparsedDateCount }
    }
}";
pub const VALUES: &str = "query($name: String!, $filter: FeedbackRecordFilter, $start: String, $first: Int, $after: String) {
    found: feedbackRecordAttributeValues(name: $name, filter: $filter, startsWith: $start, first: $first, after: $after) {
        distinctCount unparsedNumberCount unparsedDateCount pageInfo { hasNextPage endCursor }
        nodes { value count valueNumber valueAt }
    }
}";
const TAGS: &str = "query($filter: FeedbackRecordFilter, $start: String, $first: Int, $after: String) {
    found: feedbackRecordTags(filter: $filter, startsWith: $start, first: $first, after: $after) {
        distinctCount pageInfo { hasNextPage endCursor } nodes { tag count }
    }
}";

/// All nodes, page by page.
pub async fn paged(caller: &Caller<'_>, document: &str, mut variables: Value) -> Vec<Value> {
    let mut nodes = Vec::new();
    loop {
        let found = caller.data(document, variables.clone()).await["found"].take();
        nodes.extend(found["nodes"].as_array().unwrap().iter().cloned());
        if found["pageInfo"]["hasNextPage"] == false {
            assert_eq!(found["distinctCount"], nodes.len());
            return nodes;
        }
        variables["after"] = found["pageInfo"]["endCursor"].clone();
    }
}

#[tokio::test]
async fn names_values_and_tags_are_told_with_their_counts_and_what_does_not_parse() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    settle(&caller).await;
    let name = |name: &str, count: u64, values: u64, no_number: u64, no_date: u64| {
        json!({ "name": name, "count": count, "valueCount": values, "unparsedNumberCount": no_number,
                "unparsedDateCount": no_date })
    };
    let names = [
        name("amoun", 1, 1, 0, 1),
        name("amount", 5, 5, 2, 5),
        name("amounts", 1, 1, 0, 1),
        name("due", 4, 4, 4, 1),
        name("state", 4, 4, 4, 4),
    ];
    for first in [1, 2, 100] {
        assert_eq!(paged(&caller, NAMES, json!({ "first": first })).await, names, "{first}");
    }
    assert_eq!(paged(&caller, NAMES, json!({ "start": "amount" })).await, names[1..3]);
    let some = json!({ "filter": { "product": { "in": ["a", "c"] } } });
    let of_some = [name("amount", 2, 2, 0, 2), name("due", 1, 1, 1, 0), name("state", 2, 2, 2, 2)];
    assert_eq!(paged(&caller, NAMES, some).await, of_some);

    let value = |value: &str, number: Option<f64>| json!({ "value": value, "count": 1, "valueNumber": number, "valueAt": null });
    let amounts = [
        value(" 9.5 ", Some(9.5)),
        value("-1e3", Some(-1000.0)),
        value("1,000", None),
        value("10", Some(10.0)),
        value("ten", None),
    ];
    for first in [1, 3, 100] {
        assert_eq!(paged(&caller, VALUES, json!({ "name": "amount", "first": first })).await, amounts, "{first}");
    }
    assert_eq!(paged(&caller, VALUES, json!({ "name": "amount", "start": "1" })).await, amounts[2..4]);
    let all = caller.data(VALUES, json!({ "name": "amount", "first": 1 })).await["found"].take();
    assert_eq!((&all["unparsedNumberCount"], &all["unparsedDateCount"]), (&json!(2), &json!(5)));
    let due = caller.data(VALUES, json!({ "name": "due" })).await["found"].take();
    assert_eq!(due["nodes"][1]["valueAt"], "2026-02-01T00:30:00Z");
    assert_eq!(due["unparsedDateCount"], 1);
    assert_eq!(paged(&caller, VALUES, json!({ "name": "none" })).await, Vec::<Value>::new());

    let tag = |tag: &str, count: u64| json!({ "tag": tag, "count": count });
    let tags = [
        tag("company", 1),
        tag("company:Bank", 1),
        tag("company:Wells", 1),
        tag("company:Ärzte", 1),
        tag("company;", 1),
        tag("state:CA", 1),
        tag("state:NY", 1),
    ];
    for first in [1, 2, 100] {
        assert_eq!(paged(&caller, TAGS, json!({ "first": first })).await, tags, "{first}");
    }
    assert_eq!(paged(&caller, TAGS, json!({ "start": "company:" })).await, tags[1..4]);
    for variables in
        [json!({ "first": 0 }), json!({ "first": 1001 }), json!({ "after": "x" }), json!({ "start": "a\0" })]
    {
        let reply = caller.run(NAMES, variables.clone()).await.body;
        assert_eq!(codes(&reply), ["BAD_USER_INPUT"], "{variables}");
    }
}

pub const GROUPS: &str =
    "query($by: [FeedbackRecordGroupKey!], $attributes: [String!], $tags: [String!], $first: Int, $after: String) {
    found: feedbackRecordGroups(
        groupBy: $by, attributes: $attributes, tagPrefixes: $tags, orderBy: KEY, first: $first, after: $after
    ) {
        recordCount distinctCount: groupCount pageInfo { hasNextPage endCursor }
        nodes { count attributes { name value } tags { prefix tag } }
    }
}";

#[tokio::test]
async fn records_are_grouped_by_attributes_and_by_tags_of_a_prefix() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    settle(&caller).await;
    let shown = |nodes: &[Value]| -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let one = |node: &Value| {
            let attributes = node["attributes"].as_array().unwrap().iter().map(|it| text(&it["value"]));
            let tags = node["tags"].as_array().unwrap().iter().map(|it| text(&it["tag"]));
            format!("{} {}", attributes.chain(tags).collect::<Vec<_>>().join(" "), node["count"])
        };
        nodes.iter().map(one).collect()
    };
    for first in [1, 2, 100] {
        let of = |variables: Value| {
            let mut variables = variables;
            variables["first"] = json!(first);
            paged(&caller, GROUPS, variables)
        };
        let states = of(json!({ "attributes": ["state"] })).await;
        assert_eq!(shown(&states), ["- 3", "CA 1", "NY 1", "New York 1", "ca 1"]);
        assert_eq!(states[1]["attributes"], json!([{ "name": "state", "value": "CA" }]));
        let companies = of(json!({ "tags": ["company:"] })).await;
        assert_eq!(shown(&companies), ["- 4", "company:Bank 1", "company:Wells 1", "company:Ärzte 1"]);
        let both = of(json!({ "by": ["KIND"], "attributes": ["amoun", "amounts"], "tags": ["state:"] })).await;
        assert_eq!(shown(&both), ["- - - 5", "- - state:CA 1", "10 10 state:NY 1"]);
    }
    for variables in [
        json!({ "attributes": ["a", "a"] }),
        json!({ "attributes": ["a", "b", "c", "d"] }),
        json!({ "tags": ["a", "b"] }),
        json!({ "tags": ["a\0"] }),
    ] {
        assert_eq!(codes(&caller.run(GROUPS, variables.clone()).await.body), ["BAD_USER_INPUT"], "{variables}");
    }
}

#[tokio::test]
async fn attributes_that_an_older_server_wrote_are_read_when_the_schema_becomes_newer() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    settle(&caller).await;
    // Letters that neither database folds by itself.
    let city =
        json!({ "kind": "SURVEY", "product": "z", "attributes": [{ "name": "city", "value": "Ärzte ÎLE ПЕТЯ" }] });
    caller.mutate("feedbackRecordCreate", city, "outcome").await;
    let city = json!({ "attributes": { "name": "city", "text": { "contains": "ÄRZTE îLe петя" } } });
    assert_eq!(found(&caller, city.clone()).await, "z");
    let amounts = json!({ "attributes": { "name": "amount", "number": { "gt": -2000 } } });
    let older = "UPDATE feedback_record_attributes SET value_folded = NULL, number = NULL, instant = NULL";
    app.database.change(older).await;
    assert_eq!(found(&caller, amounts.clone()).await, "");
    app.store.migrate().await.unwrap();
    assert_eq!(found(&caller, amounts).await, "abc");
    assert_eq!(found(&caller, json!({ "attributes": { "name": "state", "text": { "contains": "york" } } })).await, "d");
    assert_eq!(found(&caller, json!({ "attributes": { "name": "due", "date": {} } })).await, "abf");
    assert_eq!(found(&caller, city).await, "z");
}
