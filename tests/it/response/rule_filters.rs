//! Stored filters of routing rules: what they may say, when they are broken, and that a new record is judged by them as
//! a list finds it once it is stored.

use std::collections::BTreeSet;

use entity::Permission;
use proptest::{collection::vec, prelude::*, sample::select, test_runner};
use serde_json::{Value, json};

use crate::{
    app::{App, Caller},
    elements::refused,
    journeys::{by_id, made, mistakes, one, point},
};

/// A department, and a rule that routes to it what meets the filter.
async fn rule(caller: &Caller<'_>, filter: &Value) -> (String, String) {
    let department = made(caller, "departmentCreate", json!({ "name": "Filtered" })).await;
    let rule = json!({ "name": "By filter", "position": 1, "filter": filter, "departmentRef": by_id(&department) });
    (made(caller, "routingRuleCreate", rule).await, department)
}

async fn department_of(caller: &Caller<'_>, feedback: &str) -> String {
    let document = "query($id: ID!) { feedbackRecord(by: { id: $id }) { department { id } } }";
    let seen = caller.data(document, json!({ "id": feedback })).await;
    seen["feedbackRecord"]["department"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_record_that_meets_the_filter_of_a_rule_is_routed_by_it() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let vip = made(&caller, "customerCreate", json!({ "name": "Ann", "segment": "vip" })).await;
    let other = made(&caller, "customerCreate", json!({ "name": "Bea" })).await;
    let filter = json!({ "customer": { "segment": { "eq": "vip" } }, "kind": { "in": ["COMPLAINT", "QUESTION"] } });
    let (rule, department) = rule(&caller, &filter).await;
    let said = |kind: &str, customer: &str| json!({ "kind": kind, "customerRef": by_id(customer) });
    for (kind, customer, is_met) in
        [("COMPLAINT", &vip, true), ("QUESTION", &vip, true), ("PRAISE", &vip, false), ("COMPLAINT", &other, false)]
    {
        let record = made(&caller, "feedbackRecordCreate", said(kind, customer)).await;
        assert_eq!(department_of(&caller, &record).await == department, is_met, "{kind}");
        let preview = "query($input: RoutingPreviewInput!) { routingPreview(input: $input) { department { id } } }";
        let preview = caller.data(preview, json!({ "input": said(kind, customer) })).await;
        assert_eq!(preview["routingPreview"]["department"]["id"] == json!(department), is_met, "{kind}");
    }
    let unknown = made(&caller, "feedbackRecordCreate", json!({ "kind": "COMPLAINT" })).await;
    assert_ne!(department_of(&caller, &unknown).await, department);
    // When the rules decide again, about the stored record.
    made(&caller, "feedbackRecordUpdate", json!({ "by": by_id(&unknown), "customerRef": by_id(&vip) })).await;
    made(&caller, "feedbackRecordReroute", json!({ "by": by_id(&unknown), "reason": "Now we know who." })).await;
    assert_eq!(department_of(&caller, &unknown).await, department);
    let document = "query($id: ID!) { routingRule(by: { id: $id }) { filter filterMistake } }";
    let seen = caller.data(document, json!({ "id": rule })).await;
    assert_eq!(seen["routingRule"], json!({ "filter": filter, "filterMistake": null }));
    // What is read can be written.
    let same = json!({ "by": by_id(&rule), "filter": seen["routingRule"]["filter"] });
    assert_eq!(caller.mutate("routingRuleUpdate", same, "outcome").await["outcome"], "UNCHANGED");
    made(&caller, "routingRuleUpdate", json!({ "by": by_id(&rule), "filter": null })).await;
    let anything = made(&caller, "feedbackRecordCreate", json!({ "kind": "PRAISE" })).await;
    assert_eq!(department_of(&caller, &anything).await, department);
}

#[tokio::test]
async fn a_filter_is_refused_that_cannot_be_answered_or_keeps_personal_data() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let department = made(&caller, "departmentCreate", json!({ "name": "Service" })).await;
    let open = json!({ "noun": "FEEDBACK_RECORD", "name": "shop", "isPersonal": false });
    made(&caller, "attributeDefinitionCreate", open).await;
    let rule =
        |filter: Value| json!({ "name": "Rule", "position": 1, "filter": filter, "departmentRef": by_id(&department) });
    let nested = (0..17).fold(json!({}), |inside, _| json!({ "not": inside }));
    let long: Vec<String> = (0..900).map(|place| format!("{place:030}")).collect();
    let wrong = [
        json!({ "cases": { "some": {} } }),
        json!({ "not": { "routings": { "none": {} } } }),
        json!({ "department": { "id": { "eq": department } } }),
        json!({ "or": [{ "priority": { "eq": "HIGH" } }, {}] }),
        json!({ "customer": { "name": { "eq": "Ann" } } }),
        json!({ "customer": { "name": { "contains": "Ann" } } }),
        json!({ "customer": { "email": { "in": ["ann@example.org"] } } }),
        json!({ "customer": { "contactPoints": { "some": { "value": { "eq": "+49" } } } } }),
        json!({ "body": { "eq": "I am Ann" } }),
        json!({ "body": { "startsWith": "I am Ann" } }),
        json!({ "attributes": { "name": "address", "text": { "eq": "Elm Street" } } }),
        json!({ "attributes": { "hasAny": [{ "name": "address", "value": "Elm Street" }] } }),
        json!({ "externalIds": { "some": { "id": { "eq": "ann" } } } }),
        json!({ "body": { "matches": "..." } }),
        nested,
    ];
    let cases = wrong.map(|filter| ("routingRuleCreate", rule(filter), "INVALID", "filter"));
    let long = ("routingRuleCreate", rule(json!({ "product": { "in": long } })), "TOO_LONG", "filter");
    refused(&app, &caller, cases.into_iter().chain([long]).collect()).await;
    for right in [
        json!({ "body": { "contains": "broken" }, "customer": { "name": { "isNull": true } } }),
        json!({ "body": { "matches": "broken sho*" } }),
        json!({ "attributes": { "name": "shop", "text": { "eq": "Elm Street" } } }),
        json!({ "customer": { "contactPoints": { "none": {} } } }),
    ] {
        made(&caller, "routingRuleCreate", rule(right)).await;
    }
    // In bulk, it is an error of the row.
    let row = |name: &str, filter: Value| {
        let key = json!({ "system": "test", "id": name });
        json!({ "externalId": key, "name": name, "position": 1, "filter": filter, "departmentRef": by_id(&department) })
    };
    let rows = json!([row("good", json!({ "nps": { "lt": 7 } })), row("bad", json!({ "cases": { "some": {} } }))]);
    let input = json!({ "policy": "SKIP_INVALID", "rows": rows });
    let payload = caller.mutate("routingRulesBulkUpsert", input, "results { outcome errors { code path } }").await;
    assert_eq!(payload["results"][0]["outcome"], "CREATED");
    assert_eq!(mistakes(&payload["results"][1]), one("INVALID", &["filter"]));
}

