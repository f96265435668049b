//! Lists searched for another organization's values, and continued with its cursors.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Neighbours, SECRET};
use crate::{
    app::App,
    outline::{Kind, Member, Outline, codes},
};

/// Conditions on the texts of hidden rows of a noun; each holds for one of them.
async fn conditions(both: &Neighbours<'_>, outline: &Outline, noun: &str) -> Vec<Value> {
    let document =
        format!("query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {noun} {} }} }}", outline.select(noun, 1));
    let ids: Vec<&str> = both.hidden.rows[noun].iter().map(|row| row.id.as_str()).collect();
    let reply = both.hidden.caller.run(&document, json!({"ids": ids})).await.body;
    let rows = reply["data"]["nodes"].as_array().unwrap();
    rows.iter().flat_map(|row| conditions_of(outline, noun, row)).collect()
}

fn conditions_of(outline: &Outline, noun: &str, row: &Value) -> Vec<Value> {
    let filter = format!("{noun}Filter");
    let mut found = Vec::new();
    for member in outline.inputs(&filter) {
        let value = &row[&member.name];
        let operators: &[&str] = match member.base() {
            "TextFilter" | "NullableTextFilter" => &["eq", "in", "contains", "startsWith", "matches"],
            "StringFilter" | "NullableStringFilter" => &["eq", "in"],
            "TagsFilter" => &["hasAny", "hasAll"],
            _ => continue,
        };
        // What the server wrote itself is the same everywhere, but for ids of messages.
        if value.to_string().contains(SECRET) || member.name == "messageId" {
            found.extend(operators.iter().map(|operator| json!({&member.name: {*operator: value}})));
        }
    }
    found
}

#[tokio::test]
async fn no_condition_on_values_finds_a_row_of_another_organization() {
    let (app, outline) = (App::start().await, Outline::read());
    let both = Neighbours::settle(&app, &outline).await;
    let mut cases = 0;
    for (noun, field) in outline.lists() {
        let document = Outline::document("query", field, "{ totalCount nodes { id } }");
        let mut filters = conditions(&both, &outline, noun).await;
        assert!(!filters.is_empty(), "{noun} has no text to look for");
        for member in outline.inputs(&format!("{noun}Filter")) {
            let Some(target) =
                member.base().strip_suffix("ListFilter").or_else(|| member.base().strip_suffix("Filter"))
            else {
                continue;
            };
            if !both.hidden.rows.contains_key(target) || ["and", "or", "not"].contains(&member.name.as_str()) {
                continue;
            }
            for inner in conditions(&both, &outline, target).await {
                let inner = if member.base().ends_with("ListFilter") { json!({"some": inner}) } else { inner };
                filters.push(json!({&member.name: inner}));
            }
        }
        let mut missed: BTreeSet<String> =
            filters.iter().flat_map(|filter| filter.as_object().unwrap().keys().cloned()).collect();
        for filter in filters {
            let found = both.hidden.caller.run(&document, json!({"filter": filter})).await.body;
            if found["data"][&field.name]["totalCount"].as_i64() == Some(0) {
                continue;
            }
            missed.retain(|name| filter.get(name).is_none());
            let (answer, _) = both.probe(&document, json!({"filter": filter})).await;
            assert_eq!(answer["data"][&field.name], json!({"totalCount": 0, "nodes": []}), "{noun} {filter}");
            cases += 1;
        }
        assert_eq!(missed, BTreeSet::new(), "conditions on these find nothing in their own organization either");
    }
    assert!(cases > 100, "only {cases} cases were found");
}

/// The orders of a list: none, and each of its columns.
fn orders(outline: &Outline, noun: &str) -> Vec<Value> {
    let Some(Kind::Enum(columns)) = outline.types.get(&format!("{noun}OrderField")) else {
        panic!("{noun} has no orders")
    };
    let by = columns.iter().map(|column| json!([{"field": column}]));
    [Value::Null].into_iter().chain(by).collect()
}

#[tokio::test]
async fn a_cursor_of_another_organization_is_no_cursor() {
    let (app, outline) = (App::start().await, Outline::read());
    let both = Neighbours::settle(&app, &outline).await;
    for (noun, field) in outline.lists() {
        let document = Outline::document("query", field, "{ pageInfo { endCursor } nodes { id } }");
        for order in orders(&outline, noun) {
            let reply = both.hidden.caller.run(&document, json!({"first": 1, "orderBy": order})).await.body;
            let cursor = reply["data"][&field.name]["pageInfo"]["endCursor"].as_str().unwrap();
            for argument in ["after", "before"] {
                let given = |cursor: &str| json!({"orderBy": order, argument: cursor});
                let answer = both.alike(&document, given(cursor), given("nonsense")).await;
                assert_eq!(codes(&answer), ["BAD_USER_INPUT"], "{noun} {order}");
                assert_eq!(answer["data"], json!({&field.name: null}), "{noun} {order}");
            }
        }
    }
}

/// The lists below rows of a noun.
fn children<'a>(outline: &'a Outline, noun: &str) -> impl Iterator<Item = &'a Member> {
    outline.fields(noun).iter().filter(|field| field.base().ends_with("Connection"))
}

#[tokio::test]
async fn a_cursor_of_another_organizations_child_list_is_no_cursor() {
    let (app, outline) = (App::start().await, Outline::read());
    let both = Neighbours::settle(&app, &outline).await;
    let mut cases = 0;
    for noun in entity::NOUNS {
        for child in children(&outline, noun.name) {
            let document = format!(
                "query($id: ID!, $after: String) {{ node(id: $id) {{ ... on {} {{
                    {}(first: 1, after: $after) {{ pageInfo {{ endCursor }} nodes {{ id }} }} }} }} }}",
                noun.name, child.name
            );
            let rows = &both.hidden.rows[noun.name];
            for row in rows {
                let reply = both.hidden.caller.run(&document, json!({"id": row.id})).await.body;
                let page = &reply["data"]["node"][&child.name]["pageInfo"];
                let Some(cursor) = page["endCursor"].as_str() else { continue };
                let own = &both.curious.newest(noun.name).id;
                let given = |cursor: &str| json!({"id": own, "after": cursor});
                let answer = both.alike(&document, given(cursor), given("nonsense")).await;
                assert_eq!(codes(&answer), ["BAD_USER_INPUT"], "{} {}", noun.name, child.name);
                cases += 1;
            }
        }
    }
    assert!(cases >= 10, "only {cases} cases were found");
}
