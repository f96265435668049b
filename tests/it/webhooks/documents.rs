//! Messages with what a trusted document answers for the changed row.

use entity::Permission;
use serde_json::{Value, json};

use super::{Receiver, WHOLE, deliver, deliveries, department, is_signed, minutes, shown};
use crate::app::{App, Caller};

const QUERY: &str =
    "query Department($id: ID!) { department(by: { id: $id }) { id name contact owners: members { nodes { id } } } }";

async fn push(caller: &Caller<'_>, texts: &[(&str, &str)]) {
    let manifest: serde_json::Map<String, Value> =
        texts.iter().map(|(id, text)| ((*id).to_owned(), json!(text))).collect();
    let input = json!({ "manifest": Value::from(manifest).to_string() });
    let pushed = caller.mutate("trustedDocumentsPush", input, "errors { code message path }").await;
    assert_eq!(pushed["errors"], json!([]));
}

/// Makes an endpoint with a document; returns its id and its secret.
async fn endpoint(caller: &Caller<'_>, url: &str, document: &str) -> (String, String) {
    let (id, secret) = super::endpoint(caller, url, &["*"]).await;
    let chosen = caller.mutate("webhookEndpointSetDocument", chooses(&id, document), WHOLE).await;
    assert_eq!(chosen["errors"], json!([]), "{chosen:#}");
    (id, secret)
}

fn chooses(id: &str, document: &str) -> Value {
    json!({ "by": { "id": id }, "documentId": document })
}

/// The bodies that a receiver got, by event type.
fn told(receiver: &Receiver) -> Vec<(String, Value)> {
    let body = |request: &super::Request| {
        let mut body = request.json();
        (body["type"].as_str().unwrap().to_owned(), body["data"]["result"].take())
    };
    receiver.requests().iter().map(body).collect()
}

#[tokio::test]
async fn a_message_carries_what_the_document_answers_for_the_row_as_it_is_when_it_is_sent() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    push(&caller, &[("x-hooks:department", QUERY)]).await;
    let receiver = Receiver::start().await;
    let (id, secret) = endpoint(&caller, &receiver.url(), "x-hooks:department").await;
    let made = department(&caller, "Desk").await;
    caller.mutate("departmentUpdate", json!({ "by": { "id": made }, "name": "Help desk" }), "errors { code }").await;
    let gone = department(&caller, "Gone").await;
    caller.mutate("departmentDelete", json!({ "by": { "id": gone } }), "errors { code }").await;
    caller.mutate("webhookEndpointTest", json!({ "by": { "id": id } }), "errors { code }").await;
    deliver(&app, minutes(0)).await;
    let row = json!({ "department": { "id": made, "name": "Help desk", "contact": null, "owners": { "nodes": [] } } });
    let none = json!({ "department": null });
    let mut all = told(&receiver);
    all.sort_by_key(|(event_type, result)| (event_type.clone(), result.to_string()));
    let expected = [
        ("Department.CREATED", &none),
        ("Department.CREATED", &row),
        ("Department.DELETED", &Value::Null),
        ("Department.UPDATED", &row),
        ("Test", &Value::Null),
        ("WebhookEndpoint.CREATED", &none),
        ("WebhookEndpoint.UPDATED", &none),
    ];
    assert_eq!(all.iter().map(|(event_type, result)| (event_type.as_str(), result)).collect::<Vec<_>>(), expected);
    assert!(receiver.requests().iter().all(|request| is_signed(request, &secret)));
    // The log keeps no values.
    let log = shown(&caller, &id).await;
    assert_eq!(deliveries(&log).len(), 7);
    assert!(!log.to_string().contains("Help desk"), "{log:#}");
    // Without the document, messages are as they were.
    let input = json!({ "by": { "id": id }, "documentId": null });
    caller.mutate("webhookEndpointSetDocument", input, "errors { code }").await;
    department(&caller, "Plain").await;
    deliver(&app, minutes(1)).await;
    assert_eq!(told(&receiver).pop().unwrap(), ("Department.CREATED".to_owned(), Value::Null));
}

