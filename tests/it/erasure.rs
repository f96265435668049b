//! A person asks for what is held about them, and to be forgotten.

use std::collections::{BTreeMap, BTreeSet};

use entity::{
    Noun, Permission,
    noun::{Kind, Link, Personal, Writable},
    personal::{self, Tag},
};
use serde_json::{Value, json};

use crate::{
    app::{App, Caller},
    fixture::{Extent, World},
    journeys::{by_id, made},
    outline::Outline,
};

const PAYLOAD: &str =
    "outcome isReplayed node { id name email phone version erasedAt externalIds { id } } errors { code path }";
const TEXTS: [&str; 10] = ["Name", "Mail", "Phone", "Crm", "Body", "Attribute", "FeedbackId", "Reason", "Extra", "Key"];

/// A text that stands nowhere else, with a letter that only Unicode folds.
pub fn canary(of: &str, who: usize) -> String {
    // Keys are ASCII.
    let bird = if of == "Key" { "Canary" } else { "CanÄry" };
    format!("{bird}{of}{who}X")
}

pub fn canaries(who: usize) -> Vec<String> {
    TEXTS.iter().map(|of| canary(of, who)).collect()
}

fn crm(who: usize) -> Value {
    json!({ "system": "crm", "id": canary("Crm", who) })
}

