//! Parts of a row that are written in the mutation of the row.

use entity::noun::{Link, Writable};
use serde_json::{Value, json};

use crate::{
    app::{App, Caller},
    fixture::{Extent, World, alternatives},
    outline::Outline,
    writes::codes,
};

const TOLD: &str = "outcome errors { code path } node { id version }";

fn key(id: &str) -> Value {
    json!({ "system": "crm", "id": id })
}

/// The parts of the whole with this external id.
async fn parts(caller: &Caller<'_>, whole: &str, id: &str, list: &str, fields: &str) -> Value {
    let query = format!(
        "query Q($by: {}Ref!) {{ {whole}(by: $by) {{ {list}(orderBy: [{{ field: ID }}]) {{ nodes {{ {fields} }} }} }} }}",
        capitalized(whole)
    );
    caller.data(&query, json!({ "by": { "externalId": key(id) } })).await[whole][list]["nodes"].take()
}

fn capitalized(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    format!("{}{rest}", first.to_ascii_uppercase())
}

/// The input fields that a new row of a noun needs; in parts, as in upserts, their types are nullable.
fn required(noun: &str) -> Vec<String> {
    let noun = entity::noun_named(noun).unwrap();
    let is_required = |writable: Writable| matches!(writable, Writable::Required | Writable::Fixed);
    let fields = noun.shown_fields().filter(|field| is_required(field.writable)).map(|field| field.name.to_owned());
    let references = noun.relations.iter().filter_map(|relation| match relation.link {
        Link::One { writable, .. } if is_required(writable) => Some(format!("{}Ref", relation.name)),
        _ => None,
    });
    fields.chain(references).collect()
}

/// Whether a part of this whole can never become one of another.
fn is_fixed(noun: &str, whole: &str) -> bool {
    let mut relations = entity::noun_named(noun).unwrap().relations.iter();
    relations.any(|relation| {
        relation.target.singular == whole && matches!(relation.link, Link::One { writable: Writable::Fixed, .. })
    })
}

#[tokio::test]
async fn parts_of_every_noun_are_created_changed_removed_and_replaced_with_their_whole() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "One").await;
    let stranger = World::filled(&outline, app.admin("two").await, "Two").await;
    let mut count = 0;
    for create in outline.mutations().iter().filter(|field| field.name.ends_with("Create")) {
        let whole = create.name.strip_suffix("Create").unwrap();
        for list in outline.inputs(create.arguments[0].base()) {
            let Some(item) = outline.part_item(&list.ty) else { continue };
            count += 1;
            let noun = outline.referenced(&outline.input(item, "by").unwrap().ty).unwrap();
            let part = |id: &str| {
                let mut part = world.object(item, noun, Extent::Least);
                let one = alternatives(noun).first().cloned();
                for name in required(noun).into_iter().chain(one) {
                    // What follows from the whole is no field of the part.
                    if let Some(member) = outline.input(item, &name) {
                        part[&name] = world.value(&member.ty, &name, noun, Extent::Least).unwrap();
                    }
                }
                part["by"] = json!({ "externalId": key(id) });
                part
            };
            if ["StepLink", "ObjectiveConflict"].contains(&noun) {
                // They join parts of the same whole: below.
                continue;
            }
            let upsert = format!("{whole}Upsert");
            let mut input = world.object(&format!("{}Input", capitalized(&upsert)), &capitalized(whole), Extent::Full);
            if noun == "ContactPoint" {
                // These are contact points as well.
                input.as_object_mut().unwrap().retain(|name, _| !["email", "phone"].contains(&name.as_str()));
            }
            let id = format!("{whole}-{}", list.name);
            input["externalId"] = key(&id);
            input[&list.name] = json!({ "upsert": [part(&format!("{id}-1")), part(&format!("{id}-2"))] });
            let made = world.caller.mutate(&upsert, input.clone(), TOLD).await;
            assert_eq!((&made["outcome"], &made["errors"]), (&json!("CREATED"), &json!([])), "{id} {input:#}");
            let before = parts(&world.caller, whole, &id, &list.name, "id version").await;
            assert_eq!(before.as_array().unwrap().len(), 2, "{id}");

            let again = world.caller.mutate(&upsert, input.clone(), TOLD).await;
            assert_eq!((&again["outcome"], &again["node"]), (&json!("UNCHANGED"), &made["node"]), "{id} {again:#}");

            // A part of another organization, or of another row, is none; but those that can do without one move, such as
            // steps between stages.
            let own = is_fixed(noun, whole).then(|| &world.newest(noun).id);
            for foreign in own.into_iter().chain([&stranger.newest(noun).id]) {
                for lists in
                    [json!({ "upsert": [{ "by": { "id": foreign } }] }), json!({ "remove": [{ "id": foreign }] })]
                {
                    let refused = json!({ "externalId": key(&id), &list.name: lists });
                    let refused = world.caller.mutate(&upsert, refused, TOLD).await;
                    assert_eq!(codes(&refused), ["NOT_FOUND"], "{id} {lists} {refused:#}");
                    let (list_name, last) =
                        if lists["remove"].is_null() { ("upsert", vec!["0", "by"]) } else { ("remove", vec!["0"]) };
                    let path: Vec<&str> = [list.name.as_str(), list_name].into_iter().chain(last).collect();
                    assert_eq!(refused["errors"][0]["path"], json!(path));
                }
            }
            assert_eq!(parts(&world.caller, whole, &id, &list.name, "id version").await, before, "{id}");

            let removed = json!({ "externalId": key(&id), &list.name: { "remove": [{ "id": before[0]["id"] }] } });
            let removed = world.caller.mutate(&upsert, removed, TOLD).await;
            assert_eq!((&removed["outcome"], &removed["errors"]), (&json!("UPDATED"), &json!([])), "{id}");
            let left = parts(&world.caller, whole, &id, &list.name, "id").await;
            assert_eq!(left, json!([{ "id": before[1]["id"] }]), "{id}");

            let complete = json!([part(&format!("{id}-3")), { "by": { "id": before[1]["id"] } }]);
            let replaced = json!({ "externalId": key(&id), &list.name: { "replace": complete } });
            let replaced = world.caller.mutate(&upsert, replaced, TOLD).await;
            assert_eq!((&replaced["outcome"], &replaced["errors"]), (&json!("UPDATED"), &json!([])), "{id}");
            let after = parts(&world.caller, whole, &id, &list.name, "id externalIds { id }").await;
            assert_eq!((after.as_array().unwrap().len(), &after[0]["id"]), (2, &before[1]["id"]), "{id}");
            let emptied = json!({ "externalId": key(&id), &list.name: { "replace": [] } });
            world.caller.mutate(&upsert, emptied, TOLD).await;
            assert_eq!(parts(&world.caller, whole, &id, &list.name, "id").await, json!([]), "{id}");
        }
    }
    assert!(count >= 10, "{count} lists of parts");
}

