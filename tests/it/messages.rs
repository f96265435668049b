//! Messages, their variants, copy tests and what can be recycled, through the API.

use serde_json::{Value, json};

use crate::app::{App, Caller};

const TOLD: &str = "outcome node { id } errors { code path }";

async fn made(caller: &Caller<'_>, field: &str, input: Value) -> String {
    let payload = caller.mutate(field, input, TOLD).await;
    assert_eq!(payload["errors"], json!([]), "{field}");
    payload["node"]["id"].as_str().unwrap().to_owned()
}

async fn message(caller: &Caller<'_>, name: &str) -> String {
    made(caller, "messageCreate", json!({ "name": name, "statement": "You can reach us" })).await
}

async fn medium(caller: &Caller<'_>, name: &str) -> String {
    made(caller, "mediumCreate", json!({ "name": name })).await
}

fn variant(message: &str, medium: &str, (responded, sent): (i64, i64)) -> Value {
    json!({
        "text": "Call us", "messageRef": { "id": message }, "mediumRef": { "id": medium },
        "sentCount": sent, "respondedCount": responded,
    })
}

async fn sent(caller: &Caller<'_>, message: &str, medium: &str, counts: (i64, i64)) -> String {
    made(caller, "messageVariantCreate", variant(message, medium, counts)).await
}

fn refused(code: &str, field: &str) -> Value {
    json!([{ "code": code, "path": [field] }])
}

/// A number as it is printed, with four places.
fn printed(number: &Value) -> String {
    number.as_f64().map_or_else(|| number.to_string(), |number| format!("{number:.4}"))
}

async fn copy_test(caller: &Caller<'_>, message: &str, arguments: &str) -> Vec<Value> {
    let document = format!(
        "query($id: ID!) {{ message(by: {{ id: $id }}) {{ copyTest{arguments} {{ measure confidence comparisons {{
            isSameMedium difference lower upper winner {{ id }}
            one {{ variant {{ id }} medium {{ id }} sentCount respondedCount proportion lower upper }}
            other {{ variant {{ id }} proportion lower }} }} }} }} }}"
    );
    let mut data = caller.data(&document, json!({ "id": message })).await;
    let test = data["message"]["copyTest"].take();
    assert_eq!((&test["measure"], &test["confidence"]), (&json!("copy_test"), &json!(0.95)));
    test["comparisons"].as_array().unwrap().clone()
}

#[tokio::test]
async fn nobody_responds_to_what_was_not_sent() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (call, mail) = (message(&caller, "Call").await, medium(&caller, "Mail").await);
    let refs = json!({ "text": "Hi", "messageRef": { "id": call }, "mediumRef": { "id": mail } });
    let fresh = caller.mutate("messageVariantCreate", refs, "node { id sentCount respondedCount sense }").await;
    assert_eq!(fresh["node"]["sentCount"], 0);
    assert_eq!((&fresh["node"]["respondedCount"], &fresh["node"]["sense"]), (&json!(0), &Value::Null));
    let id = sent(&caller, &call, &mail, (5, 10)).await;
    let before = app.dump(caller.organization()).await;
    for (field, input, code, path) in [
        ("messageVariantCreate", variant(&call, &mail, (11, 10)), "OUT_OF_RANGE", "respondedCount"),
        ("messageVariantCreate", variant(&call, &mail, (-1, 10)), "OUT_OF_RANGE", "respondedCount"),
        ("messageVariantCreate", variant(&call, &mail, (0, -1)), "OUT_OF_RANGE", "sentCount"),
        ("messageVariantUpdate", json!({ "by": { "id": id }, "respondedCount": 11 }), "OUT_OF_RANGE", "respondedCount"),
        ("messageVariantUpdate", json!({ "by": { "id": id }, "sentCount": 4 }), "OUT_OF_RANGE", "sentCount"),
        ("messageVariantUpdate", json!({ "by": { "id": id }, "sentCount": null }), "REQUIRED", "sentCount"),
    ] {
        let payload = caller.mutate(field, input.clone(), TOLD).await;
        assert_eq!(payload["errors"], refused(code, path), "{input}");
    }
    assert_eq!(app.dump(caller.organization()).await, before);
    let both = json!({ "by": { "id": id }, "sentCount": 4, "respondedCount": 4 });
    assert_eq!(caller.mutate("messageVariantUpdate", both, TOLD).await["outcome"], "UPDATED");
}

