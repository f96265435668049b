//! Templates: what they hold, and that applying one again doubles nothing.

use serde_json::{Value, json};

use super::{TOLD, counts, made, shape};
use crate::app::App;

const KEYS: [&str; 5] = ["BASICS", "COMPLAINT_HANDLING", "SALES_CALL", "REPAIR", "SUPPLY_CHAIN"];

#[tokio::test]
async fn every_template_makes_the_journey_that_it_shows() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let document = "{ templates { nodes { key name description outline stages
        points { name kind stage influencers mediums expectations } } } }";
    let shown = caller.ask(document).await["templates"]["nodes"].take();
    let keys: Vec<&Value> = shown.as_array().unwrap().iter().map(|template| &template["key"]).collect();
    assert_eq!(keys, KEYS);
    for template in shown.as_array().unwrap() {
        let id = made(&caller, "templateApply", json!({ "key": template["key"] })).await;
        let journey = shape(&caller, &id).await;
        assert_eq!(journey["title"], template["name"]);
        let names =
            |list: &Value| list["nodes"].as_array().unwrap().iter().map(|node| node["name"].clone()).collect::<Value>();
        assert_eq!(names(&journey["stages"]), template["stages"]);
        let points: Vec<Value> = journey["steps"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| {
                let point = &step["point"];
                let mut wishes = point["expectations"]["nodes"].as_array().unwrap().clone();
                wishes.sort_by_key(|wish| wish["rank"].as_u64());
                assert_eq!(wishes.len(), 5);
                let wishes: Value = wishes.iter().map(|wish| wish["statement"].clone()).collect();
                json!({ "name": point["name"], "kind": point["kind"], "stage": step["stage"]["name"], "expectations": wishes })
            })
            .collect();
        for (point, told) in points.iter().zip(template["points"].as_array().unwrap()) {
            for (name, value) in point.as_object().unwrap() {
                assert_eq!(value, &told[name]);
            }
        }
        assert_eq!(points.len(), template["points"].as_array().unwrap().len());
        // What is shown can be edited and given back.
        let copy = json!({ "title": "Copy", "outline": template["outline"] });
        let copy = shape(&caller, &made(&caller, "journeyFromOutline", copy).await).await;
        assert_eq!((&copy["steps"], &copy["links"]), (&journey["steps"], &journey["links"]));
    }
}

#[tokio::test]
async fn a_template_applied_again_doubles_nothing_and_leaves_alone_what_was_changed() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let first = caller.mutate("templateApply", json!({ "key": "REPAIR" }), TOLD).await;
    assert_eq!((&first["outcome"], &first["errors"]), (&json!("CREATED"), &json!([])));
    let points =
        caller.ask("{ interactionPoints(first: 2) { nodes { id } } }").await["interactionPoints"]["nodes"].take();
    let renamed = json!({ "by": { "id": points[0]["id"] }, "name": "It stops" });
    caller.mutate("interactionPointUpdate", renamed, "outcome").await;
    let none = json!({ "by": { "id": points[0]["id"] }, "mediums": [] });
    caller.mutate("interactionPointSetMediums", none, "outcome").await;
    let before = app.dump(caller.organization()).await;
    let again = caller.mutate("templateApply", json!({ "key": "REPAIR" }), TOLD).await;
    assert_eq!(
        (&again["outcome"], &again["node"], &again["errors"]),
        (&json!("UNCHANGED"), &first["node"], &json!([]))
    );
    assert_eq!(app.dump(caller.organization()).await, before);
    let steps = caller.ask("{ steps(first: 2, orderBy: [{ field: POSITION }]) { nodes { id } } }").await;
    caller.mutate("stepDelete", json!({ "by": { "id": steps["steps"]["nodes"][1]["id"] } }), "outcome").await;
    let links = caller.ask("{ stepLinks(first: 100) { nodes { id } } steps { totalCount } }").await;
    let missing = links["steps"]["totalCount"] == 5;
    let mended = caller.mutate("templateApply", json!({ "key": "REPAIR" }), TOLD).await;
    assert_eq!(
        (&mended["outcome"], &mended["node"]),
        (&json!(if missing { "UPDATED" } else { "UNCHANGED" }), &first["node"])
    );
    assert_eq!(caller.ask("{ steps { totalCount } }").await["steps"]["totalCount"], 6);
}

