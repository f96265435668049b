//! The field of a journey: what it reads, what it shows to whom, and what it refuses.

use entity::Permission;
use rapport::map::diagram::read_cjml;
use serde_json::{Value, json};

use crate::{
    app::{App, Caller, refs},
    outline::codes,
};

fn key<T: ToString + ?Sized>(id: &T) -> Value {
    json!({ "system": "test", "id": id.to_string() })
}

fn by<T: ToString + ?Sized>(id: &T) -> Value {
    json!({ "externalId": key(id) })
}

async fn put(caller: &Caller<'_>, field: &str, rows: Vec<Value>) {
    if rows.is_empty() {
        return;
    }
    let payload =
        caller.mutate(field, json!({ "rows": rows }), "results { errors { code path } } errors { code }").await;
    let clean = payload["results"].as_array().unwrap().iter().all(|result| result["errors"] == json!([]));
    assert!(clean && payload["errors"] == json!([]), "{payload:#}");
}

/// A journey of as many steps, each at a point of its own with two mediums, two influencers and six expectations, of
/// which five are ranked.
pub async fn filled(caller: &Caller<'_>, count: usize) -> String {
    let rows = |row: &dyn Fn(usize) -> Value| (0..count).map(row).collect::<Vec<_>>();
    put(
        caller,
        "mediumsBulkUpsert",
        vec![json!({ "externalId": key("m1"), "name": "Phone" }), json!({ "externalId": key("m2"), "name": "Web" })],
    )
    .await;
    put(
        caller,
        "influencersBulkUpsert",
        vec![json!({ "externalId": key("i1"), "name": "Friend" }), json!({ "externalId": key("i2"), "name": "Price" })],
    )
    .await;
    put(
        caller,
        "interactionPointsBulkUpsert",
        rows(&|place| json!({ "externalId": key(&place), "name": format!("Point {place}.") })),
    )
    .await;
    put(
        caller,
        "journeysBulkUpsert",
        vec![json!({ "externalId": key("j"), "title": "Trip", "customerSegment": "Families" })],
    )
    .await;
    put(
        caller,
        "stagesBulkUpsert",
        vec![json!({ "externalId": key("s"), "journeyRef": by("j"), "name": "Only stage" })],
    )
    .await;
    let step = |place| json!({ "externalId": key(&place), "journeyRef": by("j"), "stageRef": by("s"), "pointRef": by(&place) });
    put(caller, "stepsBulkUpsert", rows(&step)).await;
    let link = |to: usize| json!({ "externalId": key(&to), "journeyRef": by("j"), "fromRef": by(&(to - 1)), "toRef": by(&to), "label": format!("then {to}.") });
    put(caller, "stepLinksBulkUpsert", (1..count).map(link).collect()).await;
    for place in 0..count {
        let statement = |number: usize| json!({ "externalId": key(&format!("{place}-{number}")), "pointRef": by(&place), "statement": format!("Wish {place}-{number}."), "source": "RESEARCH" });
        put(caller, "expectationsBulkUpsert", (0..6).map(statement).collect()).await;
        let document = "query($by: InteractionPointRef!) { interactionPoint(by: $by) { id
            expectations(first: 6) { nodes { id statement } } } }";
        let point = caller.data(document, json!({ "by": by(&place) })).await["interactionPoint"].take();
        let ids: Vec<&Value> =
            point["expectations"]["nodes"].as_array().unwrap().iter().rev().take(5).map(|node| &node["id"]).collect();
        let set = async |field: &str, name: &str, list: Value| {
            caller.mutate(field, json!({ "by": { "id": point["id"] }, name: list }), "errors { code }").await
        };
        for payload in [
            set("interactionPointRankExpectations", "expectations", refs(ids)).await,
            set("interactionPointSetMediums", "mediums", json!([by("m1"), by("m2")])).await,
            set(
                "interactionPointSetInfluencers",
                "influencers",
                json!([{ "influencer": by("i1"), "strength": 2 }, { "influencer": by("i2"), "strength": 5 }]),
            )
            .await,
        ] {
            assert_eq!(payload["errors"], json!([]));
        }
    }
    caller.ask("{ journeys { nodes { id } } }").await["journeys"]["nodes"][0]["id"].as_str().unwrap().to_owned()
}

const DIAGRAM: &str = "query($id: ID!, $format: DiagramFormat! = SVG, $options: DiagramOptions) {
    journey(by: { id: $id }) { diagram(format: $format, options: $options) } }";

