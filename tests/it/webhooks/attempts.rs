//! What follows from an answer: another attempt, none, or the end of an endpoint.

use serde_json::{Value, json};

use super::*;

/// The waits of Standard Webhooks, in seconds.
const WAITS: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

/// Sends what is due until a delivery is not due any more; returns the times of the attempts.
async fn exhaust(app: &App, caller: &Caller<'_>, id: &str) -> Vec<DateTime<Utc>> {
    let (mut at, mut times) = (now(), Vec::new());
    loop {
        deliver(app, at).await;
        times.push(at);
        let shown = shown(caller, id).await;
        let last = deliveries(&shown).last().unwrap();
        if last["nextAttemptAt"].is_null() {
            return times;
        }
        let next = instant(&last["nextAttemptAt"]);
        // Not a moment earlier.
        let before = last["attemptCount"].clone();
        deliver(app, next - TimeDelta::milliseconds(1)).await;
        assert_eq!(deliveries(&self::shown(caller, id).await).last().unwrap()["attemptCount"], before);
        at = next;
    }
}

#[tokio::test]
async fn a_message_is_sent_ten_times_at_the_times_of_standard_webhooks() {
    let (app, receiver) = (App::start().await, Receiver::start().await);
    let caller = app.admin("one").await;
    let (id, secret) = endpoint(&caller, &receiver.url(), &["Department"]).await;
    department(&caller, "A").await;
    receiver.will_answer(["500 Down"; 10]);
    let times = exhaust(&app, &caller, &id).await;
    let requests = receiver.requests();
    assert_eq!((times.len(), requests.len()), (10, 10));
    for (pair, expected) in times.windows(2).zip(WAITS) {
        let waited = (pair[1] - pair[0]).num_milliseconds();
        assert!(waited >= expected * 900 && waited <= expected * 1_100, "{waited} is not about {expected} s");
    }
    for (request, at) in requests.iter().zip(&times) {
        assert_eq!((request.id(), request.timestamp()), (requests[0].id(), at.timestamp()));
        assert!(is_signed(request, &secret) && request.body == requests[0].body);
    }
    assert_ne!(requests[0].signatures(), requests[1].signatures());
    let shown = shown(&caller, &id).await;
    let delivery = &deliveries(&shown)[0];
    assert_eq!(
        (&delivery["status"], &delivery["attemptCount"], &delivery["responseStatus"]),
        (&json!("FAILED"), &json!(10), &json!(500))
    );
    assert_eq!((&shown["isEnabled"], &shown["firstFailedAt"]), (&json!(true), &json!("2026-11-22T12:00:00Z")));
}

#[tokio::test]
async fn a_receiver_says_how_long_to_wait() {
    let (app, receiver) = (App::start().await, Receiver::start().await);
    let caller = app.admin("one").await;
    let (id, _) = endpoint(&caller, &receiver.url(), &["Department"]).await;
    let next = async |answer: &str| {
        receiver.will_answer([answer]);
        department(&caller, "A").await;
        deliver(&app, now()).await;
        let shown = shown(&caller, &id).await;
        instant(&deliveries(&shown).last().unwrap()["nextAttemptAt"])
    };
    assert_eq!(next("429 Slow down\r\nretry-after: 3600").await, minutes(60));
    assert_eq!(next("503 Later\r\nRetry-After: Sun, 22 Nov 2026 13:30:00 GMT").await, minutes(90));
    assert!(next("503 Later\r\nretry-after: 1").await >= now() + TimeDelta::milliseconds(4_500));
    assert_eq!(next("503 Never\r\nretry-after: 999999999").await, minutes(24 * 60));
    assert!(next("503 Later\r\nretry-after: soon").await <= now() + TimeDelta::milliseconds(5_500));
}