/// Somebody who left something in every column that can hold it.
pub async fn settle(caller: &Caller<'_>, who: usize) -> String {
    let of = |what| canary(what, who);
    let input = json!({ "externalId": crm(who), "name": "First", "email": format!("{}@example.org", of("Mail")), "phone": of("Phone"),
        "segment": "Gold", "attributes": [{ "name": "who", "value": of("Attribute") }], "idempotencyKey": format!("made {who}") });
    let made = caller.mutate("customerUpsert", input, PAYLOAD).await;
    let id = made["node"]["id"].as_str().unwrap().to_owned();
    let input = json!({ "by": { "id": id }, "name": of("Name") });
    assert_eq!(caller.mutate("customerUpdate", input, PAYLOAD).await["outcome"], "UPDATED");
    // Long enough to lie outside of its row, and not to be pressed together.
    let words = (0..400_u64).map(|place| format!("{:x} ", place.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let noise = words.collect::<Vec<_>>().concat();
    let input = json!({ "externalId": { "system": "desk", "id": of("FeedbackId") }, "kind": "COMPLAINT", "nps": 3,
        "body": format!("{} {noise}", of("Body")), "customerRef": { "id": id }, "tags": ["kept"], "product": "Card",
        "attributes": [{ "name": "who", "value": of("Attribute") }] });
    let record = caller.mutate("feedbackRecordUpsert", input, "errors { code } node { id }").await;
    let input = json!({ "by": { "id": record["node"]["id"] }, "reason": of("Reason"), "departmentRef": { "id": fallback(caller).await } });
    assert_eq!(caller.mutate("feedbackRecordReroute", input, "errors { code }").await["errors"], json!([]));
    take_part(caller, who, &id).await;
    settle_others(caller, &id, record["node"]["id"].as_str().unwrap(), who).await;
    id
}

/// Somebody takes part in an interaction, and words about it are left everywhere.
async fn take_part(caller: &Caller<'_>, who: usize, id: &str) {
    let of = |what| canary(what, who);
    let key = || json!({ "system": "desk", "id": of("FeedbackId") });
    let attributes = json!([{ "name": "who", "value": of("Attribute") }]);
    let point = made(caller, "interactionPointCreate", json!({ "name": format!("Desk {who}") })).await;
    let input = json!({ "statement": "Speed", "source": "RESEARCH", "pointRef": by_id(&point) });
    let expectation = by_id(&made(caller, "expectationCreate", input).await);
    let input = json!({ "kind": "SALE", "name": "Card", "customerBenefit": "A", "organizationBenefit": "B" });
    let offer = by_id(&made(caller, "offerCreate", input).await);
    let input = json!({
        "externalId": key(), "customerRef": by_id(id), "pointRef": by_id(&point), "attributes": attributes,
        "ourObjective": of("Body"), "theirObjective": of("Body"), "learned": of("Body"), "taught": of("Body"),
        "summary": of("Body"), "nextStep": of("Body"),
        "assessments": { "upsert": [{ "by": { "externalId": key() }, "expectationRef": expectation, "attributes": attributes }] },
        "offersMade": { "upsert": [{ "by": { "externalId": key() }, "offerRef": offer, "reason": of("Reason"), "attributes": attributes }] },
    });
    let interaction = by_id(&made(caller, "interactionUpsert", input).await);
    let input = json!({ "kind": "BOOK", "title": "Guide" });
    let content = by_id(&made(caller, "contentItemCreate", input).await);
    let input = json!({ "externalId": key(), "contentItemRef": content, "interactionRef": interaction, "attributes": attributes });
    made(caller, "contentShareUpsert", input).await;
    let input = json!({ "externalId": key(), "functional": "LIKE", "dysfunctional": "DISLIKE", "attributes": attributes,
        "expectationRef": expectation, "customerRef": by_id(id) });
    made(caller, "kanoAnswerUpsert", input).await;
    let input = json!({ "title": "Faster", "target": "PROCESS" });
    let improvement = by_id(&made(caller, "improvementCreate", input).await);
    let input =
        json!({ "externalId": key(), "improvementRef": improvement, "customerRef": by_id(id), "note": of("Reason") });
    made(caller, "noticeUpsert", input).await;
}

/// The other nouns whose rows are about a person, and need no row of another kind.
fn others() -> impl Iterator<Item = &'static Noun> {
    let is_own = |noun: &Noun| {
        [
            "Customer",
            "FeedbackRecord",
            "Routing",
            "Interaction",
            "Assessment",
            "OfferMade",
            "KanoAnswer",
            "ContentShare",
            "Notice",
        ]
        .contains(&noun.name)
    };
    personal::about_a_person().iter().copied().filter(move |noun| !is_own(noun))
}

/// A row of every other noun about somebody, with something of theirs in every column that is erased.
async fn settle_others(caller: &Caller<'_>, customer: &str, record: &str, who: usize) {
    let outline = Outline::read();
    let world = World::new(&outline, caller.clone(), "Plain");
    let text = canary("Extra", who);
    let mut rows = BTreeMap::from([("Customer", customer.to_owned()), ("FeedbackRecord", record.to_owned())]);
    for noun in others() {
        let input = format!("{}CreateInput", noun.name);
        let mut row = json!({ "externalIds": [{ "system": "desk", "id": text }] });
        for field in noun.shown_fields().filter(|field| field.writable != Writable::Never) {
            // Times of transitions are no inputs of a creation.
            let Some(member) = outline.input(&input, field.name) else { continue };
            if field.is_erasable() {
                row[field.name] = match field.kind {
                    Kind::Attributes { .. } => json!([{ "name": "who", "value": text }]),
                    Kind::Scalar(scalar) if scalar.name == "EmailAddress" => json!(format!("{text}@example.org")),
                    // A day holds no text.
                    Kind::Scalar(scalar) if scalar.name == "Date" => json!("1990-01-01"),
                    _ => json!(text),
                };
            } else if member.is_required() {
                row[field.name] = world.value(&member.ty, field.name, noun.name, Extent::Full).unwrap();
            }
        }
        let mut named: Vec<&str> = Vec::new();
        for relation in noun.relations.iter().filter(|relation| matches!(relation.link, Link::One { .. })) {
            if let Some(id) = rows.get(relation.target.name).filter(|_| !named.contains(&relation.target.name)) {
                row[format!("{}Ref", relation.name)] = json!({ "id": id });
                named.push(relation.target.name);
            }
        }
        let told = "node { id } errors { code message path }";
        let made = caller.mutate(&format!("{}Create", noun.singular), row, told).await;
        assert_eq!(made["errors"], json!([]), "{}", noun.name);
        rows.insert(noun.name, made["node"]["id"].as_str().unwrap().to_owned());
    }
}

/// What is wrong, and where.
fn codes(payload: &Value) -> Vec<(&str, &str)> {
    payload["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["code"].as_str().unwrap(), error["path"][0].as_str().unwrap()))
        .collect()
}

async fn fallback(caller: &Caller<'_>) -> String {
    let data = caller.ask("{ organization { fallbackDepartment { id } } }").await;
    data["organization"]["fallbackDepartment"]["id"].as_str().unwrap().to_owned()
}

pub async fn erase(caller: &Caller<'_>, named: Value) -> Value {
    caller.mutate("customerErase", json!({ "by": named }), PAYLOAD).await
}

/// The columns that hold a text of somebody's.
async fn holding(app: &App, who: usize) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for (table, columns) in app.tables().await {
        for column in columns {
            let text = format!("CAST({column} AS TEXT)");
            let is_there = |of: &&str| {
                format!("{text} LIKE '%{}%' OR {text} LIKE '%{}%'", canary(of, who), canary(of, who).to_lowercase())
            };
            let condition: Vec<String> = TEXTS.iter().map(is_there).collect();
            let sql = format!("SELECT CAST(COUNT(*) AS TEXT) FROM {table} WHERE {}", condition.join(" OR "));
            if app.database.look(sql).await[0][0].as_deref() != Some("0") {
                found.insert((table.clone(), column));
            }
        }
    }
    found
}

#[tokio::test]
async fn everything_tagged_is_exported_and_erased_and_what_is_counted_stays() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (id, other) = (settle(&caller, 1).await, settle(&caller, 2).await);
    for (who, winner) in [(1, &id), (2, &other)] {
        let twin = made(&caller, "customerCreate", json!({ "name": canary("Name", who) })).await;
        let input = json!({ "winner": by_id(winner), "loser": by_id(&twin) });
        assert_eq!(caller.mutate("customerMerge", input, "outcome").await["outcome"], "UPDATED");
    }
    let is_erasable = |tag: &Tag| tag.personal != Personal::None && tag.kept.is_none();
    let tagged: BTreeSet<(String, String)> =
        personal::tags().into_iter().filter(is_erasable).map(|tag| (tag.table, tag.column)).collect();
    // What a value is as a number or an instant holds no text, and goes with the row.
    let tagged: BTreeSet<_> =
        tagged.into_iter().filter(|(_, column)| !["number", "instant", "date"].contains(&column.as_str())).collect();
    assert_eq!(holding(&app, 1).await, tagged, "somebody who is in every tagged column");

    let query = "query($by: CustomerRef!) { customerExport(by: $by) { exportedAt rowCount document } }";
    let export = caller.data(query, json!({ "by": { "externalId": crm(1) } })).await["customerExport"].take();
    let document: Value = serde_json::from_str(export["document"].as_str().unwrap()).unwrap();
    for text in TEXTS.iter().filter(|of| **of != "Key").map(|of| canary(of, 1)) {
        assert!(document.to_string().contains(&text), "{text} {document:#}");
    }
    assert!(!document.to_string().contains(&canary("Name", 2)));
    assert_eq!(export["rowCount"], 13 + others().count(), "with what is kept of the merge");
    assert_eq!(document["held"]["RowMerge"][0]["row"]["name"], canary("Name", 1));
    assert_eq!(document["held"]["Customer"][0]["id"], json!(id));
    assert_eq!(document["held"]["FeedbackRecord"][0]["customer"], json!(id));
    assert_eq!(document["held"]["Repair"].as_array().unwrap().len(), 1, "it is below the unit and below the part");
    assert_eq!(document["held"]["Customer"][0]["events"][1]["fields"], json!(["name"]));

    let counted = "{ feedbackRecordGroups(groupBy: [KIND, PRODUCT, TAG]) { recordCount nodes { count meanNps { mean n } product } }
        customers { totalCount } }";
    let before = caller.ask(counted).await;
    let done = erase(&caller, json!({ "id": id })).await;
    assert_eq!((&done["outcome"], &done["errors"]), (&json!("UPDATED"), &json!([])));
    assert_eq!(
        done["node"],
        json!({ "id": id, "name": null, "email": null, "phone": null, "version": 3,
        "erasedAt": "2026-11-22T12:00:00Z", "externalIds": [] })
    );
    assert_eq!(caller.ask(counted).await, before);
    assert_eq!(holding(&app, 1).await, BTreeSet::new());
    assert_eq!(holding(&app, 2).await, tagged, "nobody else is touched");
    let days = app.database.look("SELECT CAST(COUNT(date) AS TEXT) FROM occasion".to_owned()).await;
    assert_eq!(days[0][0].as_deref(), Some("1"), "a birthday goes with the person");
    let again = erase(&caller, json!({ "id": id })).await;
    assert_eq!((&again["outcome"], &again["node"]["version"]), (&json!("UNCHANGED"), &json!(3)));
    assert_eq!(erase(&caller, json!({ "externalId": crm(1) })).await["outcome"], "UNCHANGED", "known by its hash");
    assert_eq!(erase(&caller, json!({ "id": other })).await["outcome"], "UPDATED");
    for unknown in [json!({ "id": "cust_01h455vb4pex5vsknk084sn02q" }), json!({ "externalId": crm(9) })] {
        assert_eq!(codes(&erase(&caller, unknown.clone()).await), [("NOT_FOUND", "by")]);
        assert_eq!(caller.data(query, json!({ "by": unknown })).await["customerExport"], Value::Null);
    }
}

