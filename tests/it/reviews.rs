//! Reviews through the API: questions, answers, how much is answered, and what is stale.

use std::collections::BTreeMap;

use futures_util::future::join;
use serde_json::{Value, json};

use crate::app::{App, Caller};

const TOLD: &str = "outcome node { id } errors { code path }";
const SEED: &str = "organizationSeedReviewQuestions";

async fn made(caller: &Caller<'_>, field: &str, input: Value) -> String {
    let payload = caller.mutate(field, input, TOLD).await;
    assert_eq!(payload["errors"], json!([]), "{field}");
    payload["node"]["id"].as_str().unwrap().to_owned()
}

async fn point(caller: &Caller<'_>, name: &str) -> String {
    made(caller, "interactionPointCreate", json!({ "name": name })).await
}

async fn question(caller: &Caller<'_>, component: &str, text: &str) -> String {
    made(caller, "reviewQuestionCreate", json!({ "component": component, "text": text })).await
}

async fn answer(caller: &Caller<'_>, point: &str, question: &str, text: &str) -> String {
    let input = json!({ "text": text, "pointRef": { "id": point }, "questionRef": { "id": question } });
    made(caller, "reviewAnswerCreate", input).await
}

/// The questions of the organization by component and place, those in the archive too.
async fn questions(caller: &Caller<'_>) -> Vec<Value> {
    let document = "{ reviewQuestions(first: 1000, filter: { archivedAt: {} },
        orderBy: [{ field: COMPONENT }, { field: POSITION }]) { nodes { id component position text bankKey archivedAt } } }";
    caller.ask(document).await["reviewQuestions"]["nodes"].as_array().unwrap().clone()
}

async fn review(caller: &Caller<'_>, point: &str) -> Value {
    let document = "query($id: ID!) { interactionPoint(by: { id: $id }) { review {
        questionCount answeredCount completeness lastAnsweredAt cadenceDays dueAt isStale } } }";
    caller.data(document, json!({ "id": point })).await["interactionPoint"]["review"].take()
}

/// The active questions and the answers that hold at a point.
async fn items(caller: &Caller<'_>, point: &str, arguments: &str) -> Vec<(String, Value)> {
    let document = format!(
        "query($id: ID!) {{ interactionPoint(by: {{ id: $id }}) {{
            reviewItems{arguments} {{ question {{ text }} answer {{ text }} }} }} }}"
    );
    let data = caller.data(&document, json!({ "id": point })).await;
    let item = |item: &Value| (item["question"]["text"].as_str().unwrap().to_owned(), item["answer"]["text"].clone());
    data["interactionPoint"]["reviewItems"].as_array().unwrap().iter().map(item).collect()
}

/// Makes every answer of a point so many days older: no API turns the clock back.
async fn age(app: &App, point: &str, days: i64) {
    let id = entity::id::decode(point).unwrap().1.simple().to_string();
    let (own, past) = (app.database.id("point_id"), days * 86_400_000);
    app.database
        .change(&format!("UPDATE review_answer SET answered_at = answered_at - {past} WHERE {own} = '{id}'"))
        .await;
}

#[tokio::test]
async fn the_bank_gives_questions_on_three_components_once() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let own = question(&caller, "EXPERIENCES", "Is there coffee?").await;
    assert_eq!(caller.mutate(SEED, json!({}), TOLD).await["outcome"], "UPDATED");
    let seeded = questions(&caller).await;
    let mut places: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for question in &seeded {
        let component = question["component"].as_str().unwrap();
        places.entry(component).or_default().push(question["position"].as_i64().unwrap());
    }
    assert_eq!(places.keys().copied().collect::<Vec<_>>(), ["ASSUMPTIONS", "DESIRED_RESULTS", "EXPERIENCES"]);
    for (component, places) in places {
        let wanted: Vec<i64> = (1..).take(places.len()).collect();
        assert_eq!(places, wanted, "{component}");
        assert!(places.len() >= 6, "{component}");
    }
    assert!(seeded.len() > 18);
    assert!(seeded.iter().all(|question| question["bankKey"].is_string() != (question["id"] == json!(own))));
    assert_eq!(caller.mutate(SEED, json!({}), TOLD).await["outcome"], "UNCHANGED");
    assert_eq!(questions(&caller).await, seeded);
}