async fn diagram(caller: &Caller<'_>, variables: Value) -> String {
    caller.data(DIAGRAM, variables).await["journey"]["diagram"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_journey_of_forty_steps_is_drawn_in_a_fixed_number_of_statements() {
    let app = App::start().await;
    let (small, large) = (app.admin("one").await, app.admin("two").await);
    let mut costs = Vec::new();
    for (caller, count) in [(&small, 2), (&large, 40)] {
        let id = filled(caller, count).await;
        let before = app.store.statements();
        let svg = diagram(caller, json!({ "id": id })).await;
        costs.push(app.store.statements() - before);
        for place in 0..count {
            assert_eq!(svg.matches(&format!(">Point {place}.<")).count(), 1);
            // The five that are ranked, and not the sixth.
            let wishes: Vec<usize> =
                (0..6).map(|number| svg.matches(&format!(">Wish {place}-{number}.<")).count()).collect();
            assert_eq!(wishes, [0, 1, 1, 1, 1, 1]);
        }
        let count_of = |text: &str| svg.matches(text).count();
        assert_eq!(
            (count_of(">Phone<"), count_of(">Friend<"), count_of(">Only stage<"), count_of(">Families<")),
            (count, count, 1, 1)
        );
    }
    assert!(costs[0] == costs[1] && costs[1] <= 12, "{costs:?}");
}

#[tokio::test]
async fn every_format_says_the_same_and_options_leave_things_out() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let id = filled(&caller, 3).await;
    for format in ["SVG", "MERMAID", "DOT", "CJML"] {
        let text = diagram(&caller, json!({ "id": id, "format": format })).await;
        for wanted in ["Trip", "Only stage", "Point 2.", "then 1.", "Friend", "Phone"] {
            assert!(text.contains(wanted), "{format} has no {wanted}");
        }
        for (option, gone) in [("influencers", "Friend"), ("mediums", "Phone"), ("expectations", "Wish")] {
            let options = json!({ option: false });
            let text = diagram(&caller, json!({ "id": id, "format": format, "options": options })).await;
            assert!(!text.contains(gone) && text.contains("Point 2."), "{format} {option}");
        }
    }
    let themed = async |theme: &str| diagram(&caller, json!({ "id": id, "options": { "theme": theme } })).await;
    let (auto, light, dark) = (themed("AUTO").await, themed("LIGHT").await, themed("DARK").await);
    assert!(auto.contains("prefers-color-scheme") && !light.contains("@media") && !dark.contains("@media"));
    assert_ne!(light, dark);
    let drawing = read_cjml(&diagram(&caller, json!({ "id": id, "format": "CJML" })).await).unwrap();
    assert_eq!((drawing.id.as_str(), drawing.title.as_str(), drawing.links.len()), (id.as_str(), "Trip", 2));
    let point = &drawing.steps[1];
    assert_eq!((point.mediums.join(" "), point.expectations.len(), point.stage), ("Phone Web".to_owned(), 5, Some(0)));
    assert_eq!((point.influencers[0].name.as_str(), point.influencers[0].strength), ("Price", 5));
}

#[tokio::test]
async fn a_diagram_needs_map_read_and_the_journey_to_be_ones_own() {
    let app = App::start().await;
    let (caller, other) = (app.admin("one").await, app.admin("two").await);
    let id = filled(&caller, 1).await;
    let variables = json!({ "id": id });
    let blind = caller.with([Permission::RecordRead, Permission::MapWrite]);
    let refused = blind.run(DIAGRAM, variables.clone()).await.body;
    assert_eq!((codes(&refused), &refused["data"]["journey"]), (vec!["FORBIDDEN"], &Value::Null));
    let reads = caller.with([Permission::MapRead]);
    assert!(diagram(&reads, variables.clone()).await.starts_with("<svg"));
    assert_eq!(other.data(DIAGRAM, variables).await["journey"], Value::Null);
}

#[tokio::test]
async fn a_journey_without_steps_is_drawn_and_too_many_at_a_time_are_refused() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let rows = |count: usize| (0..count).map(|place| json!({ "externalId": key(&place), "title": "Empty" })).collect();
    put(&caller, "journeysBulkUpsert", rows(25)).await;
    let document = "{ journeys(first: 100) { nodes { diagram } } }";
    let data = caller.ask(document).await;
    let nodes = data["journeys"]["nodes"].as_array().unwrap();
    assert!(nodes.len() == 25 && nodes.iter().all(|node| node["diagram"].as_str().unwrap().contains(">Empty</text>")));
    put(&caller, "journeysBulkUpsert", rows(26)).await;
    assert_eq!(codes(&caller.run(document, json!({})).await.body), ["BAD_USER_INPUT"]);
}
