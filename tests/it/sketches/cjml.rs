//! CJML comes in, and what went out as CJML comes in without loss.

use serde_json::{Value, json};

use super::{TOLD, made, shape};
use crate::app::{App, Caller};

async fn written(caller: &Caller<'_>, id: &str) -> String {
    let document = "query($id: ID!) { journey(by: { id: $id }) { diagram(format: CJML) } }";
    let mut data = caller.data(document, json!({ "id": id })).await;
    data["journey"]["diagram"].take().as_str().unwrap().to_owned()
}

/// A document without ids: each is replaced by the place at which it first stands.
fn bare(document: &str) -> String {
    let mut known: Vec<&str> = Vec::new();
    let mut text = String::new();
    for word in document.split_inclusive(|sign: char| !sign.is_alphanumeric() && sign != '_') {
        let id = word.trim_end_matches(|sign: char| !sign.is_alphanumeric() && sign != '_');
        if entity::id::decode(id).is_some() {
            let place = known.iter().position(|other| *other == id).unwrap_or_else(|| {
                known.push(id);
                known.len() - 1
            });
            text.push_str(&place.to_string());
            text.push_str(&word[id.len()..]);
        } else {
            text.push_str(word);
        }
    }
    text
}

#[tokio::test]
async fn what_went_out_comes_in_elsewhere_without_loss() {
    let app = App::start().await;
    let (one, two) = (app.admin("one").await, app.admin("two").await);
    let mut ids = Vec::new();
    for key in ["BASICS", "COMPLAINT_HANDLING", "SALES_CALL", "REPAIR", "SUPPLY_CHAIN"] {
        ids.push(made(&one, "templateApply", json!({ "key": key })).await);
    }
    let notes = json!({ "title": "<Trip> & \"more\"", "summary": "Über alles 旅", "customerSegment": "Families",
        "points": [{ "name": "רכבת", "mediums": ["אתר", "A", "B"], "expectations": ["x & y"] }, { "name": "End" }] });
    ids.push(made(&one, "quickJourney", notes).await);
    for id in ids {
        let document = written(&one, &id).await;
        let copy = made(&two, "journeyImport", json!({ "document": document })).await;
        assert_eq!(bare(&written(&two, &copy).await), bare(&document));
        let (mut original, mut shown) = (shape(&one, &id).await, shape(&two, &copy).await);
        for journey in [&mut original, &mut shown] {
            let mut links = journey["links"]["nodes"].as_array().unwrap().clone();
            links.sort_by_key(Value::to_string);
            journey["links"] = json!(links);
        }
        assert_eq!(shown, original);
    }
}

#[tokio::test]
async fn texts_go_out_and_come_in_byte_for_byte() {
    let app = App::start().await;
    let (one, two) = (app.admin("one").await, app.admin("two").await);
    let wild = "  First.\n\nSecond\r\nThird\r\tq\u{2028}\u{85}👩\u{200d}🔧 ]]> &amp; <b>\u{202e}abc\n";
    let notes = json!({ "title": "A  trip", "summary": wild, "customerSegment": "می\u{200c}خواهم  Families",
        "points": [{ "name": "One  way", "stage": "Two  lines", "influencers": ["A  b"], "mediums": ["C  d", "E  f"],
            "expectations": ["One\nTwo", wild] }] });
    let id = made(&one, "quickJourney", notes).await;
    let copy = made(&two, "journeyImport", json!({ "document": written(&one, &id).await })).await;
    let (original, copied) = (shape(&one, &id).await, shape(&two, &copy).await);
    assert_eq!(copied, original);
    assert_eq!(copied["summary"], wild);
    assert_eq!(copied["steps"]["nodes"][0]["point"]["expectations"]["nodes"][0]["statement"], "One\nTwo");
}

#[tokio::test]
async fn a_label_is_all_of_its_text_whatever_stands_within() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for label in [
        "Call <!-- x -->the bank",
        "Call <b>the</b> bank",
        "<![CDATA[Call]]> the<?x y?> bank",
        "\n    Call\n    the bank\n  ",
        "<i>Call <b>the</b></i> bank",
    ] {
        let document = format!(
            "\u{feff}<?xml version=\"1.0\"?><CJML version=\"2.0\"><plannedJourney><journeyID>1</journeyID><touchpoints>
            <plannedAction><touchpointID>1</touchpointID><initiator><initiatorLabel>{label}</initiatorLabel></initiator>
            </plannedAction></touchpoints></plannedJourney></CJML>"
        );
        let shown = shape(&caller, &made(&caller, "journeyImport", json!({ "document": document })).await).await;
        assert_eq!(shown["steps"]["nodes"][0]["point"]["name"], "Call the bank", "{label}");
    }
}

#[tokio::test]
async fn a_document_of_others_comes_in_and_one_that_is_none_is_refused() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let flat = "<cjml><journeyName>Visit</journeyName><touchpoint id=\"1\" type=\"communication\">
        <initiatorDescription>Call</initiatorDescription><channel>Phone</channel></touchpoint>
        <touchpoint id=\"2\" type=\"action\"><initiatorDescription>Wait</initiatorDescription></touchpoint></cjml>";
    let shown = shape(&caller, &made(&caller, "journeyImport", json!({ "document": flat })).await).await;
    let names: Vec<(&Value, &Value)> = shown["steps"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (&step["point"]["name"], &step["point"]["kind"]))
        .collect();
    assert_eq!(names, [(&json!("Call"), &json!("OTHER")), (&json!("Wait"), &json!("CONSIDERATION"))]);
    assert_eq!(shown["steps"]["nodes"][0]["point"]["mediums"]["nodes"], json!([{ "name": "Phone" }]));
    let before = app.dump(caller.organization()).await;
    let unnamed = flat.replace("Wait", " ");
    let untitled = flat.replace("Visit", "");
    let entity = "<!DOCTYPE cjml [<!ENTITY x \"y\">]><cjml><journeyName>&x;</journeyName></cjml>";
    let cases: [(&str, &str, &[&str]); 5] = [
        ("", "INVALID", &["document"]),
        ("<svg/>", "INVALID", &["document"]),
        (entity, "INVALID", &["document"]),
        (&unnamed, "REQUIRED", &["document", "touchpoints", "1", "name"]),
        (&untitled, "REQUIRED", &["document", "title"]),
    ];
    for (document, code, path) in cases {
        let payload = caller.mutate("journeyImport", json!({ "document": document }), TOLD).await;
        assert_eq!(payload["errors"], json!([{ "code": code, "path": path }]), "{document}");
        assert_eq!(app.dump(caller.organization()).await, before);
    }
}
