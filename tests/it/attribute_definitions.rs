//! Attributes are personal unless an admin declared otherwise: in answers, filters, groups and counts.

use entity::Permission;
use serde_json::{Value, json};

use crate::{
    app::{App, Caller, Reply},
    attributes::{GROUPS, NAMES, VALUES, paged, settle},
    outline::codes,
};

/// Everybody's scopes but those for personal data.
fn blind<'a>(caller: &Caller<'a>) -> Caller<'a> {
    caller.with(Permission::ALL.into_iter().filter(|permission| *permission != Permission::CustomersRead))
}

async fn declare(caller: &Caller<'_>, name: &str, is_personal: bool) -> Value {
    let input = json!({ "noun": "FEEDBACK_RECORD", "name": name, "isPersonal": is_personal });
    caller.mutate("attributeDefinitionCreate", input, "node { id } errors { code path }").await
}

const RECORD: &str = "query($filter: FeedbackRecordFilter) {
    feedbackRecords(filter: $filter, orderBy: [{ field: PRODUCT }]) { nodes { product attributes { name value } } }
}";

/// Every way to learn something of an attribute.
fn ways(name: &str) -> Vec<(&'static str, Value)> {
    let count = "query($filter: FeedbackRecordFilter) { feedbackRecords(filter: $filter) { totalCount } }";
    let below = "query($filter: FeedbackRecordFilter) {
        departments { nodes { feedbackRecords(filter: $filter) { totalCount } } }
    }";
    let groups = "query($filter: FeedbackRecordFilter) { feedbackRecordGroups(filter: $filter) { recordCount } }";
    let names =
        "query($filter: FeedbackRecordFilter) { feedbackRecordAttributeNames(filter: $filter) { distinctCount } }";
    let related = "query($filter: FeedbackRecordFilter) {
        departments(filter: { feedbackRecords: { some: $filter } }) { totalCount }
    }";
    let mut ways = Vec::new();
    for condition in [
        json!({ "name": name }),
        json!({ "name": name, "isNull": true }),
        json!({ "name": name, "text": { "startsWith": "1" } }),
        json!({ "hasAny": [{ "name": name, "value": "10" }] }),
        json!({ "hasNone": [{ "name": name, "value": "10" }] }),
        json!({ "hasAll": [{ "name": name, "value": "10" }] }),
    ] {
        let filter = json!({ "filter": { "not": { "attributes": condition } } });
        ways.extend([count, below, groups, names, related].map(|document| (document, filter.clone())));
    }
    ways.push((GROUPS, json!({ "attributes": [name] })));
    ways.push((VALUES, json!({ "name": name })));
    ways
}

fn told(reply: &Reply) -> Vec<&str> {
    codes(&reply.body)
}

#[tokio::test]
async fn attributes_are_personal_unless_an_admin_says_otherwise_and_at_once() {
    let app = App::start().await;
    // Two servers on one database: what is declared at one holds at the other.
    let other = App::on(std::sync::Arc::clone(&app.database)).await;
    let admin = app.admin("one").await;
    settle(&admin).await;
    let blind = blind(&other.caller(admin.organization(), Permission::ALL));

    let reply = blind.run(RECORD, json!({})).await;
    assert_eq!(told(&reply), ["FORBIDDEN"]);
    let rows = reply.body["data"]["feedbackRecords"]["nodes"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["attributes"].is_null() && row["product"].is_string()), "{rows:?}");
    for name in ["amount", "due", "nothing"] {
        for (document, variables) in ways(name) {
            assert_eq!(told(&blind.run(document, variables.clone()).await), ["FORBIDDEN"], "{document} {variables}");
        }
    }
    assert_eq!(paged(&blind, NAMES, json!({})).await, Vec::<Value>::new());

    let open = declare(&admin, "amount", false).await;
    assert_eq!(open["errors"], json!([]));
    assert_eq!(declare(&admin, "due", true).await["errors"], json!([]));
    for (document, variables) in ways("amount") {
        assert_eq!(told(&blind.run(document, variables.clone()).await), Vec::<&str>::new(), "{document} {variables}");
    }
    for (document, variables) in ways("due") {
        assert_eq!(told(&blind.run(document, variables.clone()).await), ["FORBIDDEN"], "{document} {variables}");
    }
    let names: Vec<Value> =
        paged(&blind, NAMES, json!({})).await.into_iter().map(|mut node| node["name"].take()).collect();
    assert_eq!(names, ["amount"]);

    // Only the open ones are shown. Where others were left out, that is said once, and no name of them.
    let reply = blind.run(RECORD, json!({})).await;
    assert_eq!(told(&reply), ["FORBIDDEN"]);
    assert_eq!(reply.body["errors"][0]["path"], json!(["feedbackRecords", "nodes", 0, "attributes"]));
    let shown: Vec<&Value> = reply.body["data"]["feedbackRecords"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["attributes"])
        .collect();
    assert_eq!(shown[0], &json!([{ "name": "amount", "value": "10" }]));
    assert_eq!((shown[4], shown[6]), (&json!([]), &json!([])));
    assert!(!reply.body.to_string().contains("due") && !reply.body.to_string().contains("state"));
    let none_left_out = json!({ "filter": { "product": { "eq": "g" } } });
    assert_eq!(told(&blind.run(RECORD, none_left_out).await), Vec::<&str>::new());
    // Who may see personal data sees them all.
    assert_eq!(
        admin.data(RECORD, json!({})).await["feedbackRecords"]["nodes"][0]["attributes"].as_array().unwrap().len(),
        3
    );

    let close = json!({ "by": { "id": open["node"]["id"] }, "isPersonal": true });
    assert_eq!(admin.mutate("attributeDefinitionUpdate", close, "outcome").await["outcome"], "UPDATED");
    for (document, variables) in ways("amount") {
        assert_eq!(told(&blind.run(document, variables.clone()).await), ["FORBIDDEN"], "{document} {variables}");
    }
}