#[tokio::test]
async fn an_erasure_says_which_rows_and_fields_it_emptied_and_nothing_else() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let id = settle(&caller, 1).await;
    erase(&caller, json!({ "id": id })).await;
    let events =
        app.database.look("SELECT noun, fields FROM event WHERE operation = 'ERASED' ORDER BY noun".to_owned()).await;
    let told: Vec<(String, Vec<String>)> = events
        .into_iter()
        .map(|row| (row[0].clone().unwrap(), serde_json::from_str(row[1].as_ref().unwrap()).unwrap()))
        .collect();
    let rows = |name: &str| -> Vec<&Vec<String>> {
        told.iter().filter(|(noun, _)| noun == name).map(|(_, fields)| fields).collect()
    };
    assert_eq!(rows("Customer"), [&["name", "email", "phone", "attributes", "erasedAt", "externalIds"]]);
    assert_eq!(rows("FeedbackRecord"), [&["body", "attributes", "externalIds"]]);
    assert_eq!(rows("Routing"), [&["reason"], &["reason"]]);
    assert_eq!(told.len(), 12 + others().count());
}

#[tokio::test]
async fn nobody_who_was_erased_comes_back_by_an_import_an_update_or_a_retry() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let id = settle(&caller, 1).await;
    let create = json!({ "name": canary("Name", 1), "idempotencyKey": canary("Key", 1) });
    let unkeyed = caller.mutate("customerCreate", create.clone(), PAYLOAD).await["node"]["id"].take();
    erase(&caller, json!({ "id": id })).await;
    erase(&caller, json!({ "id": unkeyed })).await;
    assert_eq!(holding(&app, 1).await, BTreeSet::new());

    let mutate = async |field: &str, input: Value| caller.mutate(field, input, "outcome errors { code path }").await;
    let row = json!({ "externalId": crm(1), "name": "Back" });
    assert_eq!(codes(&mutate("customerUpsert", row.clone()).await), [("ERASED", "externalId")]);
    let other = json!({ "name": "Back", "externalIds": [crm(1)] });
    assert_eq!(codes(&mutate("customerCreate", other).await), [("ERASED", "externalIds")]);
    assert_eq!(
        codes(&mutate("customerUpdate", json!({ "by": { "id": id }, "segment": "Back" })).await),
        [("ERASED", "by")]
    );
    assert_eq!(codes(&mutate("customerCreate", create).await), [("IDEMPOTENCY_CONFLICT", "idempotencyKey")]);
    let words = json!({ "externalId": { "system": "desk", "id": canary("FeedbackId", 1) }, "kind": "COMPLAINT" });
    assert_eq!(codes(&mutate("feedbackRecordUpsert", words).await), [("ERASED", "externalId")]);
    let words = json!({ "kind": "COMPLAINT", "customerRef": { "id": id } });
    assert_eq!(codes(&mutate("feedbackRecordCreate", words).await), [("ERASED", "customerRef")]);
    let data = caller.ask("{ feedbackRecords { nodes { id } } }").await;
    let record = &data["feedbackRecords"]["nodes"][0]["id"];
    assert_eq!(
        codes(&mutate("feedbackRecordUpdate", json!({ "by": { "id": record }, "body": "Back" })).await),
        [("ERASED", "body")]
    );
    assert_eq!(
        mutate("feedbackRecordUpdate", json!({ "by": { "id": record }, "csat": 2 })).await["outcome"],
        "UPDATED",
        "a fact"
    );

    let fresh = json!({ "externalId": crm(2), "name": "New" });
    let bulk = json!({ "rows": [row, fresh], "policy": "SKIP_INVALID" });
    let done = caller.mutate("customersBulkUpsert", bulk, "results { outcome errors { code path } }").await;
    assert_eq!(done["results"][0]["errors"][0]["code"], "ERASED");
    assert_eq!(done["results"][1]["outcome"], "CREATED");
    // Another organization's erasures are its own.
    let elsewhere = app.admin("two").await;
    assert_eq!(
        elsewhere.mutate("customerUpsert", json!({ "externalId": crm(1), "name": "Theirs" }), "outcome").await["outcome"],
        "CREATED"
    );
}