#[tokio::test]
async fn seeding_again_brings_what_is_missing_and_leaves_what_was_changed() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    caller.mutate(SEED, json!({}), TOLD).await;
    let seeded = questions(&caller).await;
    let id = |place: usize| seeded[place]["id"].clone();
    made(&caller, "reviewQuestionUpdate", json!({ "by": { "id": id(0) }, "text": "In our own words?" })).await;
    made(&caller, "reviewQuestionArchive", json!({ "by": { "id": id(1) } })).await;
    caller.mutate("reviewQuestionDelete", json!({ "by": { "id": id(2) } }), TOLD).await;
    assert_eq!(caller.mutate(SEED, json!({}), TOLD).await["outcome"], "UPDATED");
    let again = questions(&caller).await;
    assert_eq!(again.len(), seeded.len());
    let find = |key: &Value| again.iter().find(|question| question["bankKey"] == seeded_key(&seeded, key)).unwrap();
    assert_eq!(find(&id(0))["text"], "In our own words?");
    assert!(find(&id(1))["archivedAt"].is_string());
    assert_eq!(find(&id(2))["text"], seeded[2]["text"]);
    assert_ne!(find(&id(2))["id"], id(2));
}

fn seeded_key(seeded: &[Value], id: &Value) -> Value {
    seeded.iter().find(|question| question["id"] == *id).unwrap()["bankKey"].clone()
}

#[tokio::test]
async fn two_that_seed_at_once_give_each_question_once() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let seed = || caller.mutate(SEED, json!({}), "outcome errors { code }");
    let (one, other) = join(seed(), seed()).await;
    let mut outcomes = [one["outcome"].as_str().unwrap(), other["outcome"].as_str().unwrap()];
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["UNCHANGED", "UPDATED"]);
    let mut keys: Vec<String> = questions(&caller).await.iter().map(|known| known["bankKey"].to_string()).collect();
    let count = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), count);
}

#[tokio::test]
async fn a_new_question_stands_last_of_its_component_unless_it_says_where() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    question(&caller, "EXPERIENCES", "a").await;
    let placed = json!({ "component": "EXPERIENCES", "text": "b", "position": 7 });
    made(&caller, "reviewQuestionCreate", placed).await;
    question(&caller, "ASSUMPTIONS", "c").await;
    let row = |id: &str| json!({ "externalId": { "system": "s", "id": id }, "component": "EXPERIENCES", "text": id });
    let rows = json!({ "rows": [row("d"), row("e")] });
    caller.mutate("reviewQuestionsBulkUpsert", rows, "errors { code }").await;
    let positions: Vec<(Value, Value)> =
        questions(&caller).await.iter().map(|known| (known["text"].clone(), known["position"].clone())).collect();
    let wanted = [("c", 1), ("a", 1), ("b", 7), ("d", 8), ("e", 9)];
    assert_eq!(positions, wanted.map(|(text, place)| (json!(text), json!(place))));
}

#[tokio::test]
async fn the_newest_answer_holds_and_the_earlier_ones_are_its_history() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (desk, shop) = (point(&caller, "Desk").await, point(&caller, "Shop").await);
    let (wish, doubt) =
        (question(&caller, "DESIRED_RESULTS", "Wish?").await, question(&caller, "ASSUMPTIONS", "Doubt?").await);
    answer(&caller.named("ada"), &desk, &wish, "First").await;
    answer(&caller.named("bob"), &desk, &wish, "Second").await;
    answer(&caller, &shop, &wish, "Elsewhere").await;
    let all = [("Doubt?".to_owned(), Value::Null), ("Wish?".to_owned(), json!("Second"))];
    assert_eq!(items(&caller, &desk, "").await, all);
    assert_eq!(items(&caller, &desk, "(component: ASSUMPTIONS)").await, all[..1]);
    assert_eq!(items(&caller, &desk, "(first: 1)").await, all[..1]);
    let too_many = "{ interactionPoints { nodes { reviewItems(first: 1001) { answer { id } } } } }";
    assert_eq!(crate::outline::codes(&caller.run(too_many, json!({})).await.body), ["BAD_USER_INPUT"]);
    let history = "query($id: ID!) { interactionPoint(by: { id: $id }) { reviewAnswers {
        nodes { text author answeredAt question { id } } } } }";
    let data = caller.data(history, json!({ "id": desk })).await;
    let told = |text: &str, author: &str| json!({ "text": text, "author": author, "answeredAt": "2026-11-22T12:00:00Z", "question": { "id": wish } });
    assert_eq!(
        data["interactionPoint"]["reviewAnswers"]["nodes"],
        json!([told("First", "ada"), told("Second", "bob")])
    );
    let in_use = caller.mutate("reviewQuestionDelete", json!({ "by": { "id": wish } }), TOLD).await;
    assert_eq!(in_use["errors"], json!([{ "code": "IN_USE", "path": ["by"] }]));
    let free = caller.mutate("reviewQuestionDelete", json!({ "by": { "id": doubt } }), TOLD).await;
    assert_eq!(free["outcome"], "DELETED");
}

