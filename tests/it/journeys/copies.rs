//! Copies: with what belongs to a row, in one transaction, and nothing of the original changes.

use serde_json::{Value, json};

use super::{TOLD, by_id, journey, labels, linked, made, mistakes, one, steps};
use crate::app::{App, Caller};

const SHAPE: &str = "query($id: ID!) { journey(by: { id: $id }) { id title status version externalIds { id }
    parent { id } children { nodes { id title } } editions { totalCount }
    stages(orderBy: [{ field: POSITION }]) { nodes { id name position externalIds { id } } }
    steps(orderBy: [{ field: POSITION }]) { nodes { id label position stage { name journey { id } } point { id } } }
    links { nodes { id kind label from { label journey { id } } to { label } } } } }";

async fn shape(caller: &Caller<'_>, id: &str) -> Value {
    caller.data(SHAPE, json!({ "id": id })).await["journey"].take()
}

/// The value without ids.
fn bare(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            fields.remove("id");
            fields.values_mut().for_each(|inner| *inner = bare(inner.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| *inner = bare(inner.take())),
        _ => {}
    }
    value
}

/// A journey with stages, steps, links, an external id and a nested journey.
async fn whole(caller: &Caller<'_>) -> (String, String) {
    let key = json!([{ "system": "crm", "id": "trip" }]);
    let trip = made(caller, "journeyCreate", json!({ "title": "Trip", "externalIds": key })).await;
    let steps_of = steps(caller, &trip, &["a", "b", "c"]).await;
    for (name, step) in [("First", 0), ("Second", 2)] {
        let stage = made(caller, "stageCreate", json!({ "name": name, "journeyRef": by_id(&trip) })).await;
        made(caller, "stepUpdate", json!({ "by": { "id": steps_of[step] }, "stageRef": by_id(&stage) })).await;
    }
    linked(caller, &trip, &steps_of[0], &steps_of[1], "SEQUENCE").await;
    linked(caller, &trip, &steps_of[1], &steps_of[2], "OPTIONAL").await;
    linked(caller, &trip, &steps_of[2], &steps_of[0], "LOOP").await;
    let nested = made(caller, "journeyCreate", json!({ "title": "Nested", "parentRef": by_id(&trip) })).await;
    steps(caller, &nested, &["x", "y"]).await;
    (trip, nested)
}

#[tokio::test]
async fn a_copied_journey_has_the_same_stages_steps_and_links_of_its_own() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (trip, nested) = whole(&caller).await;
    made(&caller, "journeyPublish", json!({ "by": { "id": trip } })).await;
    let before = shape(&caller, &trip).await;
    let copy = made(&caller, "journeyCopy", json!({ "by": { "id": trip }, "title": "Copy" })).await;
    assert_eq!(shape(&caller, &trip).await, before);
    let mut expected = before.clone();
    expected["title"] = json!("Copy");
    expected["status"] = json!("DRAFT");
    expected["version"] = json!(1);
    expected["externalIds"] = json!([]);
    expected["children"]["nodes"] = json!([]);
    expected["editions"]["totalCount"] = json!(0);
    let shown = shape(&caller, &copy).await;
    assert_eq!(bare(shown.clone()), bare(expected));
    for list in ["stages", "steps", "links"] {
        for (own, original) in
            shown[list]["nodes"].as_array().unwrap().iter().zip(before[list]["nodes"].as_array().unwrap())
        {
            assert_ne!(own["id"], original["id"]);
        }
    }
    let (own, original) = (&shown["steps"]["nodes"][0], &before["steps"]["nodes"][0]);
    assert_eq!(own["point"], original["point"]);
    assert_eq!(
        (&own["stage"]["journey"]["id"], &shown["links"]["nodes"][0]["from"]["journey"]["id"]),
        (&json!(copy), &json!(copy))
    );
    let deep = json!({ "by": { "id": trip }, "includesNested": true });
    let deep = shape(&caller, &made(&caller, "journeyCopy", deep).await).await;
    let below = &deep["children"]["nodes"][0];
    assert_eq!((&deep["title"], &below["title"]), (&json!("Trip"), &json!("Nested")));
    assert_ne!(below["id"], json!(nested));
    assert_eq!(labels(&caller, below["id"].as_str().unwrap()).await, ["x", "y"]);
}

