//! Relations into another scope: as a field, in a filter, as the key of a group, and as a link.

use entity::{
    Noun, Permission,
    noun::{Link, Operation, Relationship},
};
use serde_json::{Value, json};

use super::all_but;
use crate::{
    app::App,
    fixture::{Extent, World},
    outline::{Outline, codes},
    pointer::{Pointer, of_input, pointers},
};

/// Relations whose target needs another scope than their own noun, with that scope.
fn foreign() -> impl Iterator<Item = (&'static Noun, &'static Relationship, Permission)> {
    entity::NOUNS.into_iter().flat_map(|noun| {
        let other = move |relation: &'static Relationship| {
            let scope = relation.target.read.filter(|scope| Some(*scope) != noun.read)?;
            Some((noun, relation, scope))
        };
        noun.relations.iter().filter_map(other)
    })
}

fn selection(relation: &Relationship) -> &'static str {
    if let Link::One { .. } = relation.link { "{ id }" } else { "{ totalCount nodes { id } }" }
}

#[tokio::test]
async fn a_relation_into_a_missing_scope_is_null_and_refused_once_and_its_siblings_stand() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "One").await;
    let mut cases = 0;
    for (noun, relation, scope) in foreign() {
        let document = format!(
            "query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {} {{ id relation: {} {} version }} }} }}",
            noun.name,
            relation.name,
            selection(relation)
        );
        let ids: Vec<&str> = world.rows[noun.name].iter().map(|row| row.id.as_str()).collect();
        let reply = world.caller.with(all_but(scope)).run(&document, json!({"ids": ids})).await.body;
        assert_eq!(codes(&reply), ["FORBIDDEN"], "{}.{}", noun.name, relation.name);
        assert_eq!(reply["errors"][0]["path"], json!(["nodes", 0, "relation"]));
        for (row, id) in reply["data"]["nodes"].as_array().unwrap().iter().zip(&ids) {
            assert_eq!((&row["id"], &row["relation"]), (&json!(id), &Value::Null));
            assert!(row["version"].is_number());
        }
        let open = world.caller.run(&document, json!({"ids": ids})).await.body;
        assert_eq!(open.get("errors"), None, "{open:#}");
        cases += 1;
    }
    assert!(cases > 10, "only {cases} relations were found");
}

#[tokio::test]
async fn a_filter_into_a_missing_scope_is_forbidden_wherever_it_stands() {
    let app = App::start().await;
    let outline = Outline::read();
    let one = app.organization("one").await;
    for (noun, relation, scope) in foreign().filter(|(noun, ..)| noun.offers(Operation::List)) {
        let is_list = outline
            .input(&format!("{}Filter", noun.name), relation.name)
            .is_some_and(|member| member.base().ends_with("ListFilter"));
        let inner: &[Value] =
            if is_list { &[json!({"some": {}}), json!({"none": {}}), json!({})] } else { &[json!({})] };
        for inner in inner {
            let own = json!({relation.name: inner});
            for filter in [own.clone(), json!({"not": own}), json!({"or": [{}, {"and": [own]}]})] {
                let document =
                    format!("query($f: {}Filter) {{ {}(filter: $f) {{ totalCount }} }}", noun.name, noun.plural);
                let reply = app.caller(one, all_but(scope)).run(&document, json!({"f": filter})).await.body;
                assert_eq!(codes(&reply), ["FORBIDDEN"], "{} {filter} {reply:#}", noun.plural);
                assert_eq!(reply["data"], json!({noun.plural: null}));
                let open = app.caller(one, Permission::ALL).run(&document, json!({"f": filter})).await.body;
                assert_eq!(open.get("errors"), None, "{} {filter} {open:#}", noun.plural);
            }
        }
    }
}

#[tokio::test]
async fn a_filter_two_relations_deep_needs_the_scopes_of_both() {
    let app = App::start().await;
    let one = app.organization("one").await;
    let document = "{ departments(filter: {feedbackRecords: {some: {routings: {some: {}}}}}) { totalCount } }";
    for missing in [Permission::RecordRead, Permission::ResponseRead] {
        let reply = app.caller(one, all_but(missing)).run(document, json!({})).await.body;
        assert_eq!(codes(&reply), ["FORBIDDEN"], "{missing:?}");
    }
    assert_eq!(app.caller(one, Permission::ALL).ask(document).await["departments"]["totalCount"], 0);
}

#[tokio::test]
async fn a_nested_list_with_a_forbidden_filter_is_null_where_it_may_be() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "One").await;
    let document =
        "{ interactionPoints { nodes { id feedbackRecords(filter: {routings: {some: {}}}) { totalCount } } } }";
    let reply = world.caller.with(all_but(Permission::ResponseRead)).run(document, json!({})).await.body;
    assert_eq!(codes(&reply), ["FORBIDDEN"]);
    assert_eq!(reply["errors"][0]["path"], json!(["interactionPoints", "nodes", 0, "feedbackRecords"]));
    for row in reply["data"]["interactionPoints"]["nodes"].as_array().unwrap() {
        assert!(row["id"].is_string() && row["feedbackRecords"].is_null(), "{row}");
    }
}