#[tokio::test]
async fn a_message_stays_thin_if_the_document_cannot_be_read_is_gone_or_says_too_much() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let long = "query Long($id: ID!) { feedbackRecord(by: { id: $id }) { body } }";
    let names = "query Customer($id: ID!) { customer(by: { id: $id }) { name } }";
    push(&caller, &[("x-hooks:long", long), ("x-hooks:names", names), ("x-hooks:department", QUERY)]).await;
    // Whoever chose the document may read customers, but not their names.
    let scopes = [Permission::Admin, Permission::ExchangeRead, Permission::MapRead, Permission::RecordRead];
    let narrow = caller.with(scopes);
    let (blind, full, withdrawn) = (Receiver::start().await, Receiver::start().await, Receiver::start().await);
    endpoint(&narrow, &blind.url(), "x-hooks:names").await;
    endpoint(&caller, &full.url(), "x-hooks:long").await;
    endpoint(&caller, &withdrawn.url(), "x-hooks:department").await;
    let made = caller.mutate("customerCreate", json!({ "name": "CanaryOfTheHooks" }), "errors { code }").await;
    assert_eq!(made["errors"], json!([]));
    for length in [100, 12_000] {
        let input = json!({ "kind": "PRAISE", "body": "é".repeat(length) });
        let made = caller.mutate("feedbackRecordCreate", input, "errors { code message }").await;
        assert_eq!(made["errors"], json!([]));
    }
    let found = caller.ask("{ trustedDocuments(filter: { name: { eq: \"Department\" } }) { nodes { id } } }").await;
    let document = &found["trustedDocuments"]["nodes"][0]["id"];
    caller.mutate("trustedDocumentDelete", json!({ "by": { "id": document } }), "errors { code }").await;
    deliver(&app, minutes(0)).await;
    let of_customer = told(&blind).into_iter().find(|(event_type, _)| event_type == "Customer.CREATED").unwrap();
    assert_eq!(of_customer.1, Value::Null);
    assert!(told(&withdrawn).iter().all(|(_, result)| result.is_null()));
    let records: Vec<Value> = told(&full)
        .into_iter()
        .filter_map(|(event_type, result)| (event_type == "FeedbackRecord.CREATED").then_some(result))
        .collect();
    let is_carried = |result: &&Value| result["feedbackRecord"]["body"] == "é".repeat(100);
    assert_eq!((records.len(), records.iter().filter(is_carried).count()), (2, 1));
    assert_eq!(records.iter().filter(|result| result.is_null()).count(), 1, "a message has at most 20,000 bytes");
}

#[tokio::test]
async fn only_a_query_about_a_row_can_be_chosen() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let mutation = "mutation Change($id: ID!) { departmentDelete(input: { by: { id: $id } }) { outcome } }";
    push(&caller, &[("x-a:list", "query List { departments { nodes { id } } }"), ("x-a:change", mutation)]).await;
    let receiver = Receiver::start().await;
    let id = super::endpoint(&caller, &receiver.url(), &["*"]).await.0;
    for document in ["x-a:list", "x-a:change", "x-a:none"] {
        let refused = caller.mutate("webhookEndpointSetDocument", chooses(&id, document), WHOLE).await;
        assert_eq!(refused["errors"], json!([{ "code": "INVALID", "path": ["documentId"] }]), "{document}");
    }
    let other = app.admin("two").await;
    push(&caller, &[("x-a:department", QUERY)]).await;
    let theirs = super::endpoint(&other, &receiver.url(), &["*"]).await.0;
    let refused = other.mutate("webhookEndpointSetDocument", chooses(&theirs, "x-a:department"), WHOLE).await;
    assert_eq!(refused["errors"], json!([{ "code": "INVALID", "path": ["documentId"] }]), "of another organization");
}
