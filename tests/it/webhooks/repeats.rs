//! Messages on request: tests, messages sent again, replays and samples; and the log that forgets.

use serde_json::json;

use super::*;

fn ids(receiver: &Receiver) -> Vec<String> {
    receiver.requests().iter().map(|request| request.id().to_owned()).collect()
}

/// The ids by sequence: messages are sent at the same time.
fn ordered(receiver: &Receiver) -> Vec<String> {
    let mut requests = receiver.requests();
    requests.sort_by_key(|request| request.json()["data"]["sequence"].as_i64());
    requests.iter().map(|request| request.id().to_owned()).collect()
}

#[tokio::test]
async fn a_test_is_sent_and_logged() {
    let (app, receiver) = (App::start().await, Receiver::start().await);
    let caller = app.admin("one").await;
    let (id, secret) = endpoint(&caller, &receiver.url(), &["Department"]).await;
    let done = caller.mutate("webhookEndpointTest", json!({ "by": { "id": id } }), WHOLE).await;
    assert_eq!((&done["outcome"], &done["node"]["version"]), (&json!("UNCHANGED"), &json!(1)));
    deliver(&app, now()).await;
    let request = &receiver.requests()[0];
    assert!(is_signed(request, &secret));
    assert_eq!(request.json(), json!({ "type": "Test", "timestamp": "2026-11-22T12:00:00Z", "data": { "id": id } }));
    let shown = shown(&caller, &id).await;
    let logged = &deliveries(&shown)[0];
    assert_eq!((&logged["status"], &logged["sequence"]), (&json!("DELIVERED"), &Value::Null));
    let update = json!({ "by": { "id": id }, "isEnabled": false });
    let disabled = caller.mutate("webhookEndpointUpdate", update, WHOLE).await;
    assert_eq!((&disabled["node"]["disabledReason"], &disabled["errors"]), (&json!("MANUAL"), &json!([])));
    let refused = caller.mutate("webhookEndpointTest", json!({ "by": { "id": id } }), WHOLE).await;
    assert_eq!(refused["errors"], json!([{ "code": "INVALID", "path": ["by"] }]));
}

#[tokio::test]
async fn a_message_is_sent_again_under_its_id() {
    let (app, receiver) = (App::start().await, Receiver::start().await);
    let caller = app.admin("one").await;
    let (id, _) = endpoint(&caller, &receiver.url(), &["Department"]).await;
    department(&caller, "A").await;
    deliver(&app, now()).await;
    let logged = deliveries(&shown(&caller, &id).await)[0]["id"].clone();
    let input = json!({ "by": { "id": logged } });
    let selection = "outcome node { id status attemptCount deliveredAt } errors { code path }";
    let done = caller.mutate("webhookDeliveryResend", input, selection).await;
    assert_eq!(done["node"], json!({ "id": logged, "status": "PENDING", "attemptCount": 0, "deliveredAt": null }));
    deliver(&app, minutes(1)).await;
    let sent = ids(&receiver);
    assert_eq!((sent.len(), &sent[0]), (2, &sent[1]));
    assert_eq!(receiver.requests()[1].timestamp(), minutes(1).timestamp());
    let unknown = json!({ "by": { "id": crate::pointer::unknown_id("WebhookDelivery") } });
    let refused = caller.mutate("webhookDeliveryResend", unknown, selection).await;
    assert_eq!(refused["errors"], json!([{ "code": "NOT_FOUND", "path": ["by"] }]));
}

#[tokio::test]
async fn a_replay_sends_the_changes_of_a_time_again_also_those_that_were_missed() {
    let (app, receiver) = (App::start().await, Receiver::start().await);
    let caller = app.admin("one").await;
    department(&caller.after(-60), "Before").await;
    let (id, _) = endpoint(&caller, &receiver.url(), &["Department.CREATED"]).await;
    for minute in [1, 2, 3, 4] {
        department(&caller.after(minute), "A").await;
        caller.after(minute).mutate("mediumCreate", json!({ "name": minute.to_string() }), "outcome").await;
    }
    deliver(&app, minutes(5)).await;
    let before = ordered(&receiver);
    assert_eq!(before.len(), 4);
    // An hour in which it was disabled.
    let set = async |is_enabled: bool, minute: i64| {
        let input = json!({ "by": { "id": id }, "isEnabled": is_enabled });
        caller.after(minute).mutate("webhookEndpointUpdate", input, WHOLE).await
    };
    set(false, 6).await;
    department(&caller.after(10), "Missed").await;
    let replay = async |from: i64, until: Option<i64>| {
        let input = json!({ "by": { "id": id }, "from": minutes(from), "until": until.map(minutes) });
        caller.after(20).mutate("webhookEndpointReplay", input, WHOLE).await
    };
    assert_eq!(replay(2, None).await["errors"], json!([{ "code": "INVALID", "path": ["by"] }]));
    set(true, 15).await;
    deliver(&app, minutes(16)).await;
    assert_eq!(ids(&receiver).len(), 4);
    assert_eq!(replay(5, Some(5)).await["errors"], json!([{ "code": "OUT_OF_RANGE", "path": ["from"] }]));

    assert_eq!(replay(2, Some(4)).await["errors"], json!([]));
    assert_eq!(replay(2, Some(4)).await["errors"], json!([{ "code": "CONFLICT", "path": ["by"] }]));
    app.run_jobs(minutes(20)).await;
    deliver(&app, minutes(20)).await;
    let arrived = |from: usize| -> BTreeSet<String> { ids(&receiver)[from..].iter().cloned().collect() };
    assert_eq!(arrived(4), before[1..3].iter().cloned().collect());

    assert_eq!(replay(5, None).await["errors"], json!([]));
    app.run_jobs(minutes(20)).await;
    deliver(&app, minutes(20)).await;
    assert_eq!(ids(&receiver).len(), 7);
    assert!(!before.contains(&ids(&receiver)[6]));
    // All of its time, and those before it.
    assert_eq!(replay(-1_000, None).await["errors"], json!([]));
    app.run_jobs(minutes(20)).await;
    deliver(&app, minutes(20)).await;
    assert_eq!((ids(&receiver).len(), arrived(7).len()), (13, 6));
}