#[tokio::test]
async fn a_copy_is_one_change_and_a_repeat_of_the_call_makes_no_second() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (trip, _) = whole(&caller).await;
    let copy = json!({ "by": { "id": trip }, "idempotencyKey": "once" });
    let first = made(&caller, "journeyCopy", copy.clone()).await;
    let before = app.dump(caller.organization()).await;
    assert_eq!(made(&caller, "journeyCopy", copy).await, first);
    assert_eq!(app.dump(caller.organization()).await, before);
    for (input, expected) in [
        (json!({ "by": { "id": trip }, "expectedVersion": 9 }), one("CONFLICT", &["expectedVersion"])),
        (json!({ "by": { "id": trip }, "title": " " }), one("REQUIRED", &["title"])),
        (json!({ "by": { "id": trip }, "title": "x".repeat(201) }), one("TOO_LONG", &["title"])),
        (json!({ "by": { "id": "journey_01h455vb4pex5vsknk084sn02q" } }), one("NOT_FOUND", &["by"])),
    ] {
        assert_eq!(mistakes(&caller.mutate("journeyCopy", input, TOLD).await), expected);
    }
    assert_eq!(app.dump(caller.organization()).await, before);
}

#[tokio::test]
async fn a_copied_step_stands_after_the_original_or_where_it_is_told() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let trip = journey(&caller, "Trip").await;
    let known = steps(&caller, &trip, &["a", "b"]).await;
    linked(&caller, &trip, &known[0], &known[1], "SEQUENCE").await;
    made(&caller, "stepUpdate", json!({ "by": { "id": known[0] }, "notes": "Here" })).await;
    let told = "node { notes outgoing { totalCount } externalIds { id } } errors { code path }";
    let copy = caller.mutate("stepCopy", json!({ "by": { "id": known[0] } }), told).await;
    let expected = json!({ "notes": "Here", "outgoing": { "totalCount": 0 }, "externalIds": [] });
    assert_eq!(copy, json!({ "node": expected, "errors": [] }));
    assert_eq!(labels(&caller, &trip).await, ["a", "a", "b"]);
    made(&caller, "stepCopy", json!({ "by": { "id": known[1] }, "position": 1 })).await;
    assert_eq!(labels(&caller, &trip).await, ["b", "a", "a", "b"]);
    let refused = caller.mutate("stepCopy", json!({ "by": { "id": known[1] }, "position": 0 }), TOLD).await;
    assert_eq!(mistakes(&refused), one("OUT_OF_RANGE", &["position"]));
}

#[tokio::test]
async fn a_copied_point_has_the_same_mediums_influencers_and_expectations() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let desk = super::point(&caller, "Desk").await;
    let phone = made(&caller, "mediumCreate", json!({ "name": "Phone" })).await;
    made(&caller, "interactionPointSetMediums", json!({ "by": { "id": desk }, "mediums": [by_id(&phone)] })).await;
    let friend = made(&caller, "influencerCreate", json!({ "name": "Friend" })).await;
    let influencers = json!([{ "influencer": by_id(&friend), "strength": 4 }]);
    made(&caller, "interactionPointSetInfluencers", json!({ "by": { "id": desk }, "influencers": influencers })).await;
    let mut wishes = Vec::new();
    for statement in ["Fast", "Kind", "Old"] {
        let wish = json!({ "statement": statement, "source": "RESEARCH", "pointRef": by_id(&desk) });
        wishes.push(made(&caller, "expectationCreate", wish).await);
    }
    let ranks = json!({ "by": { "id": desk }, "expectations": [by_id(&wishes[1])] });
    made(&caller, "interactionPointRankExpectations", ranks).await;
    made(&caller, "expectationArchive", json!({ "by": { "id": wishes[2] } })).await;
    let copy = made(&caller, "interactionPointCopy", json!({ "by": { "id": desk }, "name": "Counter" })).await;
    let document = "query($id: ID!) { interactionPoint(by: { id: $id }) { name mediums { nodes { id name } }
        influencers { edges { strength node { id } } }
        expectations(filter: { archivedAt: {} }, orderBy: [{ field: RANK }]) { nodes { statement rank } }
        feedbackRecords { totalCount } } }";
    let shown = caller.data(document, json!({ "id": copy })).await["interactionPoint"].take();
    let expected = json!({
        "name": "Counter",
        "mediums": { "nodes": [{ "id": phone, "name": "Phone" }] },
        "influencers": { "edges": [{ "strength": 4, "node": { "id": friend } }] },
        "expectations": { "nodes": [{ "statement": "Fast", "rank": null }, { "statement": "Kind", "rank": 1 }] },
        "feedbackRecords": { "totalCount": 0 },
    });
    assert_eq!(shown, expected);
    let found = caller.ask("{ interactionPoints(filter: { name: { contains: \"COUNT\" } }) { totalCount } }").await;
    assert_eq!(found["interactionPoints"]["totalCount"], 1);
}