#[tokio::test]
async fn a_variant_stays_with_its_message_and_its_medium() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (call, other) = (message(&caller, "Call").await, message(&caller, "Other").await);
    let (mail, phone) = (medium(&caller, "Mail").await, medium(&caller, "Phone").await);
    let id = sent(&caller, &call, &mail, (0, 0)).await;
    for (field, target) in [("messageRef", other), ("mediumRef", phone)] {
        let payload =
            caller.mutate("messageVariantUpdate", json!({ "by": { "id": id }, field: { "id": target } }), TOLD).await;
        assert_eq!(payload["errors"], refused("INVALID", field));
    }
    for (field, id) in [("messageDelete", &call), ("mediumDelete", &mail)] {
        assert_eq!(caller.mutate(field, json!({ "by": { "id": id } }), TOLD).await["errors"], refused("IN_USE", "by"));
    }
}

#[tokio::test]
async fn a_message_has_fifty_variants_at_most() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (call, mail) = (message(&caller, "Call").await, medium(&caller, "Mail").await);
    let row = |number: usize| {
        let mut row = variant(&call, &mail, (0, 0));
        row["externalId"] = json!({ "system": "test", "id": number.to_string() });
        row
    };
    let rows: Vec<Value> = (0..51).map(row).collect();
    let input = json!({ "rows": rows, "policy": "SKIP_INVALID" });
    let told = "results { outcome errors { code path } }";
    let payload = caller.mutate("messageVariantsBulkUpsert", input, told).await;
    let results = payload["results"].as_array().unwrap();
    assert!(results[..50].iter().all(|result| result["outcome"] == "CREATED"));
    assert_eq!(results[50]["errors"], refused("TOO_LONG", "messageRef"));
}

#[tokio::test]
async fn variants_are_compared_by_the_difference_of_their_proportions() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (call, mail) = (message(&caller, "Call").await, medium(&caller, "Mail").await);
    let one = sent(&caller, &call, &mail, (56, 70)).await;
    let other = sent(&caller, &call, &mail, (48, 80)).await;
    let found = copy_test(&caller, &call, "").await;
    let [pair] = found.as_slice() else { panic!("{found:?}") };
    let numbers = ["difference", "lower", "upper"].map(|name| printed(&pair[name]));
    assert_eq!(numbers, ["0.2000", "0.0524", "0.3339"]);
    assert_eq!((&pair["one"]["variant"]["id"], &pair["other"]["variant"]["id"]), (&json!(one), &json!(other)));
    assert_eq!(pair["winner"]["id"], json!(one));
    assert_eq!((&pair["one"]["respondedCount"], &pair["one"]["sentCount"]), (&json!(56), &json!(70)));
    assert_eq!((&pair["one"]["proportion"], &pair["other"]["proportion"]), (&json!(0.8), &json!(0.6)));
    assert!(pair["one"]["lower"].as_f64() < Some(0.8) && pair["one"]["upper"].as_f64() > Some(0.8));
}

#[tokio::test]
async fn what_was_sent_to_nobody_has_no_proportion_and_no_difference() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (call, mail) = (message(&caller, "Call").await, medium(&caller, "Mail").await);
    assert_eq!(copy_test(&caller, &call, "").await, Vec::<Value>::new());
    sent(&caller, &call, &mail, (0, 0)).await;
    sent(&caller, &call, &mail, (0, 80)).await;
    let pair = copy_test(&caller, &call, "").await.remove(0);
    for name in ["difference", "lower", "upper", "winner"] {
        assert_eq!(pair[name], Value::Null, "{name}");
    }
    assert_eq!((&pair["one"]["proportion"], &pair["one"]["lower"]), (&Value::Null, &Value::Null));
    assert_eq!(pair["other"]["proportion"].as_f64(), Some(0.0));
}

