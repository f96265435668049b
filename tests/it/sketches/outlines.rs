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
async fn each_row_of_an_outline_is_written_once_with_all_that_it_says() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let id = made(&caller, "journeyFromOutline", json!({ "title": "Trip", "outline": OUTLINE })).await;
    let document =
        "query($id: ID!) { journey(by: { id: $id }) { steps(first: 100, orderBy: [{ field: POSITION }]) { nodes {
        version point { id version expectations { nodes { id version } } rankings { nodes { before after } } } } } }
        auditLog(first: 100) { totalCount nodes { rowId fields } } }";
    let shown = caller.data(document, json!({ "id": id })).await;
    let steps = shown["journey"]["steps"]["nodes"].as_array().unwrap();
    assert!(
        steps.iter().all(|step| (&step["version"], &step["point"]["version"]) == (&json!(1), &json!(1))),
        "{steps:?}"
    );
    let (dream, ticket) = (&steps[0]["point"], &steps[1]["point"]);
    let far = &dream["expectations"]["nodes"][0];
    assert_eq!(far["version"], 1);
    let after = json!([{ "rank": 1, "id": far["id"], "statement": "It is far away" }]);
    assert_eq!(dream["rankings"]["nodes"], json!([{ "before": [], "after": after }]));
    assert_eq!(ticket["rankings"]["nodes"], json!([]));
    let log = shown["auditLog"]["nodes"].as_array().unwrap();
    let rows: std::collections::HashSet<&str> = log.iter().filter_map(|entry| entry["rowId"].as_str()).collect();
    assert_eq!((&shown["auditLog"]["totalCount"], rows.len()), (&json!(log.len()), log.len()));
    let fields = |row: &Value| &log.iter().find(|entry| entry["rowId"] == *row).unwrap()["fields"];
    let named = |row: &Value, field: &str| fields(row).as_array().unwrap().contains(&json!(field));
    assert!(named(&dream["id"], "mediums") && named(&dream["id"], "influencers"), "{}", fields(&dream["id"]));
    assert!(named(&ticket["id"], "mediums") && !named(&ticket["id"], "influencers"), "{}", fields(&ticket["id"]));
    assert!(named(&far["id"], "rank"), "{}", fields(&far["id"]));
}

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
    // Each point with its step and the link to the next one.
    let points = |count: usize| (0..count).map(|at| format!("P{at}")).collect::<Vec<_>>().join("\n");
    let cases: Vec<(String, &str, &[&str])> = vec![
        (points(501), "TOO_LONG", &[]),
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
    made(&caller, "journeyFromOutline", json!({ "title": "T", "outline": points(500) })).await;
}
