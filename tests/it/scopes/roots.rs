//! Root fields: the directive says what the server enforces.

use entity::Permission;
use serde_json::{Map, Value, json};

use super::all_but;
use crate::{
    app::App,
    fixture::{Extent, World, noun_of},
    outline::{Member, Outline, codes},
};

/// The least valid arguments of a root field.
fn arguments(world: &World<'_>, field: &Member) -> Value {
    if field.base().ends_with("Payload") {
        return json!({"input": world.input(field, Extent::Least)});
    }
    let noun = if field.base() == "Node" { "Organization" } else { field.base() };
    let required = field.arguments.iter().filter(|argument| argument.is_required());
    let given = required.filter_map(|argument| {
        // `ids` of `nodes` are as the id of `node`.
        let name = if argument.name == "ids" { "id" } else { &argument.name };
        Some((argument.name.clone(), world.value(&argument.ty, name, noun, Extent::Least)?))
    });
    Value::Object(given.collect::<Map<_, _>>())
}

#[tokio::test]
async fn a_root_field_is_forbidden_to_a_token_that_lacks_one_of_its_scopes_and_nothing_runs() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "One").await;
    for (operation, field) in outline.roots() {
        let document = Outline::document(operation, field, "{ __typename }");
        let arguments = arguments(&world, field);
        for missing in field.needed() {
            let caller = world.caller.with(all_but(missing));
            let before = app.store.statements();
            let reply = caller.run(&document, arguments.clone()).await.body;
            assert_eq!(codes(&reply), ["FORBIDDEN"], "{} without {missing:?}", field.name);
            assert_eq!(reply["errors"][0]["path"], json!([field.name]));
            assert_eq!(reply["data"], json!({&field.name: null}));
            assert_eq!(app.store.statements(), before, "{} without {missing:?} has run a statement", field.name);
        }
    }
}

#[tokio::test]
async fn the_siblings_of_a_forbidden_root_field_stand() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "One").await;
    for (operation, field) in outline.roots() {
        for missing in field.needed() {
            let sibling = match (operation, missing) {
                ("query", _) => "organization { __typename }",
                (_, Permission::MapWrite) => "customerCreate(input: {}) { __typename }",
                _ => "departmentCreate(input: {name: \"Sibling\"}) { __typename }",
            };
            let document = Outline::document(operation, field, "{ __typename }").replacen(
                '}',
                &format!("}} sibling: {sibling}"),
                1,
            );
            let reply = world.caller.with(all_but(missing)).run(&document, arguments(&world, field)).await.body;
            assert_eq!(codes(&reply), ["FORBIDDEN"], "{document} {reply:#}");
            assert_eq!(reply["data"][&field.name], Value::Null);
            assert!(reply["data"]["sibling"]["__typename"].is_string(), "{document} {reply:#}");
        }
    }
}

#[tokio::test]
async fn a_root_field_is_open_to_a_token_with_exactly_its_scopes() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "One").await;
    for (operation, field) in outline.roots() {
        let document = Outline::document(operation, field, "{ __typename }");
        // A new row that has one of several relations names a row, for which the scope to read it is needed.
        let made = field.name.strip_suffix("Create").and_then(|_| entity::noun_named(noun_of(field)));
        let named = made.into_iter().flat_map(|noun| noun.exactly_one.iter().map(|name| noun.relation(name).unwrap()));
        let scopes = field.needed().into_iter().chain(named.filter_map(|relation| relation.target.read));
        let reply = world.caller.with(scopes).run(&document, arguments(&world, field)).await.body;
        assert_eq!(codes(&reply), Vec::<&str>::new(), "{} {reply:#}", field.name);
        assert_ne!(reply["data"][&field.name], Value::Null, "{}", field.name);
    }
}

#[tokio::test]
async fn node_answers_null_without_a_hint_to_a_token_that_may_not_read_the_type() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "One").await;
    let document = "query($id: ID!) { node(id: $id) { __typename id } nodes(ids: [$id]) { id } }";
    for noun in entity::NOUNS {
        let id = json!({"id": world.newest(noun.name).id});
        let all = world.caller.run(document, id.clone()).await.body;
        assert_eq!(all["data"]["node"]["__typename"], noun.name, "{all:#}");
        if let Some(scope) = noun.read {
            let reply = world.caller.with(all_but(scope)).run(document, id).await.body;
            assert_eq!(reply, json!({"data": {"node": null, "nodes": [null]}}), "{}", noun.name);
        }
    }
}

#[tokio::test]
async fn the_node_of_a_payload_is_forbidden_to_a_token_that_may_only_write() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "One").await;
    for field in outline.mutations().iter().filter(|field| field.name.ends_with("Create")) {
        let noun = entity::NOUNS.iter().find(|noun| field.base() == format!("{}Payload", noun.name)).unwrap();
        let Some(scope) = noun.read.filter(|scope| !field.needed().contains(scope)) else { continue };
        // Naming the row of the one of these relations that the row has needs the scope.
        let input = arguments(&world, field)["input"].take();
        let is_named = |name: &&&str| !input[format!("{name}Ref")].is_null();
        let mut named = noun.exactly_one.iter().filter(is_named).map(|name| noun.relation(name).unwrap());
        if named.any(|relation| relation.target.read == Some(scope)) {
            continue;
        }
        let document = Outline::document("mutation", field, "{ outcome node { id } }");
        let reply = world.caller.with(all_but(scope)).run(&document, arguments(&world, field)).await.body;
        assert_eq!(codes(&reply), ["FORBIDDEN"], "{}", field.name);
        assert_eq!(reply["errors"][0]["path"], json!([field.name, "node"]));
        assert_eq!(reply["data"][&field.name], json!({"outcome": "CREATED", "node": null}), "{}", field.name);
    }
}