#[tokio::test]
async fn a_filter_needs_the_scopes_of_its_saver_and_is_broken_without_them_or_what_it_asks_for() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let organization = caller.organization();
    let scopes = [Permission::MapRead, Permission::ResponseRead, Permission::ResponseWrite, Permission::RecordRead];
    let saver = app.caller(organization, scopes);
    let department = made(&caller, "departmentCreate", json!({ "name": "Service" })).await;
    let rule =
        |filter: Value| json!({ "name": "Rule", "position": 1, "filter": filter, "departmentRef": by_id(&department) });
    let words = rule(json!({ "body": { "contains": "broken" } }));
    let document = "mutation($input: RoutingRuleCreateInput!) { routingRuleCreate(input: $input) { outcome } }";
    let reply = saver.run(document, json!({ "input": words })).await.body;
    assert_eq!(reply["errors"][0]["extensions"]["code"], "FORBIDDEN", "{reply:#}");

    // Without customers:read, only attributes that are not personal.
    let open = json!({ "noun": "FEEDBACK_RECORD", "name": "shop", "isPersonal": false });
    let definition = made(&caller, "attributeDefinitionCreate", open).await;
    let filter = json!({ "attributes": { "name": "shop", "text": { "eq": "Elm" } } });
    let rule = made(&saver, "routingRuleCreate", rule(filter)).await;
    let said = json!({ "kind": "PRAISE", "attributes": [{ "name": "shop", "value": "Elm" }] });
    let record = made(&caller, "feedbackRecordCreate", said.clone()).await;
    assert_eq!(department_of(&caller, &record).await, department);
    made(&caller, "attributeDefinitionUpdate", json!({ "by": by_id(&definition), "isPersonal": true })).await;
    let record = made(&caller, "feedbackRecordCreate", said.clone()).await;
    assert_ne!(department_of(&caller, &record).await, department, "the saver may not read it any more");
    let mistake = async || {
        let document = "query($id: ID!) { routingRule(by: { id: $id }) { filterMistake } }";
        caller.data(document, json!({ "id": rule })).await["routingRule"]["filterMistake"].take()
    };
    assert!(mistake().await.as_str().unwrap().contains("customers:read"));
    made(&caller, "attributeDefinitionUpdate", json!({ "by": by_id(&definition), "isPersonal": false })).await;
    assert_eq!(mistake().await, Value::Null);
    let record = made(&caller, "feedbackRecordCreate", said).await;
    assert_eq!(department_of(&caller, &record).await, department);

    // As after an upgrade that took a field away.
    app.database
        .change("UPDATE routing_rule SET filter = 'record:read\n{\"gone\":{\"eq\":1}}', version = version + 1")
        .await;
    assert!(mistake().await.as_str().unwrap().contains("gone"));
    let record = made(&caller, "feedbackRecordCreate", json!({ "kind": "PRAISE" })).await;
    assert_ne!(department_of(&caller, &record).await, department);
}