#[tokio::test]
async fn a_journey_is_written_whole_with_stages_steps_and_links() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    caller
        .mutate(
            "interactionPointCreate",
            json!({ "name": "Shop", "kind": "POINT_OF_SALE", "externalIds": [key("shop")] }),
            TOLD,
        )
        .await;
    let point = json!({ "externalId": key("shop") });
    let step = |id: &str| json!({ "by": { "externalId": key(id) }, "pointRef": point });
    let journey = json!({
        "externalId": key("j"),
        "title": "Buying",
        "stages": { "upsert": [
            { "by": { "externalId": key("before") }, "name": "Before", "steps": { "upsert": [step("a"), step("b")] } },
            { "name": "After", "steps": { "upsert": [step("c")] } },
        ] },
        "steps": { "upsert": [{ "by": { "externalId": key("d") }, "pointRef": point, "stageRef": { "externalId": key("before") } }] },
        "links": { "upsert": [
            { "fromRef": { "externalId": key("a") }, "toRef": { "externalId": key("b") }, "kind": "SEQUENCE" },
            { "fromRef": { "externalId": key("b") }, "toRef": { "externalId": key("d") }, "kind": "SEQUENCE" },
        ] },
    });
    let made = caller.mutate("journeyUpsert", journey, TOLD).await;
    assert_eq!((&made["outcome"], &made["errors"]), (&json!("CREATED"), &json!([])));
    let steps = "steps(orderBy: [{ field: POSITION }]) { nodes { externalIds { id } } }";
    let read = format!(
        "query Q($id: ID!) {{ journey(by: {{ id: $id }}) {{ stages(orderBy: [{{ field: POSITION }}]) {{ nodes {{ name {steps} }} }}
         {steps} links {{ nodes {{ from {{ externalIds {{ id }} }} to {{ externalIds {{ id }} }} }} }} }} }}"
    );
    let read = caller.data(&read, json!({ "id": made["node"]["id"] })).await["journey"].take();
    let ids = |list: &Value| -> Vec<String> {
        list["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|node| node["externalIds"][0]["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let stages = &read["stages"]["nodes"];
    assert_eq!((stages[0]["name"].as_str(), stages[1]["name"].as_str()), (Some("Before"), Some("After")));
    assert_eq!(
        (ids(&stages[0]["steps"]), ids(&stages[1]["steps"])),
        (vec!["a".into(), "b".into(), "d".into()], vec!["c".into()])
    );
    assert_eq!(ids(&read["steps"]), ["a", "b", "c", "d"]);
    assert_eq!(read["links"]["nodes"].as_array().unwrap().len(), 2);

    // A step moves to another stage of its journey; the rules of links hold, and nothing of a refused call stays.
    let moved = json!({ "externalId": key("j"), "stages": { "upsert": [
        { "by": { "externalId": key("before") }, "steps": { "upsert": [{ "by": { "externalId": key("c") } }] } }] } });
    assert_eq!(caller.mutate("journeyUpsert", moved, TOLD).await["errors"], json!([]));
    let cycle = json!({ "externalId": key("j"), "title": "Other", "links": { "upsert": [
        { "fromRef": { "externalId": key("b") }, "toRef": { "externalId": key("a") }, "kind": "SEQUENCE" }] } });
    let refused = caller.mutate("journeyUpsert", cycle, TOLD).await;
    assert_eq!(codes(&refused), ["CYCLE"]);
    assert_eq!(refused["errors"][0]["path"].as_array().unwrap()[..3], ["links", "upsert", "0"]);
    let title = caller.ask("{ journeys { nodes { title stages(orderBy: [{ field: POSITION }]) { nodes { steps { totalCount } } } } } }").await;
    let stages = json!({ "nodes": [{ "steps": { "totalCount": 4 } }, { "steps": { "totalCount": 0 } }] });
    assert_eq!(title["journeys"]["nodes"], json!([{ "title": "Buying", "stages": stages }]));
}

#[tokio::test]
async fn errors_of_parts_name_the_part_and_fail_their_whole_alone() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let point = |id: &str, statements: &[&str]| {
        let expectations: Vec<Value> =
            statements.iter().map(|statement| json!({ "statement": statement, "source": "RESEARCH" })).collect();
        json!({ "externalId": key(id), "name": id, "kind": "BILLING", "expectations": { "upsert": expectations } })
    };
    let (long, bulk) = ("x".repeat(2001), "interactionPointsBulkUpsert");
    let wrong = json!({ "externalId": key("c"), "name": "c", "kind": "BILLING",
        "expectations": { "upsert": [{ "statement": "Quick", "importance": "much" }] } });
    let rows = json!([point("a", &["Cheap", "Quick"]), point("b", &["Fair", &long]), wrong, point("d", &["Kind"])]);
    let told = "errors { code path } results { outcome errors { code path } }";
    let all = caller.mutate(bulk, json!({ "rows": rows }), told).await;
    assert_eq!(codes(&all), ["INVALID"]);
    let count = "{ interactionPoints { totalCount } expectations { totalCount } }";
    assert_eq!(caller.ask(count).await["expectations"]["totalCount"], 0);
    let some =
        caller.mutate(bulk, json!({ "rows": rows, "policy": "SKIP_INVALID", "idempotencyKey": "k" }), told).await;
    assert_eq!(some["errors"], json!([]));
    let results = some["results"].as_array().unwrap();
    let outcomes: Vec<&str> = results.iter().map(|row| row["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["CREATED", "FAILED", "FAILED", "CREATED"], "{some:#}");
    let path = json!(["expectations", "upsert", "1", "statement"]);
    assert_eq!(results[1]["errors"], json!([{ "code": "TOO_LONG", "path": path }]));
    let path = json!(["expectations", "upsert", "0", "importance"]);
    assert_eq!(results[2]["errors"], json!([{ "code": "INVALID", "path": path }]));
    let counts = caller.ask(count).await;
    assert_eq!(
        (&counts["interactionPoints"]["totalCount"], &counts["expectations"]["totalCount"]),
        (&json!(2), &json!(3))
    );
    let again =
        caller.mutate(bulk, json!({ "rows": rows, "policy": "SKIP_INVALID", "idempotencyKey": "k" }), told).await;
    assert_eq!(again, some);

    let both = json!({ "externalId": key("a"), "expectations": { "upsert": [], "replace": [] } });
    let both = caller.mutate("interactionPointUpsert", both, TOLD).await;
    assert_eq!(both["errors"], json!([{ "code": "INVALID", "path": ["expectations"] }]));
    let nothing = json!({ "externalId": key("a"), "expectations": null, "assumptions": { "upsert": null } });
    assert_eq!(caller.mutate("interactionPointUpsert", nothing, TOLD).await["outcome"], "UNCHANGED");
    let twice = json!([{ "by": { "externalId": key("e") }, "statement": "A", "source": "RESEARCH" },
        { "by": { "externalId": key("e") }, "statement": "B", "source": "RESEARCH" }]);
    let twice = json!({ "externalId": key("a"), "expectations": { "upsert": twice } });
    let twice = caller.mutate("interactionPointUpsert", twice, TOLD).await;
    assert_eq!(twice["errors"], json!([{ "code": "TAKEN", "path": ["expectations", "upsert", "1", "by"] }]));
    let many: Vec<Value> = (0..10_001).map(|_| json!({ "statement": "S", "source": "RESEARCH" })).collect();
    let many = json!({ "externalId": key("a"), "expectations": { "upsert": many } });
    let many = caller.mutate("interactionPointUpsert", many, TOLD).await;
    assert_eq!(many["errors"], json!([{ "code": "TOO_LONG", "path": ["expectations"] }]));
}

/// Points that each take an expectation of the one before, which keeps it if it fails.
#[tokio::test]
async fn a_row_fails_if_it_needs_what_a_failed_row_keeps() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let bulk = "interactionPointsBulkUpsert";
    let id = |chain: &str, at: usize| key(&format!("{chain}{at}"));
    let point = |chain: &str, at: usize, expectations: Value| json!({ "externalId": id(chain, at), "name": "P", "kind": "BILLING", "expectations": expectations });
    let told = "errors { code path } results { outcome errors { code path } }";
    // In each transaction of the call one more row fails, and no more than five are tried.
    for (chain, failing) in [("a", 1), ("b", 4), ("c", 5)] {
        let made = (1..=failing).map(|at| {
            let own = json!({ "by": { "externalId": id(chain, at) }, "statement": "S", "source": "RESEARCH" });
            point(chain, at, json!({ "upsert": [own] }))
        });
        let made = caller.mutate(bulk, json!({ "rows": made.collect::<Vec<_>>() }), told).await;
        assert_eq!(made["errors"], json!([]));
        let mut rows: Vec<Value> = (1..=failing)
            .map(|at| {
                let taken =
                    json!({ "by": { "externalId": id(chain, at - 1) }, "statement": "T", "source": "RESEARCH" });
                let wrong = json!({ "statement": "x".repeat(2001), "source": "RESEARCH" });
                let part = if at == 1 { wrong } else { taken };
                point(chain, at, json!({ "remove": [{ "externalId": id(chain, at) }], "upsert": [part] }))
            })
            .collect();
        rows.push(point(chain, 0, Value::Null));
        let done = caller.mutate(bulk, json!({ "rows": rows, "policy": "SKIP_INVALID" }), told).await;
        let read = "query Q($by: InteractionPointRef!) { interactionPoint(by: $by) { id } }";
        let sound = caller.data(read, json!({ "by": { "externalId": id(chain, 0) } })).await;
        if failing == 5 {
            assert_eq!(done["errors"], json!([{ "code": "INVALID", "path": ["rows"] }]), "{done:#}");
            assert_eq!(sound["interactionPoint"], Value::Null);
        } else {
            assert_eq!(done["errors"], json!([]), "{done:#}");
            let results = done["results"].as_array().unwrap();
            let mut expected = vec![json!({ "outcome": "FAILED", "errors": [{ "code": "TOO_LONG",
                "path": ["expectations", "upsert", "0", "statement"] }] })];
            let kept = json!({ "code": "NOT_FOUND", "path": ["expectations", "upsert", "0", "by"] });
            expected.resize(failing, json!({ "outcome": "FAILED", "errors": [kept] }));
            expected.push(json!({ "outcome": "CREATED", "errors": [] }));
            assert_eq!(results, &expected);
            assert!(sound["interactionPoint"]["id"].is_string());
        }
        for at in 1..=failing {
            let external = format!("{chain}{at}");
            let kept =
                parts(&caller, "interactionPoint", &external, "expectations", "statement externalIds { id }").await;
            assert_eq!(kept, json!([{ "statement": "S", "externalIds": [{ "id": external }] }]));
        }
    }
}

#[tokio::test]
async fn parts_of_a_hundred_rows_take_as_many_statements_as_those_of_one() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let rows = |from: usize, count: usize| -> Vec<Value> {
        let row = |at: usize| {
            let part = |n: usize| json!({ "by": { "externalId": key(&format!("{at}-{n}")) }, "statement": "S", "source": "RESEARCH" });
            json!({ "externalId": key(&at.to_string()), "name": "P", "kind": "BILLING", "expectations": { "upsert": [part(1), part(2)] } })
        };
        (from..from + count).map(row).collect()
    };
    let mut statements = Vec::new();
    for rows in [rows(0, 1), rows(1, 1), rows(2, 100)] {
        let before = app.store.statements();
        let done = caller.mutate("interactionPointsBulkUpsert", json!({ "rows": rows }), "errors { code }").await;
        assert_eq!(done["errors"], json!([]));
        statements.push(app.store.statements() - before);
    }
    assert_eq!(statements[1], statements[2], "{statements:?}");
}
