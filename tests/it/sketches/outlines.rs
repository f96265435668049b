//! Indented texts become stages and points.

use serde_json::{Value, json};

use super::{TOLD, made, shape};
use crate::app::App;

const OUTLINE: &str = "
Before
  Dream [CONSIDERATION]
    < Friend (5)
    < Poster
    > Web
    - It is far away
  Ticket: adults [POINT_OF_SALE]
\t> Shop
    ~ OPTIONAL Ride
On the way
  Ride
    ~ LOOP Ticket: adults: wrong train
  End
";

#[tokio::test]
async fn an_outline_saved_by_an_editor_is_read_as_it_was_written() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let plain = OUTLINE.trim_start();
    let id = made(&caller, "journeyFromOutline", json!({ "title": "Trip", "outline": plain })).await;
    let saved = format!("\u{feff}{}", plain.replace('\n', "\r\n"));
    let copy = made(&caller, "journeyFromOutline", json!({ "title": "\u{feff}Trip", "outline": saved })).await;
    assert_eq!(shape(&caller, &copy).await, shape(&caller, &id).await);
}

#[tokio::test]
async fn an_outline_becomes_stages_points_and_links() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let id = made(&caller, "journeyFromOutline", json!({ "title": "Trip", "outline": OUTLINE })).await;
    let shown = shape(&caller, &id).await;
    assert_eq!(
        (&shown["title"], &shown["stages"]["nodes"]),
        (&json!("Trip"), &json!([{ "name": "Before" }, { "name": "On the way" }]))
    );
    let steps: Vec<(&Value, &Value, &Value)> = shown["steps"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (&step["stage"]["name"], &step["point"]["name"], &step["point"]["kind"]))
        .collect();
    let (before, way) = (json!("Before"), json!("On the way"));
    assert_eq!(
        steps,
        [
            (&before, &json!("Dream"), &json!("CONSIDERATION")),
            (&before, &json!("Ticket: adults"), &json!("POINT_OF_SALE")),
            (&way, &json!("Ride"), &json!("OTHER")),
            (&way, &json!("End"), &json!("OTHER")),
        ]
    );
    let dream = &shown["steps"]["nodes"][0]["point"];
    let edges =
        json!([{ "strength": 5, "node": { "name": "Friend" } }, { "strength": 3, "node": { "name": "Poster" } }]);
    assert_eq!((&dream["influencers"]["edges"], &dream["mediums"]["nodes"]), (&edges, &json!([{ "name": "Web" }])));
    assert_eq!(dream["expectations"]["nodes"][0]["rank"], 1);
    let links: Vec<String> = shown["links"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| {
            format!(
                "{} {} {} {}",
                link["kind"], link["from"]["point"]["name"], link["to"]["point"]["name"], link["label"]
            )
            .replace('"', "")
        })
        .collect();
    assert_eq!(
        links,
        [
            "SEQUENCE Dream Ticket: adults null",
            "SEQUENCE Ticket: adults Ride null",
            "OPTIONAL Ticket: adults Ride null",
            "SEQUENCE Ride End null",
            "LOOP Ride Ticket: adults wrong train",
        ]
    );
}

#[tokio::test]
async fn a_text_without_indented_lines_is_a_list_of_points() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let id = made(&caller, "journeyFromOutline", json!({ "title": "Trip", "outline": "One\n- wish\nTwo\n" })).await;
    let shown = shape(&caller, &id).await;
    assert_eq!((&shown["stages"]["nodes"], shown["steps"]["nodes"].as_array().unwrap().len()), (&json!([]), 2));
}

#[tokio::test]
async fn a_mistake_is_told_with_the_number_of_its_line() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let before = app.dump(caller.organization()).await;
    let cases: Vec<(String, &str, &[&str])> = vec![
        (String::new(), "REQUIRED", &["outline"]),
        ("x".repeat(20_001), "TOO_LONG", &["outline"]),
        ("> Web\nPoint".to_owned(), "INVALID", &["outline", "1"]),
        ("Point [BAR]\nOther".to_owned(), "INVALID", &["outline", "1"]),
        ("Point\n< Friend (6)".to_owned(), "INVALID", &["outline", "2"]),
        ("Point\n\n-".to_owned(), "INVALID", &["outline", "3"]),
        ("Point\n~ AGAIN Point".to_owned(), "INVALID", &["outline", "2"]),
        ("Point\n~ LOOP Other".to_owned(), "NOT_FOUND", &["outline", "2"]),
        ("One\nTwo\n~ OPTIONAL One".to_owned(), "CYCLE", &["outline", "3", "to"]),
        (format!("One\n{}", "x".repeat(201)), "TOO_LONG", &["outline", "2", "name"]),
    ];
    for (outline, code, path) in cases {
        let payload = caller.mutate("journeyFromOutline", json!({ "title": "T", "outline": outline }), TOLD).await;
        assert_eq!(payload["errors"], json!([{ "code": code, "path": path }]), "{outline:.40}");
        assert_eq!(app.dump(caller.organization()).await, before);
    }
}
