//! How customers are reached, what they consented to, and their occasions.

use entity::Permission;
use serde_json::{Value, json};

use super::{TOLD, by_id, key, made, soon, wrong};
use crate::{
    app::{App, Caller},
    outline::codes,
};

const CUSTOMER: &str = "query($id: ID!) { customer(by: { id: $id }) { email phone version
    contactPoints(first: 100, orderBy: [{ field: ID }]) { nodes { id kind value isPrimary verifiedAt version } } } }";

async fn shown(caller: &Caller<'_>, id: &str) -> Value {
    caller.data(CUSTOMER, json!({ "id": id })).await["customer"].take()
}

/// Kind, value and whether it is primary, of every contact point.
fn points(customer: &Value) -> Vec<(&str, &str, bool)> {
    let nodes = customer["contactPoints"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| (text(&node["kind"]), text(&node["value"]), node["isPrimary"].as_bool().unwrap())).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[tokio::test]
async fn the_primary_address_is_that_of_the_customer_whichever_is_written() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let input = json!({ "name": "Ann", "email": "ann@Example.org", "phone": "+49 1" });
    let ann = made(&caller, "customerCreate", input).await;
    let first = shown(&caller, &ann).await;
    assert_eq!(points(&first), [("EMAIL", "ann@example.org", true), ("PHONE", "+49 1", true)]);

    // Another one takes the place of the first.
    let work = json!({ "customerRef": by_id(&ann), "kind": "EMAIL", "value": "ann@work.example", "isPrimary": true,
        "verifiedAt": "2026-01-01T00:00:00Z" });
    let work = made(&caller, "contactPointCreate", work).await;
    let second = shown(&caller, &ann).await;
    assert_eq!((&second["email"], &second["phone"]), (&json!("ann@work.example"), &json!("+49 1")));
    let all = [("EMAIL", "ann@example.org", false), ("PHONE", "+49 1", true), ("EMAIL", "ann@work.example", true)];
    assert_eq!(points(&second), all);

    // The customer's own field changes the primary one, which is then not verified.
    let input = json!({ "by": by_id(&ann), "email": "ann@new.example" });
    assert_eq!(caller.mutate("customerUpdate", input.clone(), TOLD).await["outcome"], "UPDATED");
    assert_eq!(caller.mutate("customerUpdate", input, TOLD).await["outcome"], "UNCHANGED");
    let third = shown(&caller, &ann).await;
    assert_eq!(points(&third)[2], ("EMAIL", "ann@new.example", true));
    assert_eq!(third["contactPoints"]["nodes"][2]["verifiedAt"], Value::Null);
    assert_eq!(third["version"].as_i64().unwrap(), second["version"].as_i64().unwrap() + 1);

    // One that is primary no longer leaves the customer without; so does one that is deleted.
    let input = json!({ "by": by_id(&work), "isPrimary": false });
    assert_eq!(caller.mutate("contactPointUpdate", input, TOLD).await["outcome"], "UPDATED");
    assert_eq!(shown(&caller, &ann).await["email"], Value::Null);
    let phone = text(&first["contactPoints"]["nodes"][1]["id"]).to_owned();
    caller.mutate("contactPointDelete", json!({ "by": by_id(&phone) }), "outcome").await;
    let fourth = shown(&caller, &ann).await;
    assert_eq!((&fourth["phone"], points(&fourth).len()), (&Value::Null, 2));

    // Without a primary one, the customer's field makes one; null deletes it.
    let input = json!({ "by": by_id(&ann), "phone": "+49 2", "email": "ann@third.example" });
    caller.mutate("customerUpdate", input, TOLD).await;
    let fifth = shown(&caller, &ann).await;
    assert_eq!(points(&fifth).len(), 4);
    let input = json!({ "by": by_id(&ann), "phone": null });
    assert_eq!(caller.mutate("customerUpdate", input, TOLD).await["outcome"], "UPDATED");
    let sixth = shown(&caller, &ann).await;
    assert_eq!((&sixth["phone"], points(&sixth).len()), (&Value::Null, 3));
    assert_eq!(sixth["email"], "ann@third.example");

    // Each of them tells in the audit log.
    let log = app.database.look("SELECT operation FROM event WHERE noun = 'ContactPoint'".to_owned()).await;
    let operations: Vec<String> = log.into_iter().flatten().flatten().collect();
    let count = |wanted: &str| operations.iter().filter(|operation| *operation == wanted).count();
    assert_eq!((count("CREATED"), count("DELETED")), (5, 2), "{operations:?}");
}

