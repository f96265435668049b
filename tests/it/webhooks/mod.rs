//! Webhooks: changes arrive as signed messages, again and again until they are answered, and nowhere else.

mod access;
mod attempts;
mod documents;
mod receiver;
mod repeats;
mod slow;

use std::collections::BTreeSet;

use aws_lc_rs::{
    hmac,
    signature::{ED25519, UnparsedPublicKey},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use rapport::exchange::webhook::Dispatcher;
use serde_json::{Value, json};

use self::receiver::{Receiver, Request};
use crate::app::{App, Caller, now};

const WHOLE: &str = "node { id version isEnabled disabledReason disabledAt position firstFailedAt secretNumber scopes } \
    secret outcome errors { code path }";

/// Sends what is due at an instant, and all that follows from it.
async fn deliver(app: &App, at: DateTime<Utc>) {
    let mut dispatcher = Dispatcher::new(app.store.clone(), move || at);
    loop {
        let has_begun = dispatcher.pass().await.unwrap();
        dispatcher.finish().await;
        if !has_begun {
            return;
        }
    }
}

/// Makes an endpoint; returns its id and its secret.
async fn endpoint(caller: &Caller<'_>, url: &str, event_types: &[&str]) -> (String, String) {
    let input = json!({ "url": url, "eventTypes": event_types });
    let made = caller.mutate("webhookEndpointCreate", input, WHOLE).await;
    assert_eq!(made["errors"], json!([]), "{made:#}");
    (made["node"]["id"].as_str().unwrap().to_owned(), made["secret"].as_str().unwrap().to_owned())
}

async fn department(caller: &Caller<'_>, name: &str) -> String {
    let made = caller.mutate("departmentCreate", json!({ "name": name }), "node { id }").await;
    made["node"]["id"].as_str().unwrap().to_owned()
}

/// An endpoint and its deliveries, the oldest first.
async fn shown(caller: &Caller<'_>, id: &str) -> Value {
    let document =
        "query($id: ID!) { webhookEndpoint(by: { id: $id }) { isEnabled disabledReason disabledAt firstFailedAt
        version position deliveries(first: 1000) { nodes { id status eventType messageId sequence payload attemptCount
        nextAttemptAt lastAttemptAt deliveredAt responseStatus responseBody failure } } } }";
    caller.data(document, json!({ "id": id })).await["webhookEndpoint"].take()
}

fn deliveries(endpoint: &Value) -> &Vec<Value> {
    endpoint["deliveries"]["nodes"].as_array().unwrap()
}

fn minutes(count: i64) -> DateTime<Utc> {
    now() + TimeDelta::minutes(count)
}

/// Whether a signature of a request is right for a secret or a public key.
fn is_signed(request: &Request, verifier: &str) -> bool {
    let signed = format!("{}.{}.{}", request.id(), request.timestamp(), request.body);
    let (kind, key) = verifier.split_once('_').unwrap();
    let key = STANDARD.decode(key).unwrap();
    request.signatures().into_iter().any(|signature| {
        let (version, signature) = signature.split_once(',').unwrap();
        let signature = STANDARD.decode(signature).unwrap();
        match (kind, version) {
            ("whsec", "v1") => {
                hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &key), signed.as_bytes(), &signature).is_ok()
            }
            ("whpk", "v1a") => UnparsedPublicKey::new(&ED25519, &key).verify(signed.as_bytes(), &signature).is_ok(),
            _ => false,
        }
    })
}

#[tokio::test]
async fn a_change_arrives_once_signed_and_without_values() {
    let (app, receiver) = (App::start().await, Receiver::start().await);
    let caller = app.admin("one").await;
    department(&caller, "Before").await;
    let (id, secret) = endpoint(&caller, &receiver.url(), &["Department.CREATED", "Medium"]).await;
    assert!(secret.starts_with("whsec_") && STANDARD.decode(&secret[6..]).unwrap().len() == 32);
    let made = department(&caller, "Secret").await;
    let update = json!({ "by": { "id": made }, "name": "Renamed" });
    caller.mutate("departmentUpdate", update, "outcome").await;
    caller.mutate("mediumCreate", json!({ "name": "Phone" }), "outcome").await;
    deliver(&app, now()).await;
    deliver(&app, minutes(10)).await;

    let mut requests = receiver.requests();
    requests.sort_by_key(|request| request.json()["data"]["sequence"].as_i64());
    let types: Vec<Value> = requests.iter().map(|request| request.json()["type"].clone()).collect();
    assert_eq!(types, ["Department.CREATED", "Medium.CREATED"]);
    let first = &requests[0];
    assert_eq!(
        first.json(),
        json!({ "type": "Department.CREATED", "timestamp": "2026-11-22T12:00:00Z",
            "data": { "id": made, "sequence": 3, "version": 1, "fields": ["name", "assignment"] } })
    );
    assert_eq!(first.headers["content-type"], "application/json");
    assert_eq!(first.timestamp(), now().timestamp());
    assert!(is_signed(first, &secret) && first.signatures().len() == 1);
    let tampered = Request { body: first.body.replace("Department", "Depertment"), ..first.clone() };
    assert!(!is_signed(&tampered, &secret));
    assert!(requests.iter().all(|request| !request.body.contains("Secret") && !request.body.contains("Renamed")));

    let shown = shown(&caller, &id).await;
    let logged = deliveries(&shown);
    assert_eq!(logged.len(), 2);
    assert_eq!(logged[0]["messageId"], json!(first.id()));
    assert_eq!(
        (&logged[0]["status"], &logged[0]["attemptCount"], &logged[0]["responseStatus"], &logged[0]["nextAttemptAt"]),
        (&json!("DELIVERED"), &json!(1), &json!(200), &Value::Null)
    );
    assert_eq!(logged[0]["payload"], first.json());
    assert_eq!((&shown["position"], &shown["version"]), (&json!(5), &json!(1)));
    assert_eq!(app.store.tenant_violations(), 0);
}

