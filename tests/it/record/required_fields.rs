//! What must be recorded of interactions by kind of point, and which ones lack it.

use entity::{Permission, noun::StringEnum, required_field::RecordedField};
use serde_json::{Value, json};

use super::{by_id, made, mistakes, one, refused};
use crate::{
    app::{App, Caller},
    outline::codes,
};

const LIST: &str = "query($between: TimeRange, $first: Int! = 100, $after: String) {
    incompleteInteractions(between: $between, first: $first, after: $after) {
        hasNextPage endCursor nodes { interaction { id missingFields { field } } } } }";

/// The interactions that lack fields, newest first, each with those fields.
async fn incomplete(caller: &Caller<'_>, variables: Value) -> Vec<(String, Vec<String>)> {
    let page = caller.data(LIST, variables).await["incompleteInteractions"].take();
    page["nodes"].as_array().unwrap().iter().map(|node| lacking(&node["interaction"])).collect()
}

fn lacking(interaction: &Value) -> (String, Vec<String>) {
    let fields = interaction["missingFields"].as_array().unwrap();
    let fields = fields.iter().map(|missing| missing["field"].as_str().unwrap().to_owned()).collect();
    (interaction["id"].as_str().unwrap().to_owned(), fields)
}

async fn missing(caller: &Caller<'_>, id: &str) -> Vec<String> {
    let query = "query($by: InteractionRef!) { interaction(by: $by) { id missingFields { field } } }";
    lacking(&caller.data(query, json!({ "by": by_id(id) })).await["interaction"]).1
}

async fn require(caller: &Caller<'_>, kind: &str, field: &str) -> String {
    made(caller, "requiredFieldCreate", json!({ "pointKind": kind, "field": field })).await
}

async fn point(caller: &Caller<'_>, kind: &str) -> String {
    made(caller, "interactionPointCreate", json!({ "name": kind, "kind": kind })).await
}

