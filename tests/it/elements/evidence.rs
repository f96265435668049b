//! Evidence behind elements, and the level it gives them.

use serde_json::{Value, json};

use super::{TOLD, by_id, element, made, point, refused};
use crate::app::{App, Caller, now};

/// What evidence can stand behind: the noun, and its list.
const ELEMENTS: [(&str, &str); 7] = [
    ("interactionPoint", "interactionPoints"),
    ("influencer", "influencers"),
    ("expectation", "expectations"),
    ("assumption", "assumptions"),
    ("objective", "objectives"),
    ("desiredResult", "desiredResults"),
    ("offer", "offers"),
];

async fn evidence(caller: &Caller<'_>, kind: &str, title: &str) -> String {
    made(caller, "evidenceCreate", json!({ "kind": kind, "title": title, "sampleSize": 40 })).await
}

async fn level(caller: &Caller<'_>, noun: &str, id: &str) -> Value {
    let document = format!("query($id: ID!) {{ {noun}(by: {{ id: $id }}) {{ evidenceLevel }} }}");
    caller.data(&document, json!({ "id": id })).await[noun]["evidenceLevel"].take()
}

#[tokio::test]
async fn every_element_shows_what_kinds_of_evidence_stand_behind_it() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let desk = point(&caller, "Desk").await;
    let talks = evidence(&caller, "QUALITATIVE", "Talks").await;
    let more = evidence(&caller, "QUALITATIVE", "More talks").await;
    let survey = evidence(&caller, "QUANTITATIVE", "Survey").await;
    for (noun, list) in ELEMENTS {
        let id = element(&caller, noun, &desk, "It").await;
        for (behind, expected) in [
            (vec![], "NONE"),
            (vec![&talks, &more], "QUALITATIVE"),
            (vec![&survey], "QUANTITATIVE"),
            (vec![&talks, &survey, &more], "BOTH"),
        ] {
            let rows: Vec<Value> = behind.iter().map(|id| by_id(id)).collect();
            let input = json!({ "by": { "id": id }, "evidence": rows });
            assert_eq!(caller.mutate(&format!("{noun}SetEvidence"), input, TOLD).await["errors"], json!([]), "{noun}");
            assert_eq!(level(&caller, noun, &id).await, expected, "{noun}");
        }
        // Both ways: the element lists its evidence, and the evidence the element.
        let asked = format!(
            "query($id: ID!, $survey: ID!) {{ {noun}(by: {{ id: $id }}) {{ evidence {{ nodes {{ title }} }} }}
                evidence(by: {{ id: $survey }}) {{ {list} {{ nodes {{ id }} }} }}
                unsupported: {list}(filter: {{ evidence: {{ none: {{ kind: {{ eq: QUANTITATIVE }} }} }} }}) {{ nodes {{ id }} }} }}"
        );
        let shown = caller.data(&asked, json!({ "id": id, "survey": survey })).await;
        assert_eq!(shown[noun]["evidence"]["nodes"].as_array().unwrap().len(), 3, "{noun}");
        assert_eq!(shown["evidence"][list]["nodes"], json!([{ "id": id }]), "{noun}");
        let unsupported = shown["unsupported"]["nodes"].as_array().unwrap();
        assert!(unsupported.iter().all(|row| row["id"] != json!(id)), "{noun}");
        made(&caller, "evidenceArchive", json!({ "by": { "id": survey } })).await;
        assert_eq!(level(&caller, noun, &id).await, "QUALITATIVE", "{noun}");
        made(&caller, "evidenceUnarchive", json!({ "by": { "id": survey } })).await;
        refused(&app, &caller, vec![("evidenceDelete", json!({ "by": { "id": survey } }), "IN_USE", "by")]).await;
        // The element goes with its links; the evidence stays.
        let gone = caller.mutate(&format!("{noun}Delete"), json!({ "by": { "id": id } }), TOLD).await;
        assert_eq!(gone["outcome"], "DELETED", "{noun}");
    }
    let gone = caller.mutate("evidenceDelete", json!({ "by": { "id": survey } }), TOLD).await;
    assert_eq!(gone["outcome"], "DELETED");
}