#[tokio::test]
async fn deliveries_have_no_events_and_make_no_deliveries() {
    let (app, receiver) = (App::start().await, Receiver::start().await);
    let caller = app.admin("one").await;
    let (id, _) = endpoint(&caller, &receiver.url(), &["*"]).await;
    deliver(&app, now()).await;
    let types = |receiver: &Receiver| -> BTreeSet<String> {
        receiver.requests().iter().map(|request| request.json()["type"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(types(&receiver), BTreeSet::from(["WebhookEndpoint.CREATED".to_owned()]));
    receiver.will_answer(["500 Down"]);
    department(&caller, "A").await;
    deliver(&app, now()).await;
    deliver(&app, minutes(1)).await;
    let head = caller.ask("{ changes { headSequence nodes { rowType } } }").await["changes"].take();
    assert_eq!(head["headSequence"], 2);
    assert_eq!(shown(&caller, &id).await["version"], 1);
    assert_eq!(receiver.requests().len(), 3);
}

#[tokio::test]
async fn both_secrets_verify_while_one_is_replaced() {
    let (app, receiver) = (App::start().await, Receiver::start().await);
    let caller = app.admin("one").await;
    let (id, first) = endpoint(&caller, &receiver.url(), &["Department"]).await;
    let input = json!({ "by": { "id": id }, "graceHours": 1 });
    let rotated = caller.mutate("webhookEndpointRotateSecret", input, WHOLE).await;
    assert_eq!((&rotated["outcome"], &rotated["node"]["secretNumber"]), (&json!("UPDATED"), &json!(2)));
    let second = rotated["secret"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    department(&caller, "A").await;
    deliver(&app, minutes(59)).await;
    department(&caller, "B").await;
    deliver(&app, minutes(60)).await;
    let requests = receiver.requests();
    assert!(is_signed(&requests[0], &first) && is_signed(&requests[0], &second));
    assert!(!is_signed(&requests[1], &first) && is_signed(&requests[1], &second));
    let at_once = json!({ "by": { "id": id }, "graceHours": 0 });
    let third = caller.mutate("webhookEndpointRotateSecret", at_once, WHOLE).await["secret"].take();
    department(&caller, "C").await;
    deliver(&app, minutes(60)).await;
    let request = &receiver.requests()[2];
    assert!(is_signed(request, third.as_str().unwrap()) && !is_signed(request, &second));
}

#[tokio::test]
async fn a_receiver_that_must_know_no_secret_gets_a_public_key() {
    let (app, receiver) = (App::start().await, Receiver::start().await);
    let caller = app.admin("one").await;
    let input = json!({ "url": receiver.url(), "eventTypes": ["Department"], "signature": "ED25519" });
    let made = caller.mutate("webhookEndpointCreate", input, WHOLE).await;
    let key = made["secret"].as_str().unwrap();
    assert!(key.starts_with("whpk_"));
    department(&caller, "A").await;
    deliver(&app, now()).await;
    assert!(is_signed(&receiver.requests()[0], key));
    let update = json!({ "by": { "id": made["node"]["id"] }, "signature": "HMAC_SHA256" });
    let refused = caller.mutate("webhookEndpointUpdate", update, WHOLE).await;
    assert_eq!(refused["errors"], json!([{ "code": "INVALID", "path": ["signature"] }]));
}

#[tokio::test]
async fn a_secret_is_shown_once_and_kept_nowhere() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let input = json!({ "url": "https://receiver.example/", "eventTypes": ["*"], "idempotencyKey": "k" });
    let made = caller.mutate("webhookEndpointCreate", input.clone(), WHOLE).await;
    let secret = made["secret"].as_str().unwrap();
    let again = caller.mutate("webhookEndpointCreate", input, WHOLE).await;
    assert_eq!((&again["secret"], &again["node"]["id"]), (&Value::Null, &made["node"]["id"]));
    let bare = secret.strip_prefix("whsec_").unwrap();
    let dump = format!("{:?}", app.dump(caller.organization()).await);
    assert!(dump.contains("receiver.example") && !dump.contains(bare));
    let other = json!({ "url": "https://receiver.example/", "eventTypes": ["*"] });
    assert_ne!(caller.mutate("webhookEndpointCreate", other, WHOLE).await["secret"], made["secret"]);
}
