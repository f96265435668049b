//! Events are sealed soon after they were written, once, whoever does it and however late.

use std::sync::Arc;

use futures_util::future::{join, join_all};
use rapport::housekeeping;
use serde_json::{Value, json};

use super::{head, seal, sealed, verify, write};
use crate::app::{App, Caller, now};

/// First and last sequence of each seal.
async fn seals(app: &App, caller: &Caller<'_>) -> Vec<(i64, i64)> {
    let tenant = format!("{} = '{}'", app.database.id("organization_id"), caller.organization().0.simple());
    let sql = format!(
        "SELECT CAST(first_sequence AS TEXT), CAST(last_sequence AS TEXT) FROM audit_seal WHERE {tenant} \
         ORDER BY audit_seal.first_sequence"
    );
    let number = |cell: &Option<String>| cell.as_ref().unwrap().parse().unwrap();
    app.database.look(sql).await.iter().map(|row| (number(&row[0]), number(&row[1]))).collect()
}

async fn bulk(caller: &Caller<'_>, count: usize) {
    let row = |place: usize| json!({ "externalId": { "system": "test", "id": place.to_string() }, "name": "A" });
    let rows: Vec<Value> = (0..count).map(row).collect();
    let done = caller.mutate("departmentsBulkUpsert", json!({ "rows": rows }), "errors { code }").await;
    assert_eq!(done["errors"], json!([]));
}

#[tokio::test]
async fn one_turn_seals_what_was_written_in_every_organization_and_the_next_finds_nothing() {
    let app = App::start().await;
    let callers = [app.admin("one").await, app.admin("two").await, app.admin("quiet").await];
    write(&callers[0], 3).await;
    write(&callers[1], 2).await;
    assert_eq!(app.store.unsealed().await.unwrap().len(), 2);
    assert!(!housekeeping::seal(&app.store, now()).await.unwrap());
    assert_eq!(seals(&app, &callers[0]).await, [(1, 3)]);
    assert_eq!(seals(&app, &callers[1]).await, [(1, 2)]);
    assert_eq!(seals(&app, &callers[2]).await, []);
    let before = app.store.statements();
    assert!(!housekeeping::seal(&app.store, now()).await.unwrap());
    assert_eq!(app.store.statements() - before, 1, "a turn without events is one statement");
    write(&callers[0], 1).await;
    seal(&app).await;
    assert_eq!(seals(&app, &callers[0]).await, [(1, 3), (4, 4)]);
    for (caller, sealed) in callers.iter().zip([4, 2, 0]) {
        let verdict = verify(&app, caller, &[]).await.unwrap();
        assert_eq!((verdict.sealed, verdict.unsealed), (sealed, 0));
    }
    let at = app.database.look("SELECT DISTINCT CAST(sealed_at AS TEXT) FROM audit_seal".to_owned()).await;
    assert_eq!(at, [[Some(now().timestamp_millis().to_string())]]);
}

#[tokio::test]
async fn what_was_left_is_sealed_in_bounded_parts_by_whoever_starts_next() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    bulk(&caller, 1_000).await;
    write(&caller, 3).await;
    assert!(housekeeping::seal(&app.store, now()).await.unwrap());
    assert_eq!(seals(&app, &caller).await, [(1, 500)]);
    let verdict = verify(&app, &caller, &[]).await.unwrap();
    assert_eq!((verdict.sealed, verdict.unsealed), (500, 503));
    let next = App::on(Arc::clone(&app.database)).await;
    seal(&next).await;
    assert_eq!(seals(&app, &caller).await, [(1, 500), (501, 1_000), (1_001, 1_003)]);
    assert_eq!(verify(&app, &caller, &[]).await.unwrap().unsealed, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_servers_seal_each_range_once_while_others_write() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let servers = [App::on(Arc::clone(&app.database)).await, App::on(Arc::clone(&app.database)).await];
    bulk(&caller, 1_000).await;
    let writing = write(&caller, 20);
    let sealing = join_all(servers.iter().chain(&servers).map(async |server| {
        for _ in 0..10 {
            housekeeping::seal(&server.store, now()).await.unwrap();
        }
    }));
    join(writing, sealing).await;
    seal(&app).await;
    let seals = seals(&app, &caller).await;
    assert_eq!(seals[..2], [(1, 500), (501, 1_000)]);
    assert!(seals.windows(2).all(|two| two[0].1 + 1 == two[1].0), "{seals:?}");
    assert_eq!(seals.last().unwrap().1, 1_020);
    let verdict = verify(&app, &caller, &[]).await.unwrap();
    assert_eq!((verdict.sealed, verdict.unsealed), (1_020, 0));
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_seals_what_was_written_last() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let housekeeping = housekeeping::start(app.store.clone());
    write(&caller, 2).await;
    housekeeping.stop().await;
    assert_eq!(verify(&app, &caller, &[]).await.unwrap().unsealed, 0);
}

#[tokio::test]
async fn an_organization_whose_chain_cannot_go_on_does_not_keep_others_from_being_sealed() {
    let app = App::start().await;
    let broken = sealed(&app).await;
    let other = app.admin("two").await;
    // Its next seal is there already.
    app.database.change("UPDATE audit_head SET last_sequence = 4 WHERE last_sequence = 8").await;
    write(&broken, 1).await;
    write(&other, 1).await;
    housekeeping::seal(&app.store, now()).await.unwrap();
    assert_eq!(verify(&app, &other, &[]).await.unwrap().sealed, 1);
    assert_eq!(head(&app, &other).await.sequence, Some(1));
}