#[tokio::test]
async fn a_correction_is_signed_by_who_made_it_and_a_deletion_brings_back_what_was_said_before() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (desk, wish) = (point(&caller, "Desk").await, question(&caller, "DESIRED_RESULTS", "Wish?").await);
    answer(&caller.named("ada"), &desk, &wish, "First").await;
    age(&app, &desk, 3).await;
    let newest = answer(&caller.named("ada"), &desk, &wish, "Secnod").await;
    age(&app, &desk, 1).await;
    let told = "outcome node { text author answeredAt } errors { code path }";
    let update = |change: Value| {
        let mut input = change;
        input["by"] = json!({ "id": newest });
        caller.mutate("reviewAnswerUpdate", input, told)
    };
    let keys = update(json!({ "externalIds": [{ "system": "s", "id": "1" }] })).await["node"].take();
    assert_eq!((&keys["author"], &keys["answeredAt"]), (&json!("ada"), &json!("2026-11-21T12:00:00Z")));
    let text = update(json!({ "text": "Second" })).await["node"].take();
    assert_eq!(text, json!({ "text": "Second", "author": "tester", "answeredAt": "2026-11-22T12:00:00Z" }));
    let other = question(&caller, "DESIRED_RESULTS", "Other?").await;
    let moved = update(json!({ "questionRef": { "id": other } })).await;
    assert_eq!(moved["errors"], json!([{ "code": "INVALID", "path": ["questionRef"] }]));
    caller.mutate("reviewAnswerDelete", json!({ "by": { "id": newest } }), TOLD).await;
    assert_eq!(items(&caller, &desk, "").await[0], ("Wish?".to_owned(), json!("First")));
    assert_eq!(review(&caller, &desk).await["lastAnsweredAt"], "2026-11-18T12:00:00Z");
}

#[tokio::test]
async fn completeness_is_the_share_of_active_questions_that_are_answered() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let desk = point(&caller, "Desk").await;
    let figures =
        |shown: &Value| (shown["answeredCount"].clone(), shown["questionCount"].clone(), shown["completeness"].clone());
    assert_eq!(figures(&review(&caller, &desk).await), (json!(0), json!(0), Value::Null));
    let mut asked = Vec::new();
    for text in ["a", "b", "c", "d"] {
        asked.push(question(&caller, "EXPERIENCES", text).await);
    }
    let none = review(&caller, &desk).await;
    assert_eq!((figures(&none).0, figures(&none).2.as_f64()), (json!(0), Some(0.0)));
    for place in [0, 0, 1, 3] {
        answer(&caller, &desk, &asked[place], "yes").await;
    }
    answer(&caller, &point(&caller, "Shop").await, &asked[2], "yes").await;
    assert_eq!(figures(&review(&caller, &desk).await), (json!(3), json!(4), json!(0.75)));
    made(&caller, "reviewQuestionArchive", json!({ "by": { "id": asked[3] } })).await;
    let shown = figures(&review(&caller, &desk).await);
    assert_eq!((shown.0, shown.1), (json!(2), json!(3)));
    assert!(items(&caller, &desk, "").await.iter().all(|(text, _)| text != "d"));
    for id in &asked[..3] {
        made(&caller, "reviewQuestionArchive", json!({ "by": { "id": id } })).await;
    }
    assert_eq!(figures(&review(&caller, &desk).await), (json!(0), json!(0), Value::Null));
}

#[tokio::test]
async fn a_journey_is_as_complete_as_the_points_of_its_steps_each_counted_once() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let journey = made(&caller, "journeyCreate", json!({ "title": "Trip" })).await;
    let document = "query($id: ID!) { journey(by: { id: $id }) {
        review { pointCount staleCount questionCount answeredCount completeness } } }";
    let shown = async || caller.data(document, json!({ "id": journey })).await["journey"]["review"].take();
    let (one, other) = (question(&caller, "EXPERIENCES", "a").await, question(&caller, "EXPERIENCES", "b").await);
    let empty =
        json!({ "pointCount": 0, "staleCount": 0, "questionCount": 0, "answeredCount": 0, "completeness": null });
    assert_eq!(shown().await, empty);
    let (desk, shop, away) = (point(&caller, "Desk").await, point(&caller, "Shop").await, point(&caller, "Away").await);
    for point in [&desk, &shop, &desk] {
        made(&caller, "stepCreate", json!({ "journeyRef": { "id": journey }, "pointRef": { "id": point } })).await;
    }
    for (point, question) in [(&desk, &one), (&desk, &other), (&desk, &one), (&away, &one)] {
        answer(&caller, point, question, "yes").await;
    }
    let wanted =
        json!({ "pointCount": 2, "staleCount": 1, "questionCount": 4, "answeredCount": 2, "completeness": 0.5 });
    assert_eq!(shown().await, wanted);
}

