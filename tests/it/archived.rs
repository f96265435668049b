//! What is in the archive is not chosen for new work.

use entity::{Permission, noun::Noun};
use serde_json::{Value, json};

use crate::{
    app::App,
    fixture::{Extent, World},
    outline::Outline,
    writes::{codes, department},
};

#[tokio::test]
async fn no_door_leads_feedback_to_an_archived_department() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let d = caller.mutate("departmentCreate", json!({ "name": "D" }), "node { id }").await["node"]["id"].take();
    let rule = json!({ "name": "R", "position": 1, "departmentRef": { "id": d } });
    let r = caller.mutate("routingRuleCreate", rule.clone(), "node { id }").await["node"]["id"].take();
    for (field, id) in [("routingRuleArchive", &r), ("departmentArchive", &d)] {
        assert_eq!(codes(&caller.mutate(field, json!({ "by": { "id": id } }), "errors { code }").await), [""; 0]);
    }
    let key = json!({ "system": "x", "id": "1" });
    let upsert = json!({ "externalId": key, "name": "R", "position": 1, "departmentRef": { "id": d } });
    let feedback = caller.mutate("feedbackRecordCreate", json!({ "kind": "PRAISE" }), "node { id }").await;
    let f = &feedback["node"]["id"];
    for (field, input) in [
        ("routingRuleUnarchive", json!({ "by": { "id": r } })),
        ("routingRuleCreate", rule),
        ("routingRuleUpsert", upsert.clone()),
        ("organizationUpdate", json!({ "fallbackDepartmentRef": { "id": d } })),
        ("interactionPointCreate", json!({ "name": "P", "ownerRef": { "id": d } })),
        ("feedbackRecordReroute", json!({ "by": { "id": f }, "departmentRef": { "id": d }, "reason": "so" })),
    ] {
        let refused = caller.mutate(field, input, "errors { code path }").await;
        assert_eq!(codes(&refused), ["ARCHIVED"], "{field} {refused:#}");
    }
    let rows = json!({ "rows": [upsert], "policy": "SKIP_INVALID" });
    let bulk = caller.mutate("routingRulesBulkUpsert", rows, "results { errors { code path } }").await;
    assert_eq!(bulk["results"][0]["errors"], json!([{ "code": "ARCHIVED", "path": ["departmentRef"] }]));
}

#[tokio::test]
async fn what_names_an_archived_row_already_may_be_changed_otherwise() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let d = caller.mutate("departmentCreate", json!({ "name": "D" }), "node { id }").await["node"]["id"].take();
    let point = json!({ "name": "P", "ownerRef": { "id": d } });
    let p = caller.mutate("interactionPointCreate", point, "node { id }").await["node"]["id"].take();
    let m = caller.mutate("mediumCreate", json!({ "name": "M" }), "node { id }").await["node"]["id"].take();
    let set = json!({ "by": { "id": p }, "mediums": [{ "id": m }] });
    caller.mutate("interactionPointSetMediums", set.clone(), "outcome").await;
    for (field, id) in [("mediumArchive", &m), ("departmentArchive", &d)] {
        assert_eq!(codes(&caller.mutate(field, json!({ "by": { "id": id } }), "errors { code }").await), [""; 0]);
    }
    let same = json!({ "by": { "id": p }, "name": "Q", "ownerRef": { "id": d } });
    for (field, input) in [("interactionPointUpdate", same), ("interactionPointSetMediums", set)] {
        assert_eq!(codes(&caller.mutate(field, input, "errors { code }").await), [""; 0], "{field}");
    }
    let q = caller.mutate("interactionPointCreate", json!({ "name": "Q" }), "node { id }").await["node"]["id"].take();
    let new = json!({ "by": { "id": q }, "mediums": [{ "id": m }] });
    let refused = caller.mutate("interactionPointSetMediums", new, "errors { code path }").await;
    assert_eq!(refused["errors"], json!([{ "code": "ARCHIVED", "path": ["mediums", "0"] }]));
}

/// Makes a row of a noun and puts it into the archive.
async fn archived(world: &World<'_>, noun: &'static Noun) -> Value {
    let field = |verb: &str| format!("{}{verb}", noun.singular);
    let create = field("Create");
    let create = world.outline.mutations().iter().find(|known| known.name == create).unwrap();
    let made = world.mutate(create, &world.input(create, Extent::Full)).await;
    let id = made["node"]["id"].clone();
    let done = world.caller.mutate(&field("Archive"), json!({ "by": { "id": id } }), "errors { code }").await;
    assert_eq!(done["errors"], json!([]), "{}", noun.name);
    id
}

