//! The row that a mutation is about, named by its id or by its id in another system.

use entity::{Permission, id};
use serde_json::{Value, json};

use crate::{
    app::App,
    fixture::{Extent, World, noun_of},
    outline::Outline,
    writes::codes,
};

const TOLD: &str = "outcome errors { code path } node { id version externalIds { id } }";

fn key(id: &str) -> Value {
    json!({ "system": "crm", "id": id })
}

fn external(id: &str) -> Value {
    json!({ "externalId": key(id) })
}

#[tokio::test]
async fn every_mutation_of_a_row_takes_its_external_id_for_one_more_statement() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "One").await;
    for field in outline.mutations() {
        let noun = noun_of(field);
        let Some(by) = outline.input(field.arguments[0].base(), "by") else { continue };
        assert_eq!(outline.referenced(&by.ty), Some(noun), "{}", field.name);
        let row = world.newest(noun);
        let (Some(key), false) = (&row.external, field.name.ends_with("Delete") || field.name.ends_with("Erase"))
        else {
            continue;
        };
        let document = Outline::document("mutation", field, "{ node { id } errors { code path } }");
        let (mut statements, mut is_refused) = (Vec::new(), false);
        let id = || json!({ "id": row.id });
        for by in [id(), id(), json!({ "externalId": key }), id()] {
            let mut input = world.input(field, Extent::Least);
            input["by"] = by;
            // The second finds done what the first has done, and out of date what the server remembers of it.
            let before = app.store.statements();
            let done = world.caller.data(&document, json!({ "input": input })).await[&field.name].take();
            statements.push(app.store.statements() - before);
            // Rules may refuse it; that the row is found is what counts.
            is_refused |= done["errors"] != json!([]);
            let missed = json!({ "code": "NOT_FOUND", "path": ["by"] });
            assert!(!done["errors"].as_array().unwrap().contains(&missed), "{} {done:#}", field.name);
            if !field.name.ends_with("Copy") {
                assert_eq!(done["node"]["id"], row.id.as_str(), "{} {done:#}", field.name);
            }
        }
        // What is refused because of remembered rows is tried again with those that are there.
        let tries = if is_refused { 2 } else { 1 };
        assert!(statements[2] <= statements[1].max(statements[3]) + tries, "{} {statements:?}", field.name);
    }
}

#[tokio::test]
async fn a_row_is_updated_archived_and_deleted_by_its_external_id() {
    let app = App::start().await;
    let (caller, other) = (app.admin("one").await, app.admin("other").await);
    for caller in [&caller, &other] {
        caller.mutate("mediumCreate", json!({ "name": "Phone", "externalIds": [key("1")] }), TOLD).await;
    }
    let update = json!({ "by": external("1"), "name": "Call", "expectedVersion": 1 });
    let done = caller.mutate("mediumUpdate", update.clone(), TOLD).await;
    assert_eq!((&done["outcome"], &done["node"]["version"]), (&json!("UPDATED"), &json!(2)));
    let stale = caller.mutate("mediumUpdate", update, TOLD).await;
    assert_eq!((codes(&stale), &stale["node"]["version"]), (vec!["CONFLICT"], &json!(2)));
    let stale = json!({ "by": external("1"), "expectedVersion": 1 });
    let stale = caller.mutate("mediumArchive", stale, TOLD).await;
    assert_eq!((codes(&stale), &stale["node"]["version"]), (vec!["CONFLICT"], &json!(2)));
    // Unlike an upsert, an update may take away the external id that names its row.
    let renamed = json!({ "by": external("1"), "externalIds": [key("2")], "externalIdsRemove": [key("1")] });
    let renamed = caller.mutate("mediumUpdate", renamed, TOLD).await;
    assert_eq!(renamed["node"]["externalIds"], json!([{ "id": "2" }]));
    for (field, outcome) in [
        ("mediumArchive", "UPDATED"),
        ("mediumArchive", "UNCHANGED"),
        ("mediumUnarchive", "UPDATED"),
        ("mediumDelete", "DELETED"),
    ] {
        let done = caller.mutate(field, json!({ "by": external("2") }), "outcome errors { code }").await;
        assert_eq!(done, json!({ "outcome": outcome, "errors": [] }), "{field}");
    }
    // Deleted, never there, of another organization, and no id: all alike.
    let foreign = other.ask("{ mediums { nodes { id } } }").await["mediums"]["nodes"][0]["id"].take();
    let gone = [external("2"), external("9"), external(" "), json!({ "id": foreign }), json!({ "id": "x" })];
    for by in gone.into_iter().chain([json!({ "id": id::encode("med", id::new()) })]) {
        for field in ["mediumUpdate", "mediumArchive", "mediumUnarchive", "mediumDelete"] {
            let done = caller.mutate(field, json!({ "by": by }), TOLD).await;
            let expected = json!([{ "code": "NOT_FOUND", "path": ["by"] }]);
            assert_eq!((&done["errors"], &done["node"]), (&expected, &Value::Null), "{field} {by}");
        }
    }
}

