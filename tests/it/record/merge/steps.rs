//! Merges of rows to which many others refer: what callers see between the steps, crashes, and erasures meanwhile.

use chrono::{DateTime, TimeDelta, Utc};
use rapport::store::{STEP, operation::jobs::StepResult};
use serde_json::{Value, json};

use super::{customer, merge, told};
use crate::{
    app::{App, Caller, now},
    record::{TOLD, by_id, key, made, wrong},
};

/// A customer with so many feedback records.
pub(super) async fn busy(caller: &Caller<'_>, name: &str, records: usize) -> String {
    let id = customer(caller, name, json!({ "phone": format!("phone of {name}") })).await;
    let numbers: Vec<usize> = (0..records).collect();
    for numbers in numbers.chunks(500) {
        let row = |number: &usize| {
            json!({ "externalId": { "system": name, "id": number.to_string() }, "kind": "PRAISE",
                "body": format!("words of {name}"), "customerRef": by_id(&id) })
        };
        let input = json!({ "rows": numbers.iter().map(row).collect::<Vec<_>>() });
        let done = caller.mutate("feedbackRecordsBulkUpsert", input, "errors { code }").await;
        assert_eq!(done["errors"], json!([]));
    }
    id
}

async fn job(app: &App) -> uuid::Uuid {
    let jobs = app.store.jobs(DateTime::<Utc>::MAX_UTC).await.unwrap();
    assert_eq!(jobs.len(), 1);
    jobs[0].1
}

/// What callers see of a merge, whether rows have moved or not.
async fn seen(caller: &Caller<'_>, loser: &str) -> Value {
    let document = "query($id: ID!) { node(id: $id) { id } customers(first: 9) { totalCount nodes { id } }
        phones: contactPoints { nodes { customer { id } isPrimary } }
        names: feedbackRecords(first: 1000) { nodes { customer { id name } } }
        ids: feedbackRecords(first: 1000) { nodes { customer { id } } } }";
    caller.data(document, json!({ "id": loser })).await
}

#[tokio::test]
async fn between_two_steps_every_row_shows_the_winner_and_a_killed_server_loses_none() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let winner = customer(&caller, "Ann", json!({})).await;
    let records = 2 * STEP + 50;
    let loser = busy(&caller, "Anna", records).await;
    merge(&caller, "customer", &winner, &loser).await;
    let progress = "query($id: ID!) { customer(by: { id: $id }) { phone merges { movedCount doneAt } feedbackRecords { totalCount } } }";
    let first = caller.data(progress, json!({ "id": loser })).await["customer"].take();
    // Its phone number came first, which is also primary.
    let moved = json!([{ "movedCount": STEP + 1, "doneAt": null }]);
    assert_eq!((&first["merges"], &first["phone"]), (&moved, &json!("phone of Anna")));
    let before = seen(&caller, &loser).await;
    let text = before.to_string();
    assert!(!text.contains(&loser) && !text.contains("Anna"), "{before:#}");
    assert_eq!(before["names"]["nodes"].as_array().unwrap().len(), records);
    assert_eq!(before["customers"], json!({ "totalCount": 1, "nodes": [{ "id": winner }] }));
    // A row may still come to be about the loser; a change of one that has not moved keeps it with the winner.
    let late = json!({ "kind": "PRAISE", "customerRef": by_id(&loser), "externalIds": [key("late")] });
    let late = caller.mutate("feedbackRecordCreate", late, "node { id customer { id name } }").await;
    assert_eq!(late["node"]["customer"], json!({ "id": winner, "name": "Ann" }));
    for (field, input) in [
        ("customerUnmerge", json!({ "loser": by_id(&loser) })),
        ("customerMerge", json!({ "winner": by_id(&busy(&caller, "Third", 0).await), "loser": by_id(&winner) })),
    ] {
        assert_eq!(wrong(&caller, field, input).await, [told("CONFLICT", "loser")], "{field}");
    }
    let input = json!({ "by": by_id(&winner) });
    assert_eq!(wrong(&caller, "customerDelete", input).await, [told("IN_USE", "by")]);
    let before = seen(&caller, &loser).await;
    // The server is gone; another one goes on, and the first one was only slow.
    let (job, other) = (job(&app).await, App::on(app.database.clone()).await);
    assert_eq!(other.store.jobs(now()).await.unwrap(), []);
    assert_eq!(other.store.jobs(now() + TimeDelta::minutes(1)).await.unwrap(), [(caller.organization(), job)]);
    let mut steps = 0;
    loop {
        let server = [&app, &other][steps % 2];
        let statements = server.store.statements();
        let stepped = server.store.step(caller.organization(), job, now()).await.unwrap();
        assert!(server.store.statements() - statements <= 60, "a step has a fixed number of statements");
        assert_eq!(seen(&caller, &loser).await, before, "nothing is to be seen of the steps");
        steps += 1;
        if stepped == StepResult::Done {
            break;
        }
    }
    assert_eq!(steps, 2);
    let last = caller.data(progress, json!({ "id": loser })).await["customer"].take();
    assert_eq!(last["merges"][0]["doneAt"], "2026-11-22T12:00:00Z");
    assert_eq!(last["feedbackRecords"]["totalCount"], records + 1);
    let customers = "SELECT CAST(COUNT(*) AS TEXT) FROM customer".to_owned();
    assert_eq!(app.database.look(customers).await, [[Some("2".to_owned())]]);
}

