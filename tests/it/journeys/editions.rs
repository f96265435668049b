//! Editions never change, and two of them, or one and the present, can be compared.

use serde_json::{Value, json};

use super::{TOLD, by_id, journey, linked, made, mistakes, one, steps};
use crate::{
    app::{App, Caller},
    outline::{Outline, codes},
};

async fn status(caller: &Caller<'_>, trip: &str) -> Value {
    let document = "query($id: ID!) { journey(by: { id: $id }) { status } }";
    caller.data(document, json!({ "id": trip })).await["journey"]["status"].take()
}

/// The editions of a journey, the latest first.
async fn editions(caller: &Caller<'_>, trip: &str) -> Vec<Value> {
    let document =
        "query($id: ID!) { journey(by: { id: $id }) { editions(orderBy: [{ field: NUMBER, direction: DESC }])
        { nodes { id number publishedAt publishedBy document version } } } }";
    let mut data = caller.data(document, json!({ "id": trip })).await;
    data["journey"]["editions"]["nodes"].take().as_array().unwrap().clone()
}

/// What changed: kind, type, name and fields, from an edition to another or to now.
async fn diff(caller: &Caller<'_>, from: &Value, to: Option<&Value>) -> Vec<Value> {
    let document = "query($from: JourneyEditionRef!, $to: JourneyEditionRef) { journeyDiff(from: $from, to: $to) {
        fromEdition { id } toEdition { id } changes { kind type elementId name fields } } }";
    let to = to.map(|to| json!({ "id": to["id"] }));
    let data = caller.data(document, json!({ "from": { "id": from["id"] }, "to": to })).await;
    assert_eq!(data["journeyDiff"]["fromEdition"]["id"], from["id"]);
    let changes = data["journeyDiff"]["changes"].as_array().unwrap().iter();
    changes.map(|change| json!([change["kind"], change["type"], change["name"], change["fields"]])).collect()
}

#[tokio::test]
async fn publishing_freezes_what_the_journey_is() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let trip = journey(&caller, "Trip").await;
    let steps = steps(&caller, &trip, &["a", "b"]).await;
    linked(&caller, &trip, &steps[0], &steps[1], "SEQUENCE").await;
    let desk = caller.ask("{ interactionPoints { nodes { id } } }").await["interactionPoints"]["nodes"][0]["id"].take();
    let phone = made(&caller, "mediumCreate", json!({ "name": "Phone" })).await;
    made(&caller, "interactionPointSetMediums", json!({ "by": { "id": desk }, "mediums": [by_id(&phone)] })).await;
    let friend = made(&caller, "influencerCreate", json!({ "name": "Friend" })).await;
    let influencers = json!([{ "influencer": by_id(&friend), "strength": 4 }]);
    made(&caller, "interactionPointSetInfluencers", json!({ "by": { "id": desk }, "influencers": influencers })).await;
    let wish = json!({ "statement": "Fast", "source": "RESEARCH", "pointRef": { "id": desk } });
    made(&caller, "expectationCreate", wish).await;
    assert_eq!(status(&caller, &trip).await, "DRAFT");
    made(&caller, "journeyPublish", json!({ "by": { "id": trip } })).await;
    assert_eq!(status(&caller, &trip).await, "PUBLISHED");
    let first = editions(&caller, &trip).await;
    assert_eq!((first.len(), &first[0]["number"], &first[0]["publishedBy"]), (1, &json!(1), &json!("tester")));
    assert_eq!(first[0]["publishedAt"], "2026-11-22T12:00:00Z");
    let document = &first[0]["document"];
    assert_eq!(document["journeys"][0]["status"], "PUBLISHED");
    let labels: Vec<&Value> = document["steps"].as_array().unwrap().iter().map(|step| &step["label"]).collect();
    assert_eq!(labels, ["a", "b"]);
    assert_eq!(document["stepLinks"][0]["from"], json!(steps[0]));
    assert_eq!(document["interactionPoints"][0]["mediums"], json!([{ "id": phone }]));
    assert_eq!(document["interactionPoints"][0]["influencers"], json!([{ "id": friend, "strength": 4 }]));
    assert_eq!(
        (&document["mediums"][0]["name"], &document["influencers"][0]["name"]),
        (&json!("Phone"), &json!("Friend"))
    );
    assert_eq!(document["expectations"][0]["statement"], "Fast");
    let again = caller.mutate("journeyPublish", json!({ "by": { "id": trip } }), TOLD).await;
    assert_eq!(again["outcome"], "UNCHANGED");
    made(&caller, "stepUpdate", json!({ "by": { "id": steps[0] }, "label": "z" })).await;
    made(&caller, "mediumUpdate", json!({ "by": { "id": phone }, "name": "Mail" })).await;
    assert_eq!(editions(&caller, &trip).await, first);
    made(&caller, "journeyPublish", json!({ "by": { "id": trip } })).await;
    let both = editions(&caller, &trip).await;
    assert_eq!((both.len(), &both[0]["number"], &both[1]), (2, &json!(2), &first[0]));
}

#[tokio::test]
async fn no_mutation_is_about_an_edition_and_a_journey_with_one_stays() {
    let outline = Outline::read();
    let about: Vec<&str> = outline
        .mutations()
        .iter()
        .filter(|field| field.name.starts_with("journeyEdition") || field.base().starts_with("JourneyEdition"))
        .map(|field| field.name.as_str())
        .collect();
    assert_eq!(about, Vec::<&str>::new());
    let app = App::start().await;
    let caller = app.admin("one").await;
    let trip = journey(&caller, "Trip").await;
    made(&caller, "journeyPublish", json!({ "by": { "id": trip } })).await;
    let refused = caller.mutate("journeyDelete", json!({ "by": { "id": trip } }), TOLD).await;
    assert_eq!(mistakes(&refused), one("IN_USE", &["by"]));
}