#[tokio::test]
async fn a_completed_interaction_without_a_required_field_is_stored_and_listed_newest_first() {
    let app = App::start().await;
    let (caller, other) = (app.admin("one").await, app.admin("two").await);
    let (shop, desk) = (point(&caller, "POINT_OF_SALE").await, point(&caller, "POINT_OF_SERVICE").await);
    let record = async |point: &Value, day: u32, mut more: Value| {
        more["pointRef"] = point.clone();
        let is_open = more.get("status").is_some();
        if !is_open {
            more["status"] = json!("COMPLETED");
            more["occurredAt"] = json!(format!("2026-11-{day:02}T12:00:00Z"));
        }
        made(&caller, "interactionCreate", more).await
    };
    let old = record(&by_id(&shop), 1, json!({})).await;
    assert_eq!(incomplete(&caller, json!({})).await, []);
    assert_eq!(missing(&caller, &old).await, Vec::<String>::new());

    let summary = require(&caller, "POINT_OF_SALE", "SUMMARY").await;
    require(&caller, "POINT_OF_SALE", "PURPOSE").await;
    require(&caller, "POINT_OF_SERVICE", "DURATION").await;
    require(&other, "POINT_OF_REPAIR", "STAGE").await;
    let half = record(&by_id(&shop), 3, json!({ "purpose": "SELL" })).await;
    let whole = record(&by_id(&shop), 4, json!({ "purpose": "SELL", "summary": "Bought" })).await;
    let served = record(&by_id(&desk), 5, json!({})).await;
    let planned = record(&by_id(&shop), 6, json!({ "status": "SCHEDULED" })).await;
    let elsewhere = record(&Value::Null, 7, json!({})).await;
    let all = |fields: &[&str]| -> Vec<String> { fields.iter().map(|field| (*field).to_owned()).collect() };
    let expected = [
        (served.clone(), all(&["DURATION"])),
        (half.clone(), all(&["SUMMARY"])),
        (old.clone(), all(&["PURPOSE", "SUMMARY"])),
    ];
    assert_eq!(incomplete(&caller, json!({})).await, expected);
    for complete in [&whole, &planned, &elsewhere] {
        assert_eq!(missing(&caller, complete).await, Vec::<String>::new());
    }
    let between = json!({ "between": { "from": "2026-11-01T12:00:00.001Z", "to": "2026-11-05T12:00:00Z" } });
    assert_eq!(incomplete(&caller, between).await, expected[1..2]);

    // Page by page.
    let (mut paged, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = caller.data(LIST, json!({ "first": 1, "after": after })).await["incompleteInteractions"].take();
        paged.push(lacking(&page["nodes"][0]["interaction"]));
        after = page["endCursor"].clone();
        if page["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(paged, expected);

    // What is recorded later, and what is no longer required, is not missing.
    caller.mutate("interactionUpdate", json!({ "by": by_id(&served), "duration": "PT5M" }), "outcome").await;
    caller.mutate("requiredFieldDelete", json!({ "by": by_id(&summary) }), "outcome").await;
    assert_eq!(incomplete(&caller, json!({})).await, [(old, all(&["PURPOSE"]))]);
    assert_eq!(incomplete(&other, json!({})).await, []);
}

#[tokio::test]
async fn each_field_that_can_be_required_is_missed_when_it_is_not_recorded() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let point = point(&caller, "POINT_OF_REPAIR").await;
    for (field, _) in RecordedField::TYPE.values {
        require(&caller, "POINT_OF_REPAIR", field).await;
    }
    let row = async |mutation: &str, input: Value| by_id(&made(&caller, mutation, input).await);
    let named = |name: &str| json!({ "name": name });
    let input = json!({ "statement": "Repaired at once", "source": "RESEARCH", "pointRef": by_id(&point) });
    let assessment = json!({ "outcome": "MET", "verifiedBy": "ASKED",
        "expectationRef": row("expectationCreate", input).await });
    let fields = [
        ("CUSTOMER", "customerRef", row("customerCreate", named("Ann")).await),
        ("ACCOUNT", "accountRef", row("accountCreate", named("Acme")).await),
        ("MEDIUM", "mediumRef", row("mediumCreate", named("Telephone")).await),
        ("INFLUENCER", "influencerRef", row("influencerCreate", named("A friend")).await),
        ("DEPARTMENT", "departmentRef", row("departmentCreate", named("Workshop")).await),
        ("STAFF_SUBJECT", "staffSubject", json!("eve")),
        ("DIRECTION", "direction", json!("INBOUND")),
        ("PURPOSE", "purpose", json!("REPAIR")),
        ("STAGE", "stage", json!("USE")),
        ("DURATION", "duration", json!("PT1H")),
        ("OUR_OBJECTIVE", "ourObjective", json!("Repair")),
        ("OUR_OBJECTIVE_REACHED", "isOurObjectiveReached", json!(false)),
        ("THEIR_OBJECTIVE", "theirObjective", json!("Drive")),
        ("THEIR_OBJECTIVE_REACHED", "isTheirObjectiveReached", json!(false)),
        ("RELEVANCE", "relevance", json!(1)),
        ("TIMING", "timing", json!(1)),
        ("LEARNED", "learned", json!("Drives a lot")),
        ("TAUGHT", "taught", json!("Oil")),
        ("SUMMARY", "summary", json!("Repaired")),
        ("NEXT_STEP", "nextStep", json!("None")),
        ("ASSESSMENTS", "assessments", json!({ "upsert": [assessment] })),
    ];
    let whole = |without: &str| {
        let mut input = json!({ "pointRef": by_id(&point), "status": "COMPLETED" });
        for (_, name, value) in fields.iter().filter(|(field, ..)| *field != without) {
            input[*name] = value.clone();
        }
        input
    };
    let complete = made(&caller, "interactionCreate", whole("")).await;
    assert_eq!(missing(&caller, &complete).await, Vec::<String>::new());
    let mut expected = Vec::new();
    for (field, _) in RecordedField::TYPE.values {
        expected.push((made(&caller, "interactionCreate", whole(field)).await, vec![(*field).to_owned()]));
    }
    expected.reverse();
    assert_eq!(incomplete(&caller, json!({})).await, expected);
}

#[tokio::test]
async fn a_field_is_required_once_for_a_kind_of_point() {
    let app = App::start().await;
    let (caller, other) = (app.admin("one").await, app.admin("two").await);
    let input = |field: &str| json!({ "pointKind": "POINT_OF_SALE", "field": field });
    made(&caller, "requiredFieldCreate", input("SUMMARY")).await;
    made(&caller, "requiredFieldCreate", json!({ "pointKind": "POINT_OF_REPAIR", "field": "SUMMARY" })).await;
    made(&other, "requiredFieldCreate", input("SUMMARY")).await;
    let stage = made(&caller, "requiredFieldCreate", input("STAGE")).await;
    let change = json!({ "by": by_id(&stage), "field": "SUMMARY" });
    let cases = vec![
        ("requiredFieldCreate", input("SUMMARY"), "TAKEN", "field"),
        ("requiredFieldUpdate", change, "TAKEN", "field"),
    ];
    refused(&app, &caller, cases).await;
    let row = |id: &str, field: &str| {
        let mut row = input(field);
        row["externalId"] = json!({ "system": "setup", "id": id });
        row
    };
    let rows = json!({ "rows": [row("1", "TAUGHT"), row("2", "TAUGHT"), row("3", "STAGE"), row("4", "LEARNED")],
        "policy": "SKIP_INVALID" });
    let done = caller.mutate("requiredFieldsBulkUpsert", rows, "results { outcome errors { code path } }").await;
    let told: Vec<_> = done["results"].as_array().unwrap().iter().map(mistakes).collect();
    assert_eq!(told, [vec![], one("TAKEN", &["field"]), one("TAKEN", &["field"]), vec![]]);
}

#[tokio::test]
async fn fields_are_required_by_admins_and_the_list_needs_the_map() {
    let app = App::start().await;
    let admin = app.admin("one").await;
    require(&admin, "POINT_OF_SALE", "SUMMARY").await;
    let input = json!({ "input": { "pointKind": "POINT_OF_SALE", "field": "STAGE" } });
    let create = "mutation($input: RequiredFieldCreateInput!) { requiredFieldCreate(input: $input) { outcome } }";
    let writer = admin.with(Permission::ALL.into_iter().filter(|permission| *permission != Permission::Admin));
    assert_eq!(codes(&writer.run(create, input).await.body), ["FORBIDDEN"]);
    let reader = admin.with([Permission::RecordRead]);
    assert_eq!(codes(&reader.run(LIST, json!({})).await.body), ["FORBIDDEN"]);
    let fields = "{ requiredFields { nodes { pointKind field } } interactions { nodes { missingFields { field } } } }";
    let seen = reader.data(fields, json!({})).await;
    assert_eq!(seen["requiredFields"]["nodes"], json!([{ "pointKind": "POINT_OF_SALE", "field": "SUMMARY" }]));
}