#[tokio::test]
async fn a_customer_has_one_primary_contact_point_of_each_kind_however_they_are_written() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let point = |value: &str, is_primary: bool| {
        json!({ "by": { "externalId": key(value) }, "kind": "EMAIL",
        "value": value, "isPrimary": is_primary })
    };
    let input =
        |points: Value| json!({ "externalId": key("ann"), "name": "Ann", "contactPoints": { "upsert": points } });
    let all = json!([point("a@example.org", true), point("b@example.org", true), point("c@example.org", false)]);
    let ann = caller.mutate("customerUpsert", input(all), "errors { code path } node { id }").await;
    assert_eq!(ann["errors"], json!([]));
    let ann = text(&ann["node"]["id"]).to_owned();
    let primary = async || {
        let shown = shown(&caller, &ann).await;
        let primary = points(&shown).into_iter().filter(|(.., is_primary)| *is_primary).map(|point| point.1.to_owned());
        (primary.collect::<Vec<_>>(), shown["email"].as_str().map(str::to_owned))
    };
    let is = |value: &str| (vec![value.to_owned()], Some(value.to_owned()));
    assert_eq!(primary().await, is("b@example.org"), "the last of the call");
    let swap = json!([point("a@example.org", true), point("b@example.org", false)]);
    caller.mutate("customerUpsert", input(swap), TOLD).await;
    assert_eq!(primary().await, is("a@example.org"));
    // The former one is written as well, after the new one.
    let renewed =
        json!([point("c@example.org", true), { "by": { "externalId": key("a@example.org") }, "tags": ["old"] }]);
    caller.mutate("customerUpsert", input(renewed), TOLD).await;
    assert_eq!(primary().await, is("c@example.org"));
    let renamed = json!({ "by": { "externalId": key("c@example.org") }, "value": "d@example.org" });
    caller.mutate("contactPointUpdate", renamed, TOLD).await;
    assert_eq!(primary().await, is("d@example.org"));
    let input = json!({ "by": { "externalId": key("c@example.org") }, "value": "nowhere" });
    assert_eq!(wrong(&caller, "contactPointUpdate", input).await, [("INVALID".to_owned(), "value".to_owned())]);
    assert_eq!(primary().await, is("d@example.org"));
}

#[tokio::test]
async fn the_newest_decision_holds_and_none_is_ever_changed() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let ann = made(&caller, "customerCreate", json!({ "name": "Ann" })).await;
    let phone = made(&caller, "mediumCreate", json!({ "name": "Phone" })).await;
    let decide = async |purpose: &str, decision: &str, at: &str, medium: Option<&str>| {
        let mut input = json!({ "customerRef": by_id(&ann), "purpose": purpose, "decision": decision, "decidedAt": at,
            "source": "form" });
        if let Some(id) = medium {
            input["mediumRef"] = by_id(id);
        }
        made(&caller, "consentCreate", input).await
    };
    // Not in the order of time: what a CRM delivers late is old.
    let newest = decide("MARKETING", "WITHDRAWN", "2026-03-01T00:00:00Z", None).await;
    decide("MARKETING", "GRANTED", "2026-01-01T00:00:00Z", None).await;
    decide("MARKETING", "GRANTED", "2026-02-01T00:00:00Z", Some(&phone)).await;
    decide("SERVICE", "WITHDRAWN", "2026-02-01T00:00:00Z", None).await;
    decide("SERVICE", "GRANTED", "2026-02-01T00:00:00Z", None).await;
    let asked = "query($id: ID!) { customer(by: { id: $id }) { consents { totalCount }
        consentsHeld { purpose decision decidedAt medium { id } consent { id source } } } }";
    let shown = caller.data(asked, json!({ "id": ann })).await["customer"].take();
    assert_eq!(shown["consents"]["totalCount"], 5);
    let held: Vec<(&str, &str, Value)> = shown["consentsHeld"]
        .as_array()
        .unwrap()
        .iter()
        .map(|held| (text(&held["purpose"]), text(&held["decision"]), held["medium"]["id"].clone()))
        .collect();
    let expected = [
        ("MARKETING", "WITHDRAWN", Value::Null),
        ("MARKETING", "GRANTED", json!(phone)),
        ("SERVICE", "GRANTED", Value::Null),
    ];
    assert_eq!(held, expected);
    assert_eq!(shown["consentsHeld"][0]["consent"], json!({ "id": newest, "source": "form" }));

    let change = json!({ "externalId": key("c1"), "customerRef": by_id(&ann), "purpose": "RESEARCH",
        "decision": "GRANTED" });
    assert_eq!(caller.mutate("consentUpsert", change.clone(), TOLD).await["outcome"], "CREATED");
    assert_eq!(caller.mutate("consentUpsert", change, TOLD).await["outcome"], "UNCHANGED", "a retry does no harm");
    for change in [json!({ "decision": "WITHDRAWN" }), json!({ "source": "call" })] {
        let mut input = json!({ "externalId": key("c1"), "customerRef": by_id(&ann), "purpose": "RESEARCH",
            "decision": "GRANTED" });
        input.as_object_mut().unwrap().append(&mut change.as_object().unwrap().clone());
        assert_eq!(wrong(&caller, "consentUpsert", input).await[0].0, "INVALID", "{change}");
    }
    let early =
        json!({ "customerRef": by_id(&ann), "purpose": "RESEARCH", "decision": "GRANTED", "decidedAt": soon() });
    assert_eq!(wrong(&caller, "consentCreate", early).await, [("OUT_OF_RANGE".to_owned(), "decidedAt".to_owned())]);
}