#[tokio::test]
async fn variants_of_two_mediums_are_compared_only_when_asked() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let call = message(&caller, "Call").await;
    let (mail, phone) = (medium(&caller, "Mail").await, medium(&caller, "Phone").await);
    let mut ids = Vec::new();
    for medium in [&mail, &mail, &phone] {
        ids.push(sent(&caller, &call, medium, (1, 10)).await);
    }
    let aside = sent(&caller, &call, &mail, (9, 10)).await;
    made(&caller, "messageVariantArchive", json!({ "by": { "id": aside } })).await;
    sent(&caller, &message(&caller, "Other").await, &mail, (9, 10)).await;
    let pairs = |found: Vec<Value>| -> Vec<(Value, Value, Value)> {
        let pair = |pair: &Value| {
            (pair["one"]["variant"]["id"].clone(), pair["other"]["variant"]["id"].clone(), pair["isSameMedium"].clone())
        };
        found.iter().map(pair).collect()
    };
    let pair = |one: usize, other: usize, is_same: bool| (json!(ids[one]), json!(ids[other]), json!(is_same));
    assert_eq!(pairs(copy_test(&caller, &call, "").await), [pair(0, 1, true)]);
    let across = pairs(copy_test(&caller, &call, "(acrossMediums: true)").await);
    assert_eq!(across, [pair(0, 1, true), pair(0, 2, false), pair(1, 2, false)]);
    assert_eq!(pairs(copy_test(&caller, &call, "(acrossMediums: true, first: 2)").await), across[..2]);
    let document = "query($id: ID!, $first: Int) { message(by: { id: $id }) {
        copyTest(acrossMediums: true, first: $first) { comparisonCount comparisons { difference } } } }";
    let data = caller.data(document, json!({ "id": call, "first": 1 })).await;
    assert_eq!(data["message"]["copyTest"]["comparisonCount"], 3);
    for wrong in [0, 1_001] {
        let reply = caller.run(document, json!({ "id": call, "first": wrong })).await.body;
        assert_eq!(crate::outline::codes(&reply), ["BAD_USER_INPUT"]);
    }
}

#[tokio::test]
async fn copy_tests_of_many_messages_cost_one_statement_beside_the_list() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let mail = medium(&caller, "Mail").await;
    for name in ["a", "b", "c"] {
        let message = message(&caller, name).await;
        sent(&caller, &message, &mail, (1, 10)).await;
        sent(&caller, &message, &mail, (2, 10)).await;
    }
    let before = app.store.statements();
    let document = "{ messages { nodes { copyTest { comparisons { difference } } } } }";
    let data = caller.ask(document).await;
    assert_eq!(app.store.statements() - before, 2);
    for node in data["messages"]["nodes"].as_array().unwrap() {
        assert_eq!(printed(&node["copyTest"]["comparisons"][0]["difference"]), "-0.1000");
    }
}

async fn candidates(caller: &Caller<'_>, arguments: &str) -> Value {
    let document = format!(
        "{{ recycleCandidates{arguments} {{ candidateCount nodes {{
            message {{ name }} winner {{ id }} medium {{ name }} proportion untried {{ medium {{ name }} }} }} }} }}"
    );
    caller.ask(&document).await["recycleCandidates"].take()
}

#[tokio::test]
async fn what_won_in_one_medium_and_was_not_tried_in_another_can_be_recycled() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (mail, phone) = (medium(&caller, "Mail").await, medium(&caller, "Phone").await);
    medium(&caller, "Web").await;
    // A category, and a medium of the past: neither is one to try.
    let category = medium(&caller, "Print").await;
    let letter = json!({ "name": "Letter", "parentRef": { "id": category } });
    made(&caller, "mediumCreate", letter).await;
    let fax = medium(&caller, "Fax").await;
    made(&caller, "mediumArchive", json!({ "by": { "id": fax } })).await;

    let (won, open) = (message(&caller, "Won").await, message(&caller, "Open").await);
    let winner = sent(&caller, &won, &mail, (56, 70)).await;
    sent(&caller, &won, &mail, (48, 80)).await;
    // Better than the second, but in another medium: no reason to think the words did it.
    sent(&caller, &won, &phone, (79, 80)).await;
    sent(&caller, &open, &mail, (6, 10)).await;
    sent(&caller, &open, &mail, (5, 10)).await;

    let expected = json!({ "candidateCount": 1, "nodes": [{
        "message": { "name": "Won" }, "winner": { "id": winner }, "medium": { "name": "Mail" }, "proportion": 0.8,
        "untried": [{ "medium": { "name": "Letter" } }, { "medium": { "name": "Web" } }],
    }] });
    assert_eq!(candidates(&caller, "").await, expected);
    assert_eq!(candidates(&caller, &format!("(messageRef: {{ id: \"{won}\" }})")).await, expected);
    let none = json!({ "candidateCount": 0, "nodes": [] });
    assert_eq!(candidates(&caller, &format!("(messageRef: {{ id: \"{open}\" }})")).await, none);
    assert_eq!(candidates(&caller, "(messageRef: { id: \"message_00000000000000000000000000\" })").await, none);
    made(&caller, "messageArchive", json!({ "by": { "id": won } })).await;
    assert_eq!(candidates(&caller, "").await, none);
}