#[tokio::test]
async fn no_write_of_any_noun_chooses_an_archived_row() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "Alpha").await;
    let mut doors = 0;
    for noun in entity::NOUNS {
        for relation in noun.relations.iter().filter(|relation| relation.wants_active(noun)) {
            let id = archived(&world, relation.target).await;
            let field = format!("{}Ref", relation.name);
            for verb in ["Create", "Update", "Upsert", "sBulkUpsert"] {
                let name = match verb {
                    "sBulkUpsert" => format!("{}BulkUpsert", noun.plural),
                    verb => format!("{}{verb}", noun.singular),
                };
                let Some(mutation) = outline.mutations().iter().find(|known| known.name == name) else { continue };
                let mut input = world.input(mutation, Extent::Full);
                let is_bulk = verb == "sBulkUpsert";
                let row = if is_bulk { &mut input["rows"][0] } else { &mut input };
                row[&field] = json!({ "id": id });
                let payload = world.mutate(mutation, &input).await;
                let errors = if is_bulk { &payload["results"][0]["errors"] } else { &payload["errors"] };
                let told = |error: &Value| (error["code"].clone(), error["path"].clone());
                let errors: Vec<(Value, Value)> = errors.as_array().unwrap().iter().map(told).collect();
                assert_eq!(errors, [(json!("ARCHIVED"), json!([field]))], "{name}");
                doors += 1;
            }
        }
        for relation in noun.relations.iter().filter(|relation| relation.target.is_archivable()) {
            let (first, rest) = relation.name.split_at(1);
            let name = format!("{}Set{}{rest}", noun.singular, first.to_ascii_uppercase());
            let Some(mutation) = outline.mutations().iter().find(|known| known.name == name) else { continue };
            let id = archived(&world, relation.target).await;
            let mut input = world.input(mutation, Extent::Full);
            let named = &mut input[relation.name][0];
            // Lines that say more name their row in a field of its own.
            let named = named.as_object_mut().unwrap();
            match named.values_mut().find(|value| value.is_object()) {
                Some(inner) => *inner = json!({ "id": id }),
                None => drop(named.insert("id".to_owned(), id)),
            }
            let payload = world.mutate(mutation, &input).await;
            assert_eq!(codes(&payload), ["ARCHIVED"], "{name} {payload:#}");
            doors += 1;
        }
    }
    assert!(doors >= 12, "only {doors} doors were found");
}

#[tokio::test]
async fn an_imported_line_does_not_choose_an_archived_row() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let document = |point: &str| {
        let point = json!({ "key": point, "name": "P", "mediums": [{ "key": "m" }] });
        let document = json!({ "format": "rapport-map/1", "mediums": [{ "key": "m", "name": "M" }], "interactionPoints": [point] });
        json!({ "document": document.to_string() })
    };
    let import = async |point: &str| caller.mutate("mapImport", document(point), "errors { code path }").await;
    assert_eq!(codes(&import("p").await), [""; 0]);
    let m = caller.ask("{ mediums { nodes { id } } }").await["mediums"]["nodes"][0]["id"].take();
    caller.mutate("mediumArchive", json!({ "by": { "id": m } }), "outcome").await;
    let before = app.dump(caller.organization()).await;
    // The line that is there may stay.
    assert_eq!(codes(&import("p").await), [""; 0]);
    let refused = import("q").await;
    let path = ["document", "interactionPoints", "0", "mediums", "0"];
    assert_eq!(refused["errors"], json!([{ "code": "ARCHIVED", "path": path }]));
    assert_eq!(app.dump(caller.organization()).await, before);
}

#[tokio::test]
async fn routing_passes_over_departments_that_old_data_left_in_the_archive() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let [a, b, fallback] = [department(&caller, "A").await, department(&caller, "B").await, {
        let found = caller.ask("{ organization { fallbackDepartment { id } } }").await;
        found["organization"]["fallbackDepartment"]["id"].as_str().unwrap().to_owned()
    }];
    for (name, id) in [("To A", &a), ("To B", &b)] {
        let rule = json!({ "name": name, "position": 1, "departmentRef": { "id": id } });
        caller.mutate("routingRuleCreate", rule, "outcome").await;
    }
    // As it may stand in the database of an older version.
    let archive = async |id: &str| {
        let (_, id) = entity::id::decode(id).unwrap();
        let row = if app.database.is_sqlite() { format!("x'{}'", id.simple()) } else { format!("'{id}'") };
        app.database.change(&format!("UPDATE department SET archived_at = 1 WHERE id = {row}")).await;
    };
    let routed = async || {
        let answer = "node { department { id } routings { nodes { cause } } }";
        let made = caller.mutate("feedbackRecordCreate", json!({ "kind": "PRAISE" }), answer).await;
        let preview = "{ routingPreview(input: { kind: PRAISE }) { department { id } cause } }";
        let preview = caller.ask(preview).await["routingPreview"].take();
        let cause = &made["node"]["routings"]["nodes"][0]["cause"];
        assert_eq!((&preview["department"], &preview["cause"]), (&made["node"]["department"], cause));
        (made["node"]["department"]["id"].as_str().unwrap().to_owned(), cause.as_str().unwrap().to_owned())
    };
    archive(&a).await;
    assert_eq!(routed().await, (b.clone(), "RULE".to_owned()));
    archive(&b).await;
    assert_eq!(routed().await, (fallback.clone(), "FALLBACK".to_owned()));
    let c = department(&caller, "C").await;
    archive(&fallback).await;
    // With another version it is read anew, wherever it is remembered.
    caller.mutate("organizationUpdate", json!({ "name": "Other" }), "outcome").await;
    assert_eq!(routed().await, (c, "FALLBACK".to_owned()));
    // What was read while one was in the archive is not remembered.
    caller.mutate("departmentUnarchive", json!({ "by": { "id": a } }), "outcome").await;
    assert_eq!(routed().await, (a, "RULE".to_owned()));
}

#[tokio::test]
async fn who_archives_a_department_is_told_what_sends_feedback_to_it() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let d = department(&caller, "D").await;
    let rule = json!({ "name": "Refunds", "position": 1, "departmentRef": { "id": d } });
    caller.mutate("routingRuleCreate", rule, "outcome").await;
    let refused = caller.mutate("departmentArchive", json!({ "by": { "id": d } }), "errors { code message }").await;
    assert_eq!(codes(&refused), ["IN_USE"]);
    assert!(refused.to_string().contains("Refunds"), "{refused}");
    // Names of rules are for who may read rules.
    let other = caller.with(Permission::ALL.into_iter().filter(|known| *known != Permission::ResponseRead));
    let refused = other.mutate("departmentArchive", json!({ "by": { "id": d } }), "errors { code message }").await;
    assert_eq!((codes(&refused), refused.to_string().contains("Refunds")), (vec!["IN_USE"], false));
}