#[tokio::test]
async fn an_occasion_comes_in_the_zone_of_its_customer() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    // It is 2026-11-22T12:00Z, and already the 23rd on Kiritimati.
    let ann = made(&caller, "customerCreate", json!({ "name": "Ann", "timeZone": "Pacific/Kiritimati" })).await;
    let firm = made(&caller, "accountCreate", json!({ "name": "Firm" })).await;
    let occasion = async |owner: (&str, &str), date: &str, recurrence: &str| {
        let input = json!({ owner.0: by_id(owner.1), "kind": "BIRTHDAY", "date": date, "recurrence": recurrence });
        let id = made(&caller, "occasionCreate", input).await;
        let asked = "query($id: ID!) { occasion(by: { id: $id }) { next { date startsAt years } } }";
        caller.data(asked, json!({ "id": id })).await["occasion"]["next"].take()
    };
    let (ann_owns, firm_owns) = (("customerRef", ann.as_str()), ("accountRef", firm.as_str()));
    let day = |date: &str, starts: &str, years: i64| json!({ "date": date, "startsAt": starts, "years": years });
    assert_eq!(occasion(ann_owns, "1990-11-22", "YEARLY").await, day("2027-11-22", "2027-11-21T10:00:00Z", 37));
    assert_eq!(occasion(ann_owns, "1990-11-23", "YEARLY").await, day("2026-11-23", "2026-11-22T10:00:00Z", 36));
    assert_eq!(occasion(firm_owns, "1990-11-22", "YEARLY").await, day("2026-11-22", "2026-11-22T05:00:00Z", 36));
    assert_eq!(occasion(firm_owns, "2024-02-29", "YEARLY").await, day("2027-02-28", "2027-02-28T05:00:00Z", 3));
    assert_eq!(occasion(firm_owns, "2026-11-21", "ONCE").await, Value::Null);
    assert_eq!(occasion(firm_owns, "2026-11-22", "ONCE").await, day("2026-11-22", "2026-11-22T05:00:00Z", 0));

    let of = |more: Value| {
        let mut input = json!({ "kind": "LAUNCH", "date": "2026-01-01" });
        input.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
        input
    };
    let told = |code: &str, path: &str| [(code.to_owned(), path.to_owned())];
    assert_eq!(wrong(&caller, "occasionCreate", of(json!({}))).await, told("REQUIRED", "customerRef"));
    let both = of(json!({ "customerRef": by_id(&ann), "accountRef": by_id(&firm) }));
    assert_eq!(wrong(&caller, "occasionCreate", both).await, told("INVALID", "customerRef"));
    let one = made(&caller, "occasionCreate", of(json!({ "customerRef": by_id(&ann) }))).await;
    let moved = json!({ "by": by_id(&one), "customerRef": null, "accountRef": by_id(&firm) });
    assert_eq!(caller.mutate("occasionUpdate", moved, TOLD).await["outcome"], "UPDATED");
    let nobody = json!({ "by": by_id(&one), "accountRef": null });
    assert_eq!(wrong(&caller, "occasionUpdate", nobody).await, told("REQUIRED", "customerRef"));
    let never = json!({ "by": by_id(&one), "date": null });
    assert_eq!(wrong(&caller, "occasionUpdate", never).await, told("REQUIRED", "date"));
}