#[tokio::test]
async fn the_status_follows_what_is_done_to_a_journey() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let trip = journey(&caller, "Trip").await;
    for (field, expected) in [
        ("journeyArchive", "DRAFT"),
        ("journeyUnarchive", "DRAFT"),
        ("journeyPublish", "PUBLISHED"),
        ("journeyArchive", "PUBLISHED"),
        ("journeyUnarchive", "PUBLISHED"),
    ] {
        made(&caller, field, json!({ "by": { "id": trip } })).await;
        assert_eq!(status(&caller, &trip).await, expected, "{field}");
    }
    made(&caller, "journeyArchive", json!({ "by": { "id": trip } })).await;
    let refused = caller.mutate("journeyPublish", json!({ "by": { "id": trip } }), TOLD).await;
    assert_eq!(mistakes(&refused), one("INVALID_TRANSITION", &["by"]));
    assert_eq!(editions(&caller, &trip).await.len(), 1);
    let data = caller.ask("{ journeys { totalCount } }").await;
    assert_eq!(data["journeys"]["totalCount"], 0);
}

#[tokio::test]
async fn two_who_publish_at_once_number_their_editions_one_after_the_other() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let trip = journey(&caller, "Trip").await;
    let publish = || caller.mutate("journeyPublish", json!({ "by": { "id": trip } }), TOLD);
    let (one, other) = futures_util::future::join(publish(), publish()).await;
    let mut outcomes = [one["outcome"].as_str().unwrap(), other["outcome"].as_str().unwrap()];
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["UNCHANGED", "UPDATED"]);
    assert_eq!(editions(&caller, &trip).await.len(), 1);
}

#[tokio::test]
async fn a_comparison_tells_what_was_added_removed_moved_and_changed() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let trip = journey(&caller, "Trip").await;
    let known = steps(&caller, &trip, &["a", "b", "c", "d"]).await;
    let stage = made(&caller, "stageCreate", json!({ "name": "First", "journeyRef": by_id(&trip) })).await;
    let line = linked(&caller, &trip, &known[0], &known[1], "SEQUENCE").await;
    made(&caller, "journeyPublish", json!({ "by": { "id": trip } })).await;
    let first = editions(&caller, &trip).await.remove(0);
    assert_eq!(diff(&caller, &first, None).await, Vec::<Value>::new());
    made(&caller, "journeyUpdate", json!({ "by": { "id": trip }, "title": "Voyage", "summary": "Long" })).await;
    made(&caller, "stepLinkUpdate", json!({ "by": { "id": line }, "label": "then" })).await;
    made(&caller, "stepUpdate", json!({ "by": { "id": known[3] }, "position": 1 })).await;
    made(&caller, "stepUpdate", json!({ "by": { "id": known[1] }, "stageRef": by_id(&stage), "notes": "New" })).await;
    caller.mutate("stepDelete", json!({ "by": { "id": known[2] } }), TOLD).await;
    let desk = caller.ask("{ interactionPoints { nodes { id } } }").await["interactionPoints"]["nodes"][0]["id"].take();
    made(&caller, "interactionPointUpdate", json!({ "by": { "id": desk }, "promise": "Soon" })).await;
    let wish = json!({ "statement": "Fast", "source": "RESEARCH", "pointRef": { "id": desk } });
    made(&caller, "expectationCreate", wish).await;
    let new = json!({ "label": "e", "journeyRef": by_id(&trip), "pointRef": { "id": desk }, "position": 1 });
    made(&caller, "stepCreate", new).await;
    let expected = [
        json!(["CHANGED", "Journey", "Voyage", ["summary", "title"]]),
        json!(["MOVED", "Step", "b", ["stage"]]),
        json!(["CHANGED", "Step", "b", ["notes"]]),
        json!(["REMOVED", "Step", "c", []]),
        json!(["MOVED", "Step", "d", ["position"]]),
        json!(["ADDED", "Step", "e", []]),
        json!(["CHANGED", "StepLink", "then", ["label"]]),
        json!(["CHANGED", "InteractionPoint", "Desk", ["promise"]]),
        json!(["ADDED", "Expectation", "Fast", []]),
    ];
    assert_eq!(diff(&caller, &first, None).await, expected);
    made(&caller, "journeyPublish", json!({ "by": { "id": trip } })).await;
    let second = editions(&caller, &trip).await.remove(0);
    assert_eq!(diff(&caller, &first, Some(&second)).await, expected);
    let back = diff(&caller, &second, Some(&first)).await;
    assert!(back.contains(&json!(["ADDED", "Step", "c", []])) && back.contains(&json!(["REMOVED", "Step", "e", []])));
    assert_eq!(diff(&caller, &second, Some(&second)).await, Vec::<Value>::new());
    let other = journey(&caller, "Other").await;
    made(&caller, "journeyPublish", json!({ "by": { "id": other } })).await;
    let foreign = editions(&caller, &other).await.remove(0);
    let document = "query($a: ID!, $b: ID!) { journeyDiff(from: { id: $a }, to: { id: $b }) { changes { kind } } }";
    for ids in [json!({ "a": first["id"], "b": foreign["id"] }), json!({ "a": trip, "b": first["id"] })] {
        assert_eq!(codes(&caller.run(document, ids).await.body), ["BAD_USER_INPUT"]);
    }
}