#[tokio::test]
async fn sets_orders_and_ranks_take_external_ids_of_the_whole_and_of_the_parts() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for (field, input) in [
        ("interactionPointCreate", json!({ "name": "Desk", "externalIds": [key("desk")] })),
        ("mediumCreate", json!({ "name": "Phone", "externalIds": [key("phone")] })),
        ("journeyCreate", json!({ "title": "Trip", "externalIds": [key("trip")] })),
    ] {
        assert_eq!(codes(&caller.mutate(field, input, "errors { code }").await), [""; 0]);
    }
    for name in ["a", "b"] {
        let wish = json!({ "statement": name, "source": "RESEARCH", "pointRef": external("desk"), "externalIds": [key(name)] });
        caller.mutate("expectationCreate", wish, "errors { code }").await;
        let stage = json!({ "name": name, "journeyRef": external("trip"), "externalIds": [key(name)] });
        caller.mutate("stageCreate", stage, "errors { code }").await;
    }
    let both = json!([external("b"), external("a")]);
    for (field, whole, list, items) in [
        ("interactionPointSetMediums", "desk", "mediums", json!([external("phone")])),
        ("interactionPointRankExpectations", "desk", "expectations", both.clone()),
        ("journeyOrderStages", "trip", "stages", both),
    ] {
        let done =
            caller.mutate(field, json!({ "by": external(whole), list: items }), "outcome errors { code path }").await;
        assert_eq!(done, json!({ "outcome": "UPDATED", "errors": [] }), "{field}");
        let input = json!({ "by": external(whole), list: [external("none")] });
        let done = caller.mutate(field, input, "errors { code path }").await;
        assert_eq!(done["errors"], json!([{ "code": "NOT_FOUND", "path": [list, "0"] }]), "{field}");
    }
    let shown = "{ stages(orderBy: [{ field: POSITION }]) { nodes { name } } expectations(orderBy: [{ field: RANK }]) { nodes { statement } } }";
    let expected = json!({ "stages": { "nodes": [{ "name": "b" }, { "name": "a" }] },
        "expectations": { "nodes": [{ "statement": "b" }, { "statement": "a" }] } });
    assert_eq!(caller.ask(shown).await, expected);
}

/// External ids of customers say who somebody is.
#[tokio::test]
async fn a_token_that_writes_customers_names_them_by_external_id_and_one_that_does_not_read_them_names_no_record() {
    let app = App::start().await;
    let admin = app.admin("one").await;
    let person = json!({ "name": "Ada", "externalIds": [key("1")] });
    admin.mutate("customerCreate", person, "errors { code }").await;
    admin
        .mutate("feedbackRecordCreate", json!({ "kind": "PRAISE", "externalIds": [key("1")] }), "errors { code }")
        .await;
    let sync = app.caller(admin.organization(), [Permission::CustomersWrite]);
    let done = sync.mutate("customerUpdate", json!({ "by": external("1"), "segment": "b" }), "outcome").await;
    assert_eq!(done["outcome"], "UPDATED");
    let desk = app.caller(admin.organization(), [Permission::ResponseWrite, Permission::RecordRead]);
    let document = "mutation($input: FeedbackRecordRerouteInput!) { feedbackRecordReroute(input: $input) { outcome } }";
    let by = |by: Value| json!({ "input": { "by": by, "reason": "so" } });
    for unknown in ["1", "2"] {
        let refused = desk.run(document, by(external(unknown))).await.body;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN", "{refused:#}");
    }
    let record = admin.ask("{ feedbackRecords { nodes { id } } }").await["feedbackRecords"]["nodes"][0]["id"].take();
    let done = desk.run(document, by(json!({ "id": record }))).await.body;
    assert_eq!(done["data"]["feedbackRecordReroute"]["outcome"], "UPDATED", "{done:#}");
}
