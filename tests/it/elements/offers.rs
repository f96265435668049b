//! Offers: both sides gain, or there is none.

use serde_json::{Value, json};

use super::{TOLD, by_id, element, listed, made, mistakes, one, outcome, point, refused};
use crate::app::{App, Caller};

const BENEFITS: [&str; 2] = ["customerBenefit", "organizationBenefit"];

fn offer(name: &str) -> Value {
    json!({ "name": name, "kind": "EDUCATION", "customerBenefit": "Saves time", "organizationBenefit": "Fewer calls" })
}

#[tokio::test]
async fn an_offer_without_both_benefits_is_refused_however_it_is_written() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let key = json!({ "system": "crm", "id": "course" });
    let mut course = offer("Course");
    course["externalIds"] = json!([key]);
    let id = made(&caller, "offerCreate", course).await;
    let mut cases = Vec::new();
    for benefit in BENEFITS {
        let mut absent = offer("Half");
        absent.as_object_mut().unwrap().remove(benefit);
        absent["externalId"] = json!({ "system": "crm", "id": "half" });
        cases.push(("offerUpsert", absent, "REQUIRED", benefit));
        for blank in [json!(""), json!(" \t\n"), json!("\u{a0}"), json!(null)] {
            let mut half = offer("Half");
            half[benefit] = blank.clone();
            if !blank.is_null() {
                cases.push(("offerCreate", half.clone(), "REQUIRED", benefit));
            }
            half["externalId"] = json!({ "system": "crm", "id": "half" });
            cases.push(("offerUpsert", half, "REQUIRED", benefit));
            cases.push(("offerUpdate", json!({ "by": { "id": id }, benefit: blank }), "REQUIRED", benefit));
            let cleared = json!({ "externalId": key, benefit: blank, "onNull": "CLEAR" });
            cases.push(("offerUpsert", cleared, "REQUIRED", benefit));
        }
    }
    refused(&app, &caller, cases).await;
    let mut half = offer("Half");
    half["externalId"] = json!({ "system": "crm", "id": "half" });
    half["organizationBenefit"] = json!(" ");
    let mut whole = offer("Whole");
    whole["externalId"] = json!({ "system": "crm", "id": "whole" });
    let input = json!({ "rows": [half, whole], "policy": "SKIP_INVALID" });
    let done = caller.mutate("offersBulkUpsert", input, &format!("results {{ {TOLD} }}")).await;
    let expected = [("FAILED".to_owned(), one("REQUIRED", &["organizationBenefit"])), ("CREATED".to_owned(), vec![])];
    assert_eq!(done["results"].as_array().unwrap().iter().map(outcome).collect::<Vec<_>>(), expected);
}

/// The offers of a point, and its version.
async fn at(caller: &Caller<'_>, point: &str) -> (Vec<String>, i64) {
    let asked = "query($id: ID!) { interactionPoint(by: { id: $id }) { version offers { nodes { name } } } }";
    let shown = caller.data(asked, json!({ "id": point })).await;
    let nodes = shown["interactionPoint"]["offers"]["nodes"].as_array().unwrap();
    let names = nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect();
    (names, shown["interactionPoint"]["version"].as_i64().unwrap())
}

#[tokio::test]
async fn offers_are_set_whole_at_points_and_those_at_none_are_found() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (desk, shop) = (point(&caller, "Desk").await, point(&caller, "Shop").await);
    let (tea, course) =
        (made(&caller, "offerCreate", offer("Tea")).await, made(&caller, "offerCreate", offer("Course")).await);
    let nowhere = json!({ "interactionPoints": { "none": {} } });
    assert_eq!(listed(&caller, "Offer", "offers", "name", nowhere.clone()).await, ["Tea", "Course"]);
    let set = |id: &str, offers: &[&String]| json!({ "by": { "id": id }, "offers": offers.iter().map(|offer| by_id(offer)).collect::<Vec<_>>() });
    made(&caller, "interactionPointSetOffers", set(&desk, &[&tea, &course])).await;
    made(&caller, "interactionPointSetOffers", set(&shop, &[&tea])).await;
    assert_eq!((at(&caller, &desk).await, at(&caller, &shop).await.1), ((vec!["Tea".into(), "Course".into()], 2), 2));
    let again = caller.mutate("interactionPointSetOffers", set(&desk, &[&course, &tea]), TOLD).await;
    assert_eq!((outcome(&again), at(&caller, &desk).await.1), (("UNCHANGED".to_owned(), vec![]), 2));
    made(&caller, "interactionPointSetOffers", set(&desk, &[&tea])).await;
    assert_eq!(listed(&caller, "Offer", "offers", "name", nowhere).await, ["Course"]);
    let before = app.dump(caller.organization()).await;
    let unknown = "offer_01h455vb4pex5vsknk084sn02q".to_owned();
    for (offers, expected) in [
        (vec![&tea, &tea], one("INVALID", &["offers", "1"])),
        (vec![&tea, &unknown], one("NOT_FOUND", &["offers", "1"])),
        (vec![&tea; 1_001], one("TOO_LONG", &["offers"])),
    ] {
        let payload = caller.mutate("interactionPointSetOffers", set(&desk, &offers), TOLD).await;
        assert_eq!(mistakes(&payload), expected);
    }
    let mut stale = set(&desk, &[]);
    stale["expectedVersion"] = json!(1);
    let cases = vec![
        ("interactionPointSetOffers", stale, "CONFLICT", "expectedVersion"),
        ("offerDelete", json!({ "by": { "id": tea } }), "IN_USE", "by"),
    ];
    refused(&app, &caller, cases).await;
    assert_eq!(app.dump(caller.organization()).await, before);
}

#[tokio::test]
async fn an_archived_offer_is_left_out_and_comes_back() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let desk = point(&caller, "Desk").await;
    let tea = element(&caller, "offer", &desk, "Tea").await;
    made(&caller, "interactionPointSetOffers", json!({ "by": { "id": desk }, "offers": [by_id(&tea)] })).await;
    made(&caller, "offerArchive", json!({ "by": { "id": tea } })).await;
    assert_eq!(at(&caller, &desk).await.0, Vec::<String>::new());
    made(&caller, "offerUnarchive", json!({ "by": { "id": tea } })).await;
    assert_eq!(at(&caller, &desk).await.0, ["Tea"]);
}