#[tokio::test]
async fn a_group_by_a_key_of_a_missing_scope_is_forbidden() {
    let app = App::start().await;
    let one = app.organization("one").await;
    let blind = app.caller(one, all_but(Permission::MapRead));
    let outline = Outline::read();
    let Some(crate::outline::Kind::Enum(keys)) = outline.types.get("FeedbackRecordGroupKey") else {
        panic!("there are no group keys")
    };
    for key in keys {
        let document = format!("{{ feedbackRecordGroups(groupBy: [{key}]) {{ recordCount }} }}");
        let reply = blind.run(&document, json!({})).await.body;
        let is_refused = match key.as_str() {
            "POINT" | "MEDIUM" | "DEPARTMENT" => true,
            "KIND" | "PRODUCT" | "TAG" => false,
            other => panic!("there is no case for the key {other}"),
        };
        assert_eq!(codes(&reply), vec!["FORBIDDEN"; usize::from(is_refused)], "{key} {reply:#}");
    }
    let filter = "{ feedbackRecordGroups(filter: {point: {name: {eq: \"x\"}}}) { recordCount } }";
    assert_eq!(codes(&blind.run(filter, json!({})).await.body), ["FORBIDDEN"]);
    let words = "{ feedbackRecordGroups(filter: {body: {contains: \"x\"}}) { recordCount } }";
    let blind = app.caller(one, all_but(Permission::CustomersRead));
    assert_eq!(codes(&blind.run(words, json!({})).await.body), ["FORBIDDEN"]);
}

#[tokio::test]
async fn naming_a_row_of_a_missing_scope_is_forbidden_and_writes_nothing() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "One").await;
    let before = app.dump(world.caller.organization()).await;
    let mut cases = 0;
    for field in outline.mutations() {
        let document = Outline::document("mutation", field, "{ __typename }");
        // The rows that a mutation writes take the scope to write them, however they are named.
        let is_order = field.name.contains("Order") || field.name.contains("Rank");
        let is_other = |pointer: &Pointer| pointer.is_reference && !is_order && !pointer.is_a_written_row();
        // Parts are not reached if their whole lacks a name: the parts of parts, and those of an upsert.
        let most = usize::from(!field.name.ends_with("Upsert"));
        for pointer in of_input(&outline, field).into_iter().filter(is_other).filter(|it| it.part_depth() <= most) {
            let target = entity::NOUNS.iter().find(|noun| noun.name == pointer.noun).unwrap();
            let Some(scope) = target.read.filter(|scope| !field.needed().contains(scope)) else { continue };
            let input = json!({"input": world.input(field, Extent::Least)});
            let row = world.newest(&pointer.noun);
            for name in [json!({"id": row.id}), json!({"externalId": row.external})] {
                let reply = world.caller.with(all_but(scope)).run(&document, pointer.put(&input, &name)).await.body;
                assert_eq!(codes(&reply), ["FORBIDDEN"], "{} {pointer:?} {reply:#}", field.name);
                assert_eq!(reply["data"], json!({&field.name: null}));
                cases += 1;
            }
        }
    }
    assert!(cases > 20, "only {cases} links were found");
    assert_eq!(app.dump(world.caller.organization()).await, before);
}

#[tokio::test]
async fn naming_a_row_of_a_missing_scope_in_a_query_is_forbidden() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "One").await;
    for field in outline.queries().iter().filter(|field| field.base() != "Node") {
        let document = Outline::document("query", field, "{ __typename }");
        let required = field.arguments.iter().filter(|argument| argument.is_required());
        let sound = required.filter_map(|argument| {
            Some((argument.name.clone(), world.value(&argument.ty, &argument.name, field.base(), Extent::Least)?))
        });
        let sound = Value::Object(sound.collect());
        for argument in &field.arguments {
            for pointer in pointers(&outline, argument, field.base(), 0).iter().filter(|pointer| pointer.is_reference) {
                let target = entity::NOUNS.iter().find(|noun| noun.name == pointer.noun).unwrap();
                let Some(scope) = target.read.filter(|scope| !field.needed().contains(scope)) else { continue };
                let given = pointer.put(&sound, &json!({"id": world.newest(&pointer.noun).id}));
                let reply = world.caller.with(all_but(scope)).run(&document, given).await.body;
                assert_eq!(codes(&reply), ["FORBIDDEN"], "{} {pointer:?} {reply:#}", field.name);
            }
        }
    }
}