#[tokio::test]
async fn an_attribute_is_declared_once_by_an_admin_and_the_log_says_so() {
    let app = App::start().await;
    let admin = app.admin("one").await;
    let made = declare(&admin, "state", false).await;
    let twice = declare(&admin, "state", true).await;
    assert_eq!(twice["errors"], json!([{ "code": "TAKEN", "path": ["name"] }]));
    let due = declare(&admin, "due", false).await["node"]["id"].take();
    let rename = async |name: &str| {
        let input = json!({ "by": { "id": due }, "name": name });
        admin.mutate("attributeDefinitionUpdate", input, "outcome errors { code path }").await
    };
    assert_eq!(rename("state").await["errors"], json!([{ "code": "TAKEN", "path": ["name"] }]));
    assert_eq!(rename("due").await["outcome"], "UNCHANGED");
    assert_eq!(rename("dueAt").await["outcome"], "UPDATED");
    assert_eq!(declare(&admin, "a\tb", false).await["errors"][0]["code"], "INVALID");
    assert_eq!(declare(&app.admin("two").await, "state", true).await["errors"], json!([]));
    let without = admin.with(Permission::ALL.into_iter().filter(|permission| *permission != Permission::Admin));
    let delete =
        "mutation($input: AttributeDefinitionDeleteInput!) { attributeDefinitionDelete(input: $input) { outcome } }";
    let input = json!({ "input": { "by": { "id": made["node"]["id"] } } });
    assert_eq!(told(&without.run(delete, input.clone()).await), ["FORBIDDEN"]);
    assert_eq!(told(&without.run("{ attributeDefinitions { totalCount } }", json!({})).await), ["FORBIDDEN"]);
    assert_eq!(admin.data(delete, input).await["attributeDefinitionDelete"]["outcome"], "DELETED");
    assert_eq!(declare(&admin, "state", false).await["errors"], json!([]));
    let log = "{ auditLog(filter: { rowType: { eq: \"AttributeDefinition\" } }) { nodes { operation fields } } }";
    let entries = admin.ask(log).await["auditLog"]["nodes"].take();
    let operations: Vec<_> =
        entries.as_array().unwrap().iter().map(|entry| entry["operation"].as_str().unwrap()).collect();
    assert_eq!(operations, ["CREATED", "CREATED", "UPDATED", "DELETED", "CREATED"]);
}

#[test]
fn every_noun_with_personal_attributes_can_have_them_declared() {
    use entity::{
        attribute_definition::AttributeNoun,
        noun::{Field, Kind, StringEnum},
    };
    let values = AttributeNoun::TYPE.values;
    let declared: Vec<AttributeNoun> = values.iter().map(|(name, _)| AttributeNoun::parse(name).unwrap()).collect();
    assert!(declared.iter().zip(values).all(|(noun, (name, _))| noun.name() == *name));
    let is_any = |field: &Field| matches!(field.kind, Kind::Attributes { .. }) && field.is_guarded();
    let nouns = entity::NOUNS.iter().filter(|noun| noun.fields.iter().any(is_any));
    let declared: Vec<&str> = declared.into_iter().map(|noun| noun.noun().name).collect();
    assert_eq!(declared, nouns.map(|noun| noun.name).collect::<Vec<_>>());
    assert!(AttributeNoun::parse("DEPARTMENT").is_none() && declared.contains(&"FeedbackRecord"));
}

#[tokio::test]
async fn each_question_costs_the_same_statements_however_much_there_is() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    settle(&caller).await;
    declare(&caller, "amount", false).await;
    let blind = blind(&caller);
    let cost = async |caller: &Caller<'_>, document: &str, variables: Value| {
        let before = app.store.statements();
        caller.run(document, variables).await;
        app.store.statements() - before
    };
    let filtered = json!({ "filter": { "attributes": { "name": "amount", "number": { "gt": 1 } } } });
    assert_eq!(cost(&caller, RECORD, filtered.clone()).await, 1);
    // Who may not see personal data: one more, for what is open.
    assert_eq!(cost(&blind, RECORD, filtered.clone()).await, 2);
    assert_eq!(cost(&blind, "{ feedbackRecords { nodes { id tags } } }", json!({})).await, 1);
    assert_eq!(cost(&caller, GROUPS, json!({ "attributes": ["amount"], "first": 1 })).await, 1);
    assert_eq!(cost(&blind, GROUPS, json!({ "attributes": ["amount"], "first": 1 })).await, 2);
    // A page, and how many there are.
    assert_eq!(cost(&caller, NAMES, json!({ "first": 1 })).await, 2);
    let page = "{ feedbackRecordAttributeNames { nodes { name count } pageInfo { hasNextPage } } }";
    assert_eq!(cost(&caller, page, json!({})).await, 1);
    assert_eq!(cost(&blind, VALUES, json!({ "name": "amount" })).await, 3);
}