#[tokio::test]
async fn a_review_is_stale_when_there_is_none_or_it_is_older_than_its_cadence() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (desk, wish) = (point(&caller, "Desk").await, question(&caller, "DESIRED_RESULTS", "Wish?").await);
    let stale = async || review(&caller, &desk).await["isStale"].clone();
    assert_eq!(stale().await, true);
    answer(&caller, &desk, &wish, "Peace").await;
    age(&app, &desk, 30).await;
    // Without a cadence an answer holds for ever.
    let shown = review(&caller, &desk).await;
    assert_eq!(
        (&shown["isStale"], &shown["cadenceDays"], &shown["dueAt"]),
        (&json!(false), &Value::Null, &Value::Null)
    );
    caller.mutate("organizationUpdate", json!({ "reviewCadenceDays": 30 }), TOLD).await;
    let shown = review(&caller, &desk).await;
    assert_eq!((&shown["isStale"], &shown["cadenceDays"]), (&json!(false), &json!(30)));
    assert_eq!(
        (&shown["lastAnsweredAt"], &shown["dueAt"]),
        (&json!("2026-10-23T12:00:00Z"), &json!("2026-11-22T12:00:00Z"))
    );
    made(&caller, "interactionPointUpdate", json!({ "by": { "id": desk }, "reviewCadenceDays": 29 })).await;
    assert_eq!(stale().await, true);
    made(&caller, "interactionPointUpdate", json!({ "by": { "id": desk }, "reviewCadenceDays": 31 })).await;
    assert_eq!(stale().await, false);
    for wrong in [0, 3_651] {
        let payload = caller.mutate("organizationUpdate", json!({ "reviewCadenceDays": wrong }), TOLD).await;
        assert_eq!(payload["errors"], json!([{ "code": "OUT_OF_RANGE", "path": ["reviewCadenceDays"] }]));
    }
}

#[tokio::test]
async fn reviews_that_are_due_are_listed_the_most_urgent_first() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let wish = question(&caller, "DESIRED_RESULTS", "Wish?").await;
    caller.mutate("organizationUpdate", json!({ "reviewCadenceDays": 10 }), TOLD).await;
    let due = async |arguments: &str| {
        let document =
            format!("{{ reviewsDue{arguments} {{ pointCount nodes {{ isStale completeness point {{ name }} }} }} }}");
        let mut data = caller.ask(&document).await;
        let nodes = data["reviewsDue"]["nodes"].take();
        let nodes = nodes.as_array().unwrap();
        assert!(nodes.iter().all(|node| node["isStale"] == true && node["completeness"].is_number()));
        let names: Vec<String> = nodes.iter().map(|node| node["point"]["name"].as_str().unwrap().to_owned()).collect();
        (data["reviewsDue"]["pointCount"].as_i64().unwrap(), names)
    };
    assert_eq!(due("").await, (0, Vec::new()));
    for (name, days) in [("fresh", 9), ("late", 11), ("latest", 40), ("often", 12)] {
        let point = point(&caller, name).await;
        answer(&caller, &point, &wish, "Peace").await;
        age(&app, &point, days).await;
        if name == "often" {
            made(&caller, "interactionPointUpdate", json!({ "by": { "id": point }, "reviewCadenceDays": 1 })).await;
        }
    }
    point(&caller, "never").await;
    let gone = point(&caller, "gone").await;
    made(&caller, "interactionPointArchive", json!({ "by": { "id": gone } })).await;
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(due("").await, (4, names(&["never", "latest", "often", "late"])));
    assert_eq!(due("(first: 2)").await, (4, names(&["never", "latest"])));
    for wrong in ["(first: 0)", "(first: 1001)"] {
        let reply = caller.run(&format!("{{ reviewsDue{wrong} {{ pointCount }} }}"), json!({})).await.body;
        assert_eq!(crate::outline::codes(&reply), ["BAD_USER_INPUT"]);
    }
}

#[tokio::test]
async fn reviews_of_many_points_and_journeys_cost_the_same_few_statements() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    caller.mutate(SEED, json!({}), TOLD).await;
    let journey = made(&caller, "journeyCreate", json!({ "title": "Trip" })).await;
    for name in ["a", "b", "c", "d"] {
        let point = point(&caller, name).await;
        made(&caller, "stepCreate", json!({ "journeyRef": { "id": journey }, "pointRef": { "id": point } })).await;
    }
    for (document, wanted) in [
        ("{ interactionPoints { nodes { review { completeness isStale } } } }", 4),
        ("{ interactionPoints { nodes { reviewItems { question { text } answer { text } } } } }", 4),
        ("{ journeys { nodes { review { completeness } } } }", 5),
        ("{ reviewsDue { nodes { completeness } } }", 3),
    ] {
        let before = app.store.statements();
        caller.ask(document).await;
        assert_eq!(app.store.statements() - before, wanted, "{document}");
    }
}