#[tokio::test]
async fn a_contact_point_that_is_refused_changes_neither_the_customer_nor_the_former_one() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let ann = made(&caller, "customerCreate", json!({ "name": "Ann", "email": "ann@example.org" })).await;
    let row = |number: usize, is_primary: bool| {
        json!({ "externalId": key(&format!("p{number}")), "customerRef": by_id(&ann),
        "kind": "EMAIL", "value": format!("p{number}@example.org"), "isPrimary": is_primary })
    };
    let full: Vec<Value> = (0..99).map(|number| row(number, false)).collect();
    caller.mutate("contactPointsBulkUpsert", json!({ "rows": full }), "errors { code }").await;
    let before = shown(&caller, &ann).await;
    assert_eq!((&before["email"], points(&before).len()), (&json!("ann@example.org"), 100));
    let bob = made(&caller, "customerCreate", json!({ "name": "Bob" })).await;
    let other = json!({ "externalId": key("bob"), "customerRef": by_id(&bob), "kind": "PHONE", "value": "1", "isPrimary": true });
    let more = json!({ "rows": [row(100, true), other], "policy": "SKIP_INVALID" });
    let refused = caller.mutate("contactPointsBulkUpsert", more, "results { outcome errors { code } }").await;
    let failed = json!({ "outcome": "FAILED", "errors": [{ "code": "TOO_LONG" }] });
    assert_eq!(refused["results"], json!([failed, { "outcome": "CREATED", "errors": [] }]));
    assert_eq!(shown(&caller, &bob).await["phone"], "1");
    assert_eq!(shown(&caller, &ann).await, before);
}

#[tokio::test]
async fn when_an_occasion_comes_is_personal() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let ann = made(&caller, "customerCreate", json!({ "name": "Ann" })).await;
    made(&caller, "occasionCreate", json!({ "customerRef": by_id(&ann), "kind": "BIRTHDAY", "date": "1990-01-02" }))
        .await;
    let blind = caller.with([Permission::RecordRead]);
    let reply = blind.run("{ occasions { nodes { kind next { date } } } }", json!({})).await.body;
    assert_eq!(codes(&reply), ["FORBIDDEN"]);
    assert!(!reply.to_string().contains("01-02"), "{reply}");
}

#[tokio::test]
async fn a_list_is_ordered_by_a_column_that_has_the_name_of_a_hidden_one() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let department = made(&caller, "departmentCreate", json!({ "name": "Care" })).await;
    for name in ["Beta", "Alpha"] {
        let account = made(&caller, "accountCreate", json!({ "name": name, "ownerRef": by_id(&department) })).await;
        let input = json!({ "accountRef": by_id(&account), "kind": "LAUNCH", "date": "2026-01-02", "name": "Launch" });
        made(&caller, "occasionCreate", input).await;
    }
    let list = "(orderBy: [{ field: NAME }], filter: { occasions: { some: { name: { eq: \"Launch\" } } } }) { nodes { name } }";
    let shown = caller
        .ask(&format!(
            "{{ accounts{list} departments(filter: {{ name: {{ eq: \"Care\" }} }}) {{ nodes {{ accounts{list} }} }} }}"
        ))
        .await;
    let sorted = json!([{ "name": "Alpha" }, { "name": "Beta" }]);
    assert_eq!(shown["accounts"]["nodes"], sorted);
    assert_eq!(shown["departments"]["nodes"][0]["accounts"]["nodes"], sorted);
}

#[tokio::test]
async fn an_expectation_says_where_it_was_discovered_and_its_dimension() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let point = made(&caller, "interactionPointCreate", json!({ "name": "Desk" })).await;
    let call = made(&caller, "interactionCreate", json!({ "status": "COMPLETED" })).await;
    let letter = made(&caller, "feedbackRecordCreate", json!({ "kind": "SUGGESTION", "body": "Answer at once" })).await;
    let input = json!({ "pointRef": by_id(&point), "statement": "An answer within an hour", "source": "FEEDBACK",
        "dimension": "RESPONSIVENESS", "discoveredInInteractionRef": by_id(&call), "discoveredInFeedbackRef": by_id(&letter) });
    made(&caller, "expectationCreate", input).await;
    let asked = "query($id: ID!) { feedbackRecord(by: { id: $id }) { discoveredExpectations(
        filter: { dimension: { eq: RESPONSIVENESS } }) { nodes { statement discoveredInInteraction { id } } } } }";
    let shown = caller.data(asked, json!({ "id": letter })).await["feedbackRecord"]["discoveredExpectations"].take();
    let expected = json!({ "statement": "An answer within an hour", "discoveredInInteraction": { "id": call } });
    assert_eq!(shown["nodes"], json!([expected]));
    for (mutation, id) in [("interactionDelete", &call), ("feedbackRecordDelete", &letter)] {
        let path = String::from("by");
        assert_eq!(wrong(&caller, mutation, json!({ "by": by_id(id) })).await, [("IN_USE".to_owned(), path)]);
    }
}