#[tokio::test]
async fn what_is_said_of_the_erased_afterwards_is_not_kept() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (id, _) = (settle(&caller, 1).await, settle(&caller, 2).await);
    erase(&caller, json!({ "id": id })).await;
    let records = "{ feedbackRecords { nodes { id routings { nodes { cause reason } } } } }";
    let before = caller.ask(records).await;
    let reason = canary("Reason", 1);
    for node in before["feedbackRecords"]["nodes"].as_array().unwrap() {
        for department in [json!({ "id": fallback(&caller).await }), Value::Null] {
            let mut input = json!({ "by": { "id": node["id"] }, "reason": reason });
            if !department.is_null() {
                input["departmentRef"] = department;
            }
            let done = caller.mutate("feedbackRecordReroute", input, "outcome errors { code }").await;
            assert_eq!(done["outcome"], "UPDATED");
        }
    }
    let after = caller.ask(records).await;
    let reasons = |place: usize| -> Vec<&str> {
        let routings = after["feedbackRecords"]["nodes"][place]["routings"]["nodes"].as_array().unwrap();
        routings.iter().map(|routing| routing["reason"].as_str().unwrap()).collect()
    };
    assert_eq!(reasons(0), [""; 4]);
    let kept = reasons(1).into_iter().filter(|kept| kept.contains(&reason));
    assert_eq!(kept.count(), 2, "of others it is: {after:#}");
}

#[tokio::test]
async fn an_erasure_needs_the_scopes_to_write_what_it_empties() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let id = settle(&caller, 1).await;
    for missing in [Permission::CustomersWrite, Permission::RecordWrite, Permission::RecordRead] {
        let blind = caller.with(Permission::ALL.into_iter().filter(|known| *known != missing));
        let document = "mutation($input: CustomerEraseInput!) { customerErase(input: $input) { outcome } }";
        let reply = blind.run(document, json!({ "input": { "by": { "id": id } } })).await.body;
        assert_eq!(reply["errors"][0]["extensions"]["code"], "FORBIDDEN", "{missing:?}");
    }
}