#[tokio::test]
async fn only_the_best_of_a_medium_are_recycled_and_not_what_was_tried_everywhere() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (mail, phone) = (medium(&caller, "Mail").await, medium(&caller, "Phone").await);
    let call = message(&caller, "Call").await;
    let mut ids = Vec::new();
    for counts in [(900, 1000), (890, 1000), (500, 1000), (100, 1000)] {
        ids.push(sent(&caller, &call, &mail, counts).await);
    }
    let winners = |found: &Value| -> Vec<Value> {
        found["nodes"].as_array().unwrap().iter().map(|node| node["winner"]["id"].clone()).collect()
    };
    // The third beats the fourth and is beaten by the first.
    let found = candidates(&caller, "").await;
    assert_eq!(winners(&found), [json!(ids[0]), json!(ids[1])]);
    let first = candidates(&caller, "(first: 1)").await;
    assert_eq!((winners(&first), &first["candidateCount"]), (vec![json!(ids[0])], &json!(2)));
    for wrong in ["(first: 0)", "(first: 1001)"] {
        let document = format!("{{ recycleCandidates{wrong} {{ candidateCount }} }}");
        let reply = caller.run(&document, json!({})).await.body;
        assert_eq!(crate::outline::codes(&reply), ["BAD_USER_INPUT"]);
    }
    // Tried, though it is in the archive by now.
    let tried = sent(&caller, &call, &phone, (0, 0)).await;
    made(&caller, "messageVariantArchive", json!({ "by": { "id": tried } })).await;
    assert_eq!(candidates(&caller, "").await["candidateCount"], 0);
}

#[tokio::test]
async fn the_points_at_which_a_message_is_said_are_set_whole() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let call = message(&caller, "Call").await;
    let (desk, shop) = (
        made(&caller, "interactionPointCreate", json!({ "name": "Desk" })).await,
        made(&caller, "interactionPointCreate", json!({ "name": "Shop" })).await,
    );
    let set = |points: &[&str]| {
        let points: Vec<Value> = points.iter().map(|id| json!({ "id": id })).collect();
        json!({ "by": { "id": call }, "points": points })
    };
    let told = "outcome node { version points { nodes { name } } } errors { code path }";
    let done = caller.mutate("messageSetPoints", set(&[&desk, &shop]), told).await;
    assert_eq!((&done["outcome"], &done["node"]["version"]), (&json!("UPDATED"), &json!(2)));
    assert_eq!(caller.mutate("messageSetPoints", set(&[&shop, &desk]), told).await["outcome"], "UNCHANGED");
    let twice = caller.mutate("messageSetPoints", set(&[&desk, &desk]), told).await;
    assert_eq!(twice["errors"], json!([{ "code": "INVALID", "path": ["points", "1"] }]));
    let points = "{ interactionPoints(filter: { messages: { some: { name: { eq: \"Call\" } } } }) {
        nodes { name messages { nodes { name } } } } }";
    let shown = caller.ask(points).await;
    assert_eq!(shown["interactionPoints"]["nodes"].as_array().unwrap().len(), 2);
    assert_eq!(shown["interactionPoints"]["nodes"][0]["messages"]["nodes"][0]["name"], "Call");
    let in_use = caller.mutate("interactionPointDelete", json!({ "by": { "id": desk } }), TOLD).await;
    assert_eq!(in_use["errors"], refused("IN_USE", "by"));
    assert_eq!(caller.mutate("messageSetPoints", set(&[]), told).await["node"]["points"]["nodes"], json!([]));
    made(&caller, "messageSetPoints", set(&[&desk])).await;
    assert_eq!(caller.mutate("messageDelete", json!({ "by": { "id": call } }), TOLD).await["outcome"], "DELETED");
    assert_eq!(
        caller.mutate("interactionPointDelete", json!({ "by": { "id": desk } }), TOLD).await["outcome"],
        "DELETED"
    );
}