#[tokio::test]
async fn a_long_replay_goes_on_step_by_step() {
    let (app, receiver) = (App::start().await, Receiver::start().await);
    let caller = app.admin("one").await;
    let row = |number: usize| json!({ "externalId": { "system": "x", "id": number.to_string() }, "name": "A" });
    let rows: Vec<Value> = (0..450).map(row).collect();
    caller.mutate("departmentsBulkUpsert", json!({ "rows": rows }), "results { outcome }").await;
    let (id, _) = endpoint(&caller.after(1), &receiver.url(), &["Department"]).await;
    let input = json!({ "by": { "id": id }, "from": minutes(0), "until": minutes(1) });
    caller.after(2).mutate("webhookEndpointReplay", input, WHOLE).await;
    app.run_jobs(minutes(2)).await;
    deliver(&app, minutes(2)).await;
    assert_eq!(ids(&receiver).into_iter().collect::<BTreeSet<_>>().len(), 450);
    assert_eq!(receiver.requests().len(), 450);
}

#[tokio::test]
async fn deliveries_are_forgotten_after_30_days_without_a_trace() {
    let (app, receiver) = (App::start().await, Receiver::start().await);
    let caller = app.admin("one").await;
    let (id, _) = endpoint(&caller, &receiver.url(), &["Department"]).await;
    app.run_jobs(now()).await;
    department(&caller, "A").await;
    deliver(&app, now()).await;
    department(&caller.after(60 * 24), "B").await;
    deliver(&app, minutes(60 * 24)).await;
    for (days, left) in [(29, 2), (31, 1), (32, 0)] {
        app.run_jobs(minutes(60 * 24 * days)).await;
        assert_eq!(deliveries(&shown(&caller, &id).await).len(), left, "after {days} days");
    }
    assert_eq!(caller.ask("{ changes { headSequence } }").await["changes"]["headSequence"], 3);
}

#[tokio::test]
async fn an_endpoint_is_deleted_with_its_log() {
    let (app, receiver) = (App::start().await, Receiver::start().await);
    let caller = app.admin("one").await;
    let (id, _) = endpoint(&caller, &receiver.url(), &["Department"]).await;
    department(&caller, "A").await;
    deliver(&app, now()).await;
    let done = caller.mutate("webhookEndpointDelete", json!({ "by": { "id": id } }), "outcome errors { code }").await;
    assert_eq!(done["outcome"], "DELETED");
    assert_eq!(caller.ask("{ webhookDeliveries { nodes { id } } }").await["webhookDeliveries"]["nodes"], json!([]));
    department(&caller, "B").await;
    deliver(&app, now()).await;
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test]
async fn samples_are_the_newest_messages_or_invented() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let document = "query($type: String!) { webhookSamples(eventType: $type, first: 2) {
        nodes { eventType messageId payload isInvented } } }";
    let samples = async |caller: &Caller<'_>, kind: &str| {
        caller.data(document, json!({ "type": kind })).await["webhookSamples"]["nodes"].take()
    };
    let invented = samples(&caller, "Department.CREATED").await;
    assert_eq!(
        (&invented[0]["isInvented"], &invented[0]["payload"]["type"]),
        (&json!(true), &json!("Department.CREATED"))
    );
    for name in ["A", "B", "C"] {
        department(&caller, name).await;
    }
    let newest = samples(&caller, "Department").await;
    let sequences: Vec<&Value> =
        newest.as_array().unwrap().iter().map(|it| &it["payload"]["data"]["sequence"]).collect();
    assert_eq!(sequences, [3, 2]);
    assert_eq!(newest[0]["isInvented"], false);
    for (permissions, kind, code) in [
        (vec![entity::Permission::ExchangeRead], "Department", "FORBIDDEN"),
        (vec![entity::Permission::ExchangeRead], "Nothing", "BAD_USER_INPUT"),
        (vec![entity::Permission::ExchangeRead], "*", "BAD_USER_INPUT"),
        (vec![entity::Permission::Admin], "Department", "FORBIDDEN"),
    ] {
        let reply = caller.with(permissions).run(document, json!({ "type": kind })).await.body;
        assert_eq!(reply["errors"][0]["extensions"]["code"], code, "{kind}");
    }
}