#[tokio::test]
async fn another_title_makes_another_journey_over_the_same_mediums() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let phone = caller.mutate("mediumCreate", json!({ "name": "phone" }), "node { id }").await["node"]["id"].take();
    let friend = json!({ "name": "Recommendation of a friend" });
    caller.mutate("influencerCreate", friend, "outcome").await;
    let first = made(&caller, "templateApply", json!({ "key": "BASICS", "journeyTitle": "Washers" })).await;
    let counted = counts(&caller).await;
    let second = made(&caller, "templateApply", json!({ "key": "BASICS", "journeyTitle": "Dryers" })).await;
    assert_ne!(first, second);
    let twice = counts(&caller).await;
    for list in ["mediums", "influencers"] {
        assert_eq!(counted[list], twice[list], "{list}");
    }
    for list in ["journeys", "stages", "steps", "interactionPoints", "expectations"] {
        assert_eq!(
            counted[list]["totalCount"].as_u64().unwrap() * 2,
            twice[list]["totalCount"].as_u64().unwrap(),
            "{list}"
        );
    }
    let over = caller
        .data(
            "query($id: ID!) { medium(by: { id: $id }) { interactionPoints { totalCount } } }",
            json!({ "id": phone }),
        )
        .await;
    assert_eq!(over["medium"]["interactionPoints"]["totalCount"], 4);
    let named = caller
        .ask("{ influencers(filter: { name: { contains: \"recommendation of a friend\" } }) { totalCount } }")
        .await;
    assert_eq!(named["influencers"]["totalCount"], 1);
}

#[tokio::test]
async fn a_template_takes_an_outline_of_ones_own_and_a_longer_one_adds_what_is_new() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let apply = |outline: &str| json!({ "key": "SUPPLY_CHAIN", "outline": outline });
    let id = made(&caller, "templateApply", apply("Farm\n  Field\n    > Web\nShop\n  Shelf")).await;
    let longer = "Farm\n  Field\n    > Web\n  Barn\nShop\n  Shelf\n    - It is fresh";
    let payload = caller.mutate("templateApply", apply(longer), TOLD).await;
    assert_eq!((&payload["outcome"], &payload["node"]["id"]), (&json!("UPDATED"), &json!(id)));
    let shown = shape(&caller, &id).await;
    let names: Vec<&Value> =
        shown["steps"]["nodes"].as_array().unwrap().iter().map(|step| &step["point"]["name"]).collect();
    assert_eq!(names, ["Field", "Barn", "Shelf"]);
    for (input, code, path) in [
        (json!({ "key": "BASICS", "journeyTitle": " " }), "REQUIRED", vec!["journeyTitle"]),
        (json!({ "key": "BASICS", "outline": "- wish" }), "INVALID", vec!["outline", "1"]),
    ] {
        let payload = caller.mutate("templateApply", input, TOLD).await;
        assert_eq!(payload["errors"], json!([{ "code": code, "path": path }]));
    }
}

#[tokio::test]
async fn two_who_apply_a_template_at_once_make_one_journey() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let other = caller.named("another");
    let apply = |caller| async move {
        let caller: &crate::app::Caller<'_> = caller;
        caller.mutate("templateApply", json!({ "key": "BASICS" }), TOLD).await
    };
    let (one, two) = tokio::join!(apply(&caller), apply(&other));
    assert_eq!(one["node"], two["node"]);
    let counted = counts(&caller).await;
    assert_eq!(
        (&counted["journeys"]["totalCount"], &counted["interactionPoints"]["totalCount"]),
        (&json!(1), &json!(3))
    );
    let names = caller.ask("{ mediums(first: 100) { nodes { name } } }").await["mediums"]["nodes"].take();
    let names: Vec<&str> = names.as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), names.iter().collect::<std::collections::BTreeSet<_>>().len(), "{names:?}");
}