#[tokio::test]
async fn whoever_erases_the_winner_erases_the_loser_even_while_rows_move() {
    for records in [3, STEP + 50] {
        let app = App::start().await;
        let caller = app.admin("one").await;
        let winner = customer(&caller, "Ann", json!({})).await;
        let loser = busy(&caller, "Canary", records).await;
        merge(&caller, "customer", &winner, &loser).await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ledger");
        let erased =
            caller.mutate("customerErase", json!({ "by": by_id(&loser) }), "outcome node { id erasedAt }").await;
        assert_eq!(erased["node"]["id"], json!(winner));
        let document = "{ customers { nodes { name phone externalIds { id } } } contactPoints { nodes { value } }
            feedbackRecords(first: 1000) { nodes { body externalIds { id } } } }";
        let seen = caller.ask(document).await;
        assert!(!seen.to_string().contains("Canary"), "hidden at once: {seen:#}");
        let back = json!({ "externalId": key("Canary"), "name": "Back" });
        assert_eq!(wrong(&caller, "customerUpsert", back).await[0].0, "ERASED");
        // The erasure waits for the merge.
        for _ in 0..80 {
            for (organization, job) in app.store.jobs(DateTime::<Utc>::MAX_UTC).await.unwrap() {
                app.store.step(organization, job, now()).await.unwrap();
            }
        }
        assert_eq!(app.store.jobs(DateTime::<Utc>::MAX_UTC).await.unwrap(), []);
        let erasures = "SELECT CAST(COUNT(*) AS TEXT) FROM erasure WHERE done_at IS NOT NULL".to_owned();
        assert_eq!(app.database.look(erasures).await, [[Some("2".to_owned())]], "of both");
        for column in ["customer.name", "contact_point.value", "feedback_record.body", "row_merge.snapshot"] {
            let (table, column) = column.split_once('.').unwrap();
            let left = format!("SELECT {column} FROM {table} WHERE {column} LIKE '%Canary%'");
            let none: Vec<Vec<Option<String>>> = Vec::new();
            assert_eq!(app.database.look(left).await, none, "{table}.{column}");
        }
        assert_eq!(
            wrong(&caller, "customerUnmerge", json!({ "loser": by_id(&loser) })).await,
            [told("ERASED", "loser")]
        );
        app.store.clone().with_erasure_ledger(Some(file.clone())).complete_ledger(None).await.unwrap();
        let entries = rapport::store::erasure::ledger::read(&file, false).unwrap();
        let people: Vec<String> = entries
            .iter()
            .filter_map(rapport::store::erasure::ledger::Entry::person)
            .map(|person| entity::id::encode("cust", person))
            .collect();
        assert!(people.contains(&winner) && people.contains(&loser), "an older backup has both: {people:?}");
    }
}