#[tokio::test]
async fn the_filters_of_all_rules_cost_one_statement_for_each_type_they_ask_for() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let department = made(&caller, "departmentCreate", json!({ "name": "Service" })).await;
    let point = point(&caller, "Desk").await;
    let ann = made(&caller, "customerCreate", json!({ "name": "Ann", "segment": "vip" })).await;
    let said = json!({ "kind": "PRAISE", "customerRef": by_id(&ann), "pointRef": by_id(&point) });
    let statements = async || {
        let before = app.store.statements();
        made(&caller, "feedbackRecordCreate", said.clone()).await;
        app.store.statements() - before
    };
    let rule = async |filter: Value| {
        let rule = json!({ "name": "Rule", "position": 1, "filter": filter, "departmentRef": by_id(&department) });
        made(&caller, "routingRuleCreate", rule).await;
    };
    let plain = json!({ "name": "Rule", "position": 1, "kind": "SURVEY", "departmentRef": by_id(&department) });
    made(&caller, "routingRuleCreate", plain).await;
    // The first finds out of date what the server remembers, and the second remembers what there is.
    let settle = async || {
        statements().await;
        statements().await;
    };
    settle().await;
    let plain = statements().await;
    for _ in 0..3 {
        rule(json!({ "nps": { "lt": 3 }, "tags": { "hasAny": ["never"] } })).await;
    }
    settle().await;
    assert_eq!(statements().await, plain, "columns of the record need no statement");
    for segment in ["one", "two", "three"] {
        rule(json!({ "customer": { "segment": { "eq": segment } }, "point": { "name": { "eq": segment } } })).await;
    }
    settle().await;
    assert_eq!(statements().await, plain + 2);
}

const TEXTS: [&str; 6] = ["Ärger", "100% broken", "οδος", "red shoes, INV-2024", "", "İstanbul"];
const WORDS: [&str; 6] = ["är", "100%", "ΟΔΟΣ", "sho", "inv", "ist"];
const TERMS: [&str; 5] = ["ärger", "red sho*", "\"inv 2024\"", "οδοσ", "broken"];
const VALUES: [&str; 5] = ["10", "9.5", "2026-01-02", "Elm Street", ""];

