//! Endpoints that do not answer, and servers that end before the answer.

use serde_json::json;

use super::*;

async fn departments(caller: &Caller<'_>, count: usize) {
    let row = |number: usize| json!({ "externalId": { "system": "x", "id": number.to_string() }, "name": "A" });
    let rows: Vec<Value> = (0..count).map(row).collect();
    caller.mutate("departmentsBulkUpsert", json!({ "rows": rows }), "results { outcome }").await;
}

#[tokio::test]
async fn an_endpoint_that_hangs_has_16_messages_and_delays_no_other() {
    let (app, hanging, good) = (App::start().await, Receiver::hanging().await, Receiver::start().await);
    let caller = app.admin("one").await;
    let (slow, _) = endpoint(&caller, &hanging.url(), &["Department"]).await;
    let (quick, _) = endpoint(&caller, &good.url(), &["Department"]).await;
    departments(&caller, 40).await;
    let (mut one, mut two) = (Dispatcher::new(app.store.clone(), now), Dispatcher::new(app.store.clone(), now));
    // Two servers, neither of which waits for an answer of the slow one.
    until_quiet(&mut one, &mut two, || good.requests().len() == 40).await;
    hanging.has_received(16).await;
    for dispatcher in [&mut one, &mut two] {
        dispatcher.pass().await.unwrap();
    }
    assert_eq!((hanging.requests().len(), hanging.connections()), (16, 16));
    let shown_now = shown(&caller, &slow).await;
    let sending = deliveries(&shown_now).iter().filter(|delivery| delivery["status"] == "SENDING").count();
    assert_eq!((sending, deliveries(&shown_now).len()), (16, 40));
    hanging.open();
    one.finish().await;
    two.finish().await;
    deliver(&app, now()).await;
    for id in [slow, quick] {
        let shown = shown(&caller, &id).await;
        assert!(deliveries(&shown).iter().all(|delivery| delivery["status"] == "DELIVERED"));
    }
    assert_eq!(hanging.requests().len(), 40);
}

/// Lets two servers work until a condition holds.
async fn until_quiet<Clock: Fn() -> DateTime<Utc> + Clone + Send + Sync + 'static>(
    one: &mut Dispatcher<Clock>,
    two: &mut Dispatcher<Clock>,
    mut is_met: impl FnMut() -> bool,
) {
    for _ in 0..2_000 {
        for dispatcher in [&mut *one, &mut *two] {
            dispatcher.pass().await.unwrap();
        }
        if is_met() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the condition does not come about");
}

#[tokio::test]
async fn a_server_that_ends_before_the_answer_loses_nothing() {
    let (app, hanging) = (App::start().await, Receiver::hanging().await);
    let caller = app.admin("one").await;
    let (id, _) = endpoint(&caller, &hanging.url(), &["Department"]).await;
    departments(&caller, 3).await;
    let mut killed = Dispatcher::new(app.store.clone(), now);
    killed.pass().await.unwrap();
    hanging.has_received(3).await;
    drop(killed);
    hanging.open();
    // Until the lease ends, no other server sends them.
    deliver(&app, now() + TimeDelta::seconds(59)).await;
    assert_eq!(hanging.requests().len(), 3);
    deliver(&app, now() + TimeDelta::seconds(60)).await;
    let requests = hanging.requests();
    let ids = |requests: &[Request]| -> BTreeSet<String> { requests.iter().map(|it| it.id().to_owned()).collect() };
    assert_eq!(requests.len(), 6);
    assert_eq!((ids(&requests[..3]), ids(&requests).len()), (ids(&requests[3..]), 3));
    let shown = shown(&caller, &id).await;
    assert!(deliveries(&shown).iter().all(|it| it["status"] == "DELIVERED" && it["attemptCount"] == 2));
}

#[tokio::test]
async fn an_answer_that_comes_after_another_server_took_over_changes_nothing() {
    let (app, hanging) = (App::start().await, Receiver::hanging().await);
    let caller = app.admin("one").await;
    let (id, _) = endpoint(&caller, &hanging.url(), &["Department"]).await;
    department(&caller, "A").await;
    let mut late = Dispatcher::new(app.store.clone(), now);
    late.pass().await.unwrap();
    hanging.has_received(1).await;
    let after = now() + TimeDelta::seconds(61);
    let mut other = Dispatcher::new(app.store.clone(), move || after);
    other.pass().await.unwrap();
    hanging.has_received(2).await;
    hanging.will_answer(["500 Down", "500 Down"]);
    hanging.open();
    late.finish().await;
    other.finish().await;
    let shown = shown(&caller, &id).await;
    let delivery = &deliveries(&shown)[0];
    assert_eq!((&delivery["attemptCount"], &delivery["lastAttemptAt"]), (&json!(2), &json!("2026-11-22T12:01:01Z")));
    assert_eq!(shown["firstFailedAt"], json!("2026-11-22T12:01:01Z"));
}

#[tokio::test]
async fn every_change_is_sent_once_by_servers_that_follow_together() {
    let (app, receiver) = (App::start().await, Receiver::start().await);
    let caller = app.admin("one").await;
    endpoint(&caller, &receiver.url(), &["Department"]).await;
    departments(&caller, 450).await;
    let (mut one, mut two) = (Dispatcher::new(app.store.clone(), now), Dispatcher::new(app.store.clone(), now));
    loop {
        let (first, second) = tokio::join!(one.pass(), two.pass());
        one.finish().await;
        two.finish().await;
        if !first.unwrap() && !second.unwrap() {
            break;
        }
    }
    deliver(&app, now()).await;
    let sequences: BTreeSet<i64> =
        receiver.requests().iter().map(|it| it.json()["data"]["sequence"].as_i64().unwrap()).collect();
    assert_eq!(receiver.requests().len(), 450);
    assert!(sequences.into_iter().eq(2..=451));
}
