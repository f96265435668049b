//! What is left of erased rows in the files of the database.

use std::collections::BTreeSet;

use serde_json::json;
use sqlx::{Connection, Executor, PgConnection};

use crate::{
    app::App,
    erasure::{canaries, canary, erase, settle},
    residue::residue,
};

#[tokio::test]
async fn a_scrub_waits_for_whoever_might_still_see_the_erased() {
    let app = App::start().await;
    if app.database.is_sqlite() {
        // Nobody sees rows of before in a file that is rewritten.
        return;
    }
    let caller = app.admin("one").await;
    let id = settle(&caller, 1).await;
    let mut other = PgConnection::connect(&app.database.url).await.unwrap();
    other.execute("BEGIN; SELECT pg_current_xact_id()").await.unwrap();
    assert_eq!(erase(&caller, json!({ "id": id })).await["outcome"], "UPDATED");
    let (told, hear) = tokio::sync::oneshot::channel();
    let mut told = Some(told);
    let scrub = app.store.scrub(|step| {
        if let Some(told) = told.take() {
            told.send(step).unwrap();
        }
    });
    let end = async {
        let step = hear.await.unwrap();
        assert!(step.contains("transactions"), "{step}");
        other.execute("COMMIT").await.unwrap();
    };
    futures_util::join!(async { scrub.await.unwrap() }, end);
    let texts: Vec<String> = canaries(1).into_iter().filter(|text| !text.contains("Key")).collect();
    assert_eq!(residue(&app.database, &texts).await, BTreeSet::new());
}

/// A transaction of another client, which a synchronous caller begins and ends.
struct Bystander(std::sync::mpsc::Sender<()>, std::sync::mpsc::Receiver<()>);

impl Bystander {
    fn of(url: &str) -> Self {
        let ((told, hear), (done, wait)) = (std::sync::mpsc::channel(), std::sync::mpsc::channel());
        let url = url.to_owned();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let mut connection = runtime.block_on(PgConnection::connect(&url)).unwrap();
            for statements in ["BEGIN; SELECT pg_current_xact_id()", "COMMIT"] {
                hear.recv().unwrap();
                runtime.block_on(connection.execute(statements)).unwrap();
                done.send(()).unwrap();
            }
        });
        Self(told, wait)
    }

    fn go_on(&self) {
        self.0.send(()).unwrap();
        self.1.recv().unwrap();
    }
}

#[tokio::test]
async fn a_scrub_waits_again_before_it_rewrites_the_statistics() {
    let app = App::start().await;
    if app.database.is_sqlite() {
        // There are no samples in statistics of SQLite.
        return;
    }
    let caller = app.admin("one").await;
    let id = settle(&caller, 1).await;
    settle(&caller, 2).await;
    app.database.change("ANALYZE").await;
    let texts: Vec<String> = canaries(1).into_iter().filter(|text| !text.contains("Key")).collect();
    assert_eq!(erase(&caller, json!({ "id": id })).await["outcome"], "UPDATED");
    let bystander = Bystander::of(&app.database.url);
    let mut steps: Vec<String> = Vec::new();
    let is_wait = |step: &String| step.contains("transactions");
    app.store
        .scrub(|step| {
            steps.push(step);
            // Begins after the first wait, if there was one, and ends when it is waited for.
            let (waits, rewrites): (Vec<&String>, Vec<&String>) = steps.iter().partition(|step| is_wait(step));
            let is_first = rewrites.len() == 1 && !is_wait(&steps[steps.len() - 1]);
            let is_awaited = !rewrites.is_empty() && !waits.is_empty() && is_wait(&steps[steps.len() - 1]);
            if is_first || is_awaited {
                bystander.go_on();
            }
        })
        .await
        .unwrap();
    assert!(is_wait(&steps[steps.len() - 2]), "{steps:?}");
    assert_eq!(residue(&app.database, &texts).await, BTreeSet::new());
}

#[tokio::test]
async fn the_bytes_of_the_erased_are_in_no_file_and_those_of_others_are() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let mut ids = Vec::new();
    for who in 0..60 {
        ids.push(settle(&caller, who).await);
    }
    // Rows that grow and shrink: pages split, are joined again, and cells move about.
    for (who, id) in ids.iter().enumerate() {
        let long = format!("{}{}", canary("Name", who), "z".repeat(who % 120));
        caller.mutate("customerUpdate", json!({ "by": { "id": id }, "name": long }), "outcome").await;
    }
    let erased: Vec<usize> = (0..60).filter(|who| who % 7 == 3).collect();
    let texts: Vec<String> =
        erased.iter().flat_map(|who| canaries(*who)).filter(|text| !text.contains("Key")).collect();
    if !app.database.is_sqlite() {
        app.database.change("ANALYZE").await;
        app.database.change("CHECKPOINT").await;
    }
    assert!(residue(&app.database, &texts).await.len() > texts.len(), "the search finds what is there");
    for who in &erased {
        assert_eq!(erase(&caller, json!({ "id": ids[*who] })).await["outcome"], "UPDATED");
    }
    if !app.database.is_sqlite() {
        app.store.scrub(|_| {}).await.unwrap();
    }
    assert_eq!(residue(&app.database, &texts).await, BTreeSet::new());
    assert!(!residue(&app.database, &canaries(1)).await.is_empty(), "others are still there");
}