/// What one new record says.
fn record() -> impl Strategy<Value = Value> {
    let some = |values: Vec<Value>| prop_oneof![3 => select(values), 1 => Just(Value::Null)];
    (
        select(&["COMPLAINT", "PRAISE", "SURVEY"][..]),
        some(vec![json!("NEGATIVE"), json!("POSITIVE")]),
        some(vec![json!(-0.5), json!(0.0), json!(0.25)]),
        some(TEXTS.map(Value::from).to_vec()),
        some((0..11).map(Value::from).collect()),
        vec(select(&["red", "blue", "green"][..]), 0..3),
        vec((select(&["size", "when"][..]), select(&VALUES[..4])), 0..2),
        some(vec![json!(0), json!(1)]),
        (some(vec![json!(0), json!(1)]), select(&["2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z"][..])),
    )
        .prop_map(|(kind, sentiment, score, body, nps, tags, mut attributes, customer, (point, at))| {
            attributes.dedup_by_key(|(name, _)| *name);
            let attributes: Vec<Value> =
                attributes.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
            json!({ "kind": kind, "sentiment": sentiment, "sentimentScore": score, "body": body, "nps": nps,
                "tags": tags, "attributes": attributes, "receivedAt": at, "customer": customer, "point": point })
        })
}

fn comparison() -> impl Strategy<Value = Value> {
    let of = |name: &'static str, operators: &'static [&'static str], values: Vec<Value>| {
        (select(operators), vec(select(values), 1..3)).prop_map(move |(operator, values)| {
            let is_list = ["in", "hasAny", "hasAll", "hasNone"].contains(&operator);
            let value = if is_list { json!(values) } else { values[0].clone() };
            json!({ name: { operator: value } })
        })
    };
    let numeric: &[&str] = &["eq", "neq", "in", "gt", "gte", "lt", "lte"];
    let plain: &[&str] = &["eq", "neq", "in"];
    let attribute = prop_oneof![
        of("text", &["eq", "neq", "in", "contains", "startsWith"], VALUES.map(Value::from).to_vec()),
        of("number", numeric, vec![json!(9.5), json!(10), json!(2026)]),
        of("date", &["eq", "gt", "lte"], vec![json!("2026-01-02T00:00:00Z"), json!("2025-01-01T00:00:00Z")]),
        Just(json!({ "isNull": true })),
    ];
    let related = prop_oneof![
        of("segment", plain, vec![json!("vip"), json!("new")]),
        Just(json!({ "segment": { "isNull": true } })),
        Just(json!({ "contactPoints": { "some": { "kind": { "eq": "PHONE" } } } })),
        Just(json!({})),
    ];
    prop_oneof![
        of("kind", plain, vec![json!("COMPLAINT"), json!("PRAISE")]),
        of("sentiment", plain, vec![json!("NEGATIVE")]),
        of("sentimentScore", numeric, vec![json!(-0.5), json!(0.0), json!(0.25)]),
        of("nps", numeric, (0..11).map(Value::from).collect()),
        of("body", &["contains"], WORDS.map(Value::from).to_vec()),
        of("body", &["matches"], TERMS.map(Value::from).to_vec()),
        of(
            "receivedAt",
            &["gt", "gte", "lt", "eq"],
            vec![json!("2026-01-01T00:00:00Z"), json!("2026-03-01T00:00:00Z")]
        ),
        of("tags", &["hasAny", "hasAll", "hasNone"], vec![json!("red"), json!("blue")]),
        of("tags", &["hasPrefix"], vec![json!("r"), json!("gre"), json!("x")]),
        (select(&["size", "when"][..]), attribute).prop_map(|(name, mut test)| {
            test["name"] = json!(name);
            json!({ "attributes": test })
        }),
        related.prop_map(|inside| json!({ "customer": inside })),
        of("name", &["eq", "contains"], vec![json!("Desk"), json!("Shop")])
            .prop_map(|inside| json!({ "point": inside })),
        (select(&["sentiment", "body", "nps", "sentimentScore"][..]), any::<bool>())
            .prop_map(|(name, is_null)| json!({ name: { "isNull": is_null } })),
        Just(json!({ "version": { "eq": 1 }, "cesScale": { "eq": "EASE_7" } })),
    ]
}

