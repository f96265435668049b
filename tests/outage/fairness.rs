//! One organization sends the heaviest calls that default limits allow, on eight connections, while another one writes.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::{
    database::Database,
    server::{Answer, Caller, Server, organizations},
};

const CONNECTIONS: usize = 8;
/// Writes of the other organization during each kind of load.
const WRITES: usize = 30;

/// An outline with 240 points, within the limit of 1,500 rows and links.
fn outline() -> String {
    let point = |stage: usize, point: usize| format!(" P{point} {stage}\n  <F (4)\n  >M\n  -Fast\n");
    (0..8).map(|stage| format!("S{stage}\n") + &(0..30).map(|place| point(stage, place)).collect::<String>()).collect()
}

/// The heaviest calls: name, document and variables of each.
fn loads() -> [(&'static str, &'static str, Value); 3] {
    let points: Vec<Value> =
        (0..1_000).map(|place| json!({ "key": format!("p{place}"), "name": format!("Point {place}") })).collect();
    let document = json!({ "format": "rapport-map/1", "interactionPoints": points }).to_string();
    let rows: Vec<Value> = (0..1_000)
        .map(|place| json!({ "externalId": { "system": "s", "id": place.to_string() }, "name": "Point" }))
        .collect();
    [
        (
            "outlines",
            "mutation($input: JourneyFromOutlineInput!) { journeyFromOutline(input: $input) { errors { code } } }",
            json!({ "input": { "title": "t", "outline": outline() } }),
        ),
        (
            "dry runs",
            "mutation($input: MapImportInput!) { mapImport(input: $input) { errors { code } } }",
            json!({ "input": { "document": document, "dryRun": true } }),
        ),
        (
            "bulk",
            "mutation($input: InteractionPointsBulkUpsertInput!) { interactionPointsBulkUpsert(input: $input) { errors { code } } }",
            json!({ "input": { "rows": rows } }),
        ),
    ]
}

/// Writes one row after another, and prints how long the writes took.
async fn write(caller: &Caller<'_>, meanwhile: &str) -> Vec<Answer> {
    let mut answers = Vec::new();
    for place in 0..WRITES {
        answers.push(caller.create(&format!("{meanwhile} {place}")).await);
    }
    let mut took: Vec<Duration> = answers.iter().map(|answer| answer.took).collect();
    took.sort();
    println!("{meanwhile}: another organization's writes: median {:?}, last {:?}", took[WRITES / 2], took.last());
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_writes_little_is_served_while_another_organization_does_its_worst() {
    let database = Database::make().await;
    let [ours, theirs] = organizations(&database.url).await;
    // Practically unlimited points, so that only fair scheduling restrains the load.
    let server = Server::start(&database.url, &["--points", "100000000", "--points-per-second", "100000000"]).await;
    let (heavy, modest) = (server.caller(ours, "mia"), server.caller(theirs, "noa"));
    assert!(write(&modest, "idle").await.iter().all(Answer::is_good));
    for (name, document, variables) in loads() {
        let is_over = AtomicBool::new(false);
        let load = join_all((0..CONNECTIONS).map(|_| async {
            let mut good = 0;
            while !is_over.load(Ordering::Relaxed) {
                let answer = heavy.ask(document, variables.clone()).await;
                assert!(answer.is_good() || answer.is_for_later(), "{answer:?}");
                good += usize::from(answer.is_good());
            }
            good
        }));
        let others = async {
            let answers = write(&modest, name).await;
            is_over.store(true, Ordering::Relaxed);
            answers
        };
        let (goods, others) = server.beside(name, join(load, others)).await;
        println!("{name}: {} served", goods.iter().sum::<usize>());
        assert!(others.iter().all(Answer::is_good), "{name}");
    }
}
