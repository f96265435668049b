//! Journeys out of short notes.

use serde_json::{Value, json};

use super::{TOLD, counts, made, shape};
use crate::app::App;

fn notes() -> Value {
    json!({
        "title": "Trip", "summary": "By train", "customerSegment": "Families",
        "points": [
            { "name": "Dream", "kind": "CONSIDERATION", "stage": "Before", "influencers": ["Friend", "Poster"],
              "mediums": ["Web"], "expectations": ["a", "b", "c", "d", "e", "f"] },
            { "name": "Ticket", "kind": "POINT_OF_SALE", "stage": "Before", "mediums": ["web", "Shop", "Shop"] },
            { "name": "Ride", "stage": "On the way" },
        ],
    })
}

#[tokio::test]
async fn notes_become_a_journey_with_everything() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    caller.mutate("mediumCreate", json!({ "name": "WEB" }), "outcome").await;
    let id = made(&caller, "quickJourney", notes()).await;
    let shown = shape(&caller, &id).await;
    let head = (&shown["title"], &shown["summary"], &shown["customerSegment"], &shown["status"]);
    assert_eq!(head, (&json!("Trip"), &json!("By train"), &json!("Families"), &json!("DRAFT")));
    assert_eq!(shown["stages"]["nodes"], json!([{ "name": "Before" }, { "name": "On the way" }]));
    let steps = &shown["steps"]["nodes"];
    let stages: Vec<&Value> = steps.as_array().unwrap().iter().map(|step| &step["stage"]["name"]).collect();
    assert_eq!(stages, ["Before", "Before", "On the way"]);
    let wish =
        |statement: &str, rank: Option<u64>| json!({ "statement": statement, "source": "PRECEDENT", "rank": rank });
    let wishes: Vec<Value> = ["a", "b", "c", "d", "e", "f"]
        .into_iter()
        .zip(1..)
        .map(|(text, rank)| wish(text, Some(rank).filter(|rank| *rank < 6)))
        .collect();
    assert_eq!(
        steps[0]["point"],
        json!({
            "name": "Dream", "kind": "CONSIDERATION", "mediums": { "nodes": [{ "name": "WEB" }] },
            "influencers": { "edges": [
                { "strength": 3, "node": { "name": "Friend" } }, { "strength": 3, "node": { "name": "Poster" } },
            ] },
            "expectations": { "nodes": wishes },
        })
    );
    assert_eq!(steps[1]["point"]["mediums"]["nodes"], json!([{ "name": "Shop" }, { "name": "WEB" }]));
    let link = |from: &str, to: &str| json!({ "kind": "SEQUENCE", "label": null, "from": { "point": { "name": from } }, "to": { "point": { "name": to } } });
    assert_eq!(shown["links"]["nodes"], json!([link("Dream", "Ticket"), link("Ticket", "Ride")]));
    let total = |count: u64| json!({ "totalCount": count });
    let expected = json!({ "journeys": total(1), "stages": total(2), "steps": total(3), "stepLinks": total(2),
        "interactionPoints": total(3), "mediums": total(2), "influencers": total(2), "expectations": total(6) });
    assert_eq!(counts(&caller).await, expected);
}

#[tokio::test]
async fn a_repeat_of_the_call_makes_no_second_journey_and_another_call_does() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let mut input = notes();
    input["idempotencyKey"] = json!("once");
    let first = made(&caller, "quickJourney", input.clone()).await;
    let before = app.dump(caller.organization()).await;
    assert_eq!(made(&caller, "quickJourney", input).await, first);
    assert_eq!(app.dump(caller.organization()).await, before);
    assert_ne!(made(&caller, "quickJourney", notes()).await, first);
    let counted = counts(&caller).await;
    assert_eq!(
        (&counted["mediums"]["totalCount"], &counted["interactionPoints"]["totalCount"]),
        (&json!(2), &json!(6))
    );
}

#[tokio::test]
async fn a_mistake_is_told_at_the_note_and_nothing_is_written() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let before = app.dump(caller.organization()).await;
    let point = |more: Value| {
        let mut point = json!({ "name": "P" });
        point.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "title": "T", "points": [{ "name": "First" }, point] })
    };
    let cases: Vec<(Value, &str, &[&str])> = vec![
        (json!({ "title": " ", "points": [{ "name": "P" }] }), "REQUIRED", &["title"]),
        (json!({ "title": "t".repeat(201), "points": [{ "name": "P" }] }), "TOO_LONG", &["title"]),
        (json!({ "title": "T", "points": [] }), "REQUIRED", &["points"]),
        (json!({ "title": "T", "points": vec![json!({ "name": "P" }); 1_001] }), "TOO_LONG", &["points"]),
        (point(json!({ "name": "" })), "REQUIRED", &["points", "1", "name"]),
        (point(json!({ "stage": "s".repeat(201) })), "TOO_LONG", &["points", "1", "stage", "name"]),
        (point(json!({ "mediums": ["a", " "] })), "REQUIRED", &["points", "1", "mediums", "1"]),
        (point(json!({ "influencers": ["i\0"] })), "INVALID", &["points", "1", "influencers", "0"]),
        (point(json!({ "expectations": ["a", "e".repeat(2_001)] })), "TOO_LONG", &["points", "1", "expectations", "1"]),
        (point(json!({ "mediums": vec!["m"; 101] })), "TOO_LONG", &["points", "1", "mediums"]),
    ];
    for (input, code, path) in cases {
        let shown: String = input.to_string().chars().take(200).collect();
        let payload = caller.mutate("quickJourney", input, TOLD).await;
        assert_eq!(payload["errors"], json!([{ "code": code, "path": path }]), "{shown}");
        assert_eq!(app.dump(caller.organization()).await, before, "{shown}");
    }
}