#[tokio::test]
async fn only_a_status_from_200_to_299_is_a_success_and_redirects_are_not_followed() {
    let (app, receiver, other) = (App::start().await, Receiver::start().await, Receiver::start().await);
    let caller = app.admin("one").await;
    let (id, _) = endpoint(&caller, &receiver.url(), &["Department"]).await;
    let elsewhere = format!("307 There\r\nlocation: {}", other.url());
    for (answer, status) in [
        (elsewhere.as_str(), "PENDING"),
        ("301 There", "PENDING"),
        ("304 Same", "PENDING"),
        ("404 None", "PENDING"),
        ("204 Fine", "DELIVERED"),
        ("299 Fine", "DELIVERED"),
    ] {
        receiver.will_answer([answer]);
        department(&caller, "A").await;
        deliver(&app, now()).await;
        let shown = shown(&caller, &id).await;
        assert_eq!(deliveries(&shown).last().unwrap()["status"], status, "{answer}");
        assert_eq!(shown["firstFailedAt"].is_null(), status == "DELIVERED");
    }
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_disabled_at_once_with_an_event() {
    let (app, receiver) = (App::start().await, Receiver::start().await);
    let caller = app.admin("one").await;
    let (id, _) = endpoint(&caller, &receiver.url(), &["Department"]).await;
    receiver.will_answer(["410 Gone"]);
    department(&caller, "A").await;
    deliver(&app, now()).await;
    department(&caller, "B").await;
    deliver(&app, minutes(60)).await;
    let shown = shown(&caller, &id).await;
    assert_eq!(
        (&shown["isEnabled"], &shown["disabledReason"], &shown["disabledAt"]),
        (&json!(false), &json!("GONE"), &json!("2026-11-22T12:00:00Z"))
    );
    assert_eq!((deliveries(&shown).len(), &deliveries(&shown)[0]["status"]), (1, &json!("FAILED")));
    assert_eq!(receiver.requests().len(), 1);
    let document = "{ changes(types: [WEBHOOK_ENDPOINT], operations: [UPDATED]) { nodes { fields } } }";
    let fields = json!([{ "fields": ["isEnabled", "disabledAt", "disabledReason"] }]);
    assert_eq!(caller.ask(document).await["changes"]["nodes"], fields);
    let document = "{ auditLog(orderBy: [{ field: SEQUENCE, direction: DESC }]) { nodes { rowType subject } } }";
    let entries = caller.ask(document).await["auditLog"]["nodes"].take();
    let of_endpoint = entries.as_array().unwrap().iter().find(|entry| entry["rowType"] == "WebhookEndpoint").unwrap();
    assert_eq!(of_endpoint["subject"], "webhooks");
}

#[tokio::test]
async fn an_endpoint_that_only_fails_is_disabled_after_120_hours() {
    let (app, receiver) = (App::start().await, Receiver::start().await);
    let caller = app.admin("one").await;
    let (id, _) = endpoint(&caller, &receiver.url(), &["Department"]).await;
    let fails = async |hours: i64| {
        receiver.will_answer(["500 Down"; 20]);
        department(&caller, "A").await;
        deliver(&app, minutes(hours * 60)).await;
        shown(&caller, &id).await
    };
    assert_eq!(fails(0).await["isEnabled"], true);
    assert_eq!(fails(119).await["isEnabled"], true);
    let failed = fails(120).await;
    assert_eq!((&failed["isEnabled"], &failed["disabledReason"]), (&json!(false), &json!("FAILING")));
    // Enabled again, it is measured anew, and continues with what follows.
    let update = json!({ "by": { "id": id }, "isEnabled": true });
    let enabled = caller.mutate("webhookEndpointUpdate", update, WHOLE).await;
    assert_eq!(
        (&enabled["node"]["disabledAt"], &enabled["node"]["disabledReason"], &enabled["node"]["firstFailedAt"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(fails(121).await["isEnabled"], true);
}

#[tokio::test]
async fn a_success_ends_the_time_of_failures() {
    let (app, receiver) = (App::start().await, Receiver::start().await);
    let caller = app.admin("one").await;
    let (id, _) = endpoint(&caller, &receiver.url(), &["Department"]).await;
    for (hours, answer) in [(0, "500 Down"), (100, "200 OK"), (119, "500 Down"), (125, "500 Down")] {
        receiver.will_answer([answer; 5]);
        department(&caller, "A").await;
        deliver(&app, minutes(hours * 60)).await;
        receiver.forget_answers();
    }
    let shown = shown(&caller, &id).await;
    assert_eq!((&shown["isEnabled"], &shown["firstFailedAt"]), (&json!(true), &json!("2026-11-27T11:00:00Z")));
}

#[tokio::test]
async fn of_an_answer_4_kib_are_kept_and_no_secret() {
    let (app, receiver) = (App::start().await, Receiver::start().await);
    let caller = app.admin("one").await;
    let (id, secret) = endpoint(&caller, &receiver.url(), &["Department"]).await;
    let long = format!("400 No\r\n\r\nwrong secret {secret} {}", "é\0".repeat(5_000));
    receiver.will_answer([long.as_str()]);
    department(&caller, "A").await;
    deliver(&app, now()).await;
    let shown_now = shown(&caller, &id).await;
    let body = deliveries(&shown_now)[0]["responseBody"].as_str().unwrap();
    assert!(body.starts_with("wrong secret whsec_… é") && body.len() > 4_000 && body.len() <= 4_096, "{}", body.len());
    // What a receiver answers may be about a person.
    let blind = caller.with([entity::Permission::ExchangeRead]);
    let reply = blind.run("{ webhookDeliveries { nodes { status responseBody } } }", json!({})).await.body;
    assert_eq!(reply["data"]["webhookDeliveries"]["nodes"], json!([{ "status": "PENDING", "responseBody": null }]));
    assert_eq!(reply["errors"][0]["extensions"]["code"], "FORBIDDEN");
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_tried_again() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let (id, _) = endpoint(&caller, &format!("http://{gone}/"), &["Department"]).await;
    department(&caller, "A").await;
    deliver(&app, now()).await;
    let shown = shown(&caller, &id).await;
    let delivery = &deliveries(&shown)[0];
    assert_eq!(
        (&delivery["status"], &delivery["responseStatus"], &delivery["failure"]),
        (&json!("PENDING"), &Value::Null, &json!("the connection failed"))
    );
}