#[tokio::test]
async fn levels_of_many_rows_cost_one_statement_for_each_level_of_the_query() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let talks = evidence(&caller, "QUALITATIVE", "Talks").await;
    for name in ["A", "B", "C"] {
        let point = point(&caller, name).await;
        for wish in ["x", "y"] {
            let wish = element(&caller, "expectation", &point, wish).await;
            let input = json!({ "by": { "id": wish }, "evidence": [by_id(&talks)] });
            made(&caller, "expectationSetEvidence", input).await;
        }
    }
    let cost = async |document: &str| {
        let before = app.store.statements();
        let data = caller.ask(document).await;
        (data, app.store.statements() - before)
    };
    let (_, bare) = cost("{ interactionPoints { nodes { name expectations { nodes { statement } } } } }").await;
    let levels = "{ interactionPoints { nodes { name evidenceLevel
        expectations { nodes { statement evidenceLevel } } } } }";
    let (data, with) = cost(levels).await;
    assert_eq!((bare, with), (2, 4));
    for point in data["interactionPoints"]["nodes"].as_array().unwrap() {
        assert_eq!(point["evidenceLevel"], "NONE");
        for wish in point["expectations"]["nodes"].as_array().unwrap() {
            assert_eq!(wish["evidenceLevel"], "QUALITATIVE");
        }
    }
}

#[tokio::test]
async fn evidence_says_how_many_when_it_counts_and_is_of_the_past_and_at_an_address_of_the_web() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let counted = evidence(&caller, "QUANTITATIVE", "Survey").await;
    let talks = element(&caller, "evidence", "", "Talks").await;
    let new = |more: Value| {
        let mut input = json!({ "kind": "QUALITATIVE", "title": "New" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    // The day has begun nowhere yet: a day begins first at UTC+14.
    let day = |hours| (now() + chrono::Duration::hours(hours)).date_naive().to_string();
    let (newest, later) = (day(14), day(14 + 24));
    let mut cases = vec![
        ("evidenceCreate", new(json!({ "kind": "QUANTITATIVE" })), "REQUIRED", "sampleSize"),
        ("evidenceCreate", new(json!({ "kind": "QUANTITATIVE", "sampleSize": 0 })), "OUT_OF_RANGE", "sampleSize"),
        ("evidenceCreate", new(json!({ "sampleSize": -1 })), "OUT_OF_RANGE", "sampleSize"),
        ("evidenceUpdate", json!({ "by": { "id": counted }, "sampleSize": null }), "REQUIRED", "sampleSize"),
        ("evidenceUpdate", json!({ "by": { "id": talks }, "kind": "QUANTITATIVE" }), "REQUIRED", "sampleSize"),
        ("evidenceCreate", new(json!({ "gatheredOn": later })), "OUT_OF_RANGE", "gatheredOn"),
        ("evidenceUpdate", json!({ "by": { "id": talks }, "gatheredOn": later }), "OUT_OF_RANGE", "gatheredOn"),
    ];
    for address in ["javascript:alert(1)", "ftp://example.org/a", "example.org/a", "//example.org", "https://", "?"] {
        cases.push(("evidenceCreate", new(json!({ "sourceUrl": address })), "INVALID", "sourceUrl"));
    }
    refused(&app, &caller, cases).await;
    for sound in [
        json!({ "kind": "QUANTITATIVE", "sampleSize": 1, "gatheredOn": newest }),
        json!({ "sourceUrl": "https://example.org/study?id=1#results", "sourceName": "Example", "method": "Interviews" }),
        json!({ "sourceUrl": "HTTP://münchen.example/ä" }),
        json!({ "sourceUrl": " " }),
    ] {
        made(&caller, "evidenceCreate", new(sound)).await;
    }
}