#[tokio::test]
async fn two_merges_at_once_in_opposite_directions_leave_one_of_both() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for round in 0..6 {
        let (a, b) = (busy(&caller, &format!("a{round}"), 3).await, busy(&caller, &format!("b{round}"), 4).await);
        let of = |winner: &str, loser: &str| json!({ "winner": by_id(winner), "loser": by_id(loser) });
        let (first, second) = futures_util::future::join(
            caller.mutate("customerMerge", of(&a, &b), TOLD),
            caller.mutate("customerMerge", of(&b, &a), TOLD),
        )
        .await;
        let outcomes = [&first["outcome"], &second["outcome"]];
        assert!(outcomes.contains(&&json!("UPDATED")) && outcomes.contains(&&json!("FAILED")), "{first} {second}");
        let document = "query($a: ID!, $b: ID!) { a: node(id: $a) { id } b: node(id: $b) { id }
            customer(by: { id: $a }) { feedbackRecords { totalCount } merges { movedCount } } }";
        let seen = caller.data(document, json!({ "a": a, "b": b })).await;
        assert_eq!(seen["a"], seen["b"]);
        assert_eq!(seen["customer"]["feedbackRecords"]["totalCount"], 7);
        assert_eq!(seen["customer"]["merges"].as_array().unwrap().len(), 1);
    }
    assert_eq!(caller.ask("{ customers { totalCount } }").await["customers"]["totalCount"], 6);
}

#[tokio::test]
async fn the_ids_of_a_chain_of_merges_all_stand_for_its_last_winner() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d"] {
        ids.push(busy(&caller, name, 2).await);
    }
    for pair in ids.windows(2) {
        merge(&caller, "customer", &pair[1], &pair[0]).await;
    }
    let nodes = caller.data("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": ids })).await;
    assert_eq!(nodes["nodes"], json!(vec![json!({ "id": ids[3] }); 4]));
    for name in ["a", "b", "c", "d"] {
        let done =
            caller.mutate("customerUpsert", json!({ "externalId": key(name), "segment": name }), "node { id }").await;
        assert_eq!(done["node"]["id"], json!(ids[3]));
    }
    let counts = caller.ask("{ customers { nodes { feedbackRecords { totalCount } merges { loserId } } } }").await;
    let merges: Vec<Value> = ids[..3].iter().map(|id| json!({ "loserId": id })).collect();
    assert_eq!(counts["customers"]["nodes"], json!([{ "feedbackRecords": { "totalCount": 8 }, "merges": merges }]));
    // Circles: each of them is the last.
    for id in &ids {
        assert_eq!(
            wrong(&caller, "customerMerge", json!({ "winner": by_id(&ids[0]), "loser": by_id(&ids[3]) })).await,
            [told("INVALID", "loser")],
            "{id}"
        );
    }
    let input = json!({ "loser": by_id(&ids[0]) });
    assert_eq!(
        wrong(&caller, "customerUnmerge", input).await,
        [told("CONFLICT", "loser")],
        "not before the later ones"
    );
}

#[tokio::test]
async fn a_merge_costs_the_same_however_many_rows_there_are_and_reads_of_rows_that_exist_cost_nothing_more() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let mut costs = Vec::new();
    for records in [3, 30] {
        let winner = customer(&caller, &format!("w{records}"), json!({})).await;
        let loser = busy(&caller, &format!("l{records}"), records).await;
        let before = app.store.statements();
        merge(&caller, "customer", &winner, &loser).await;
        costs.push(app.store.statements() - before);
        let cost = async |id: &str| {
            let before = app.store.statements();
            caller.data("query($id: ID!) { customer(by: { id: $id }) { name } }", json!({ "id": id })).await;
            app.store.statements() - before
        };
        assert_eq!(
            (cost(&winner).await, cost(&loser).await),
            (1, 3),
            "the alias and the winner are read for a loser only"
        );
    }
    assert_eq!(costs[0], costs[1]);
    assert!(costs[0] <= 70, "{costs:?}");
    made(&caller, "feedbackRecordCreate", json!({ "kind": "PRAISE" })).await;
}