fn filter() -> impl Strategy<Value = Value> {
    comparison().prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(|parts| json!({ "and": parts })),
            vec(inner.clone(), 0..3).prop_map(|parts| json!({ "or": parts })),
            inner.prop_map(|part| json!({ "not": part })),
        ]
    })
}

#[test]
fn a_new_record_is_judged_as_a_list_finds_it_once_it_is_stored() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(App::start());
    let count = std::cell::Cell::new(0);
    let met = std::cell::Cell::new((0, 0));
    let config = ProptestConfig { cases: 40, max_shrink_iters: 60, failure_persistence: None, ..Default::default() };
    let strategy = (vec(filter(), 4), vec(record(), 8));
    let result = test_runner::TestRunner::new(config).run(&strategy, |(filters, records)| {
        count.set(count.get() + 1);
        runtime.block_on(async {
            let caller = app.admin(&format!("org{}", count.get())).await;
            for name in ["size", "when"] {
                let open = json!({ "noun": "FEEDBACK_RECORD", "name": name, "isPersonal": false });
                made(&caller, "attributeDefinitionCreate", open).await;
            }
            let customers = [
                made(&caller, "customerCreate", json!({ "name": "Ann", "segment": "vip" })).await,
                made(&caller, "customerCreate", json!({ "name": "Bea" })).await,
            ];
            let phone = json!({ "kind": "PHONE", "value": "+49 1", "customerRef": by_id(&customers[1]) });
            made(&caller, "contactPointCreate", phone).await;
            let points = [point(&caller, "Desk").await, point(&caller, "Shop").await];
            for (place, filter) in filters.iter().enumerate() {
                // The rules are tried one at a time, so that each of them answers for every record.
                let (rule, department) = rule(&caller, filter).await;
                let rows: Vec<Value> = records
                    .iter()
                    .enumerate()
                    .map(|(at, record)| {
                        let mut row = record.clone();
                        let fields = row.as_object_mut().unwrap();
                        for (name, ids) in [("customer", &customers), ("point", &points)] {
                            if let Some(place) = fields.remove(name).unwrap().as_u64() {
                                fields.insert(format!("{name}Ref"), by_id(&ids[usize::try_from(place).unwrap()]));
                            }
                        }
                        row["externalId"] = json!({ "system": format!("round{place}"), "id": at.to_string() });
                        row
                    })
                    .collect();
                let payload = caller.mutate("feedbackRecordsBulkUpsert", json!({ "rows": rows }), "results { node { id department { id } } }").await;
                let results: Vec<(String, bool)> = payload["results"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|row| (row["node"]["id"].as_str().unwrap().to_owned(), row["node"]["department"]["id"] == json!(department)))
                    .collect();
                let document = "query($filter: FeedbackRecordFilter) { feedbackRecords(first: 1000, filter: $filter) { nodes { id } } }";
                let listed = caller.data(document, json!({ "filter": filter })).await;
                let listed: BTreeSet<&str> =
                    listed["feedbackRecords"]["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap()).collect();
                for (at, (id, is_routed)) in results.iter().enumerate() {
                    prop_assert_eq!(*is_routed, listed.contains(id.as_str()), "{} {}", filter, records[at]);
                    met.set((met.get().0 + usize::from(*is_routed), met.get().1 + 1));
                }
                made(&caller, "routingRuleArchive", json!({ "by": by_id(&rule) })).await;
            }
            Ok(())
        })
    });
    result.unwrap();
    let (met, all) = met.get();
    assert!(met * 10 > all && met * 10 < all * 9, "{met} of {all} met their filter, which tells little");
}
