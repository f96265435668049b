//! Transactions of the kernel, which no API shows from inside.

use entity::{Permission, noun::Noun, routing};
use futures_util::{FutureExt, future::join_all};
use rapport::{
    auth::Actor,
    store::writing::{
        draft::{Draft, Mode, Target},
        write::Hooks,
    },
};
use serde_json::{Value, json};

use crate::app::{App, now};

#[tokio::test]
async fn a_transaction_with_a_failed_statement_cannot_be_committed() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let actor = Actor {
        organization: caller.organization(),
        subject: "tester".to_owned(),
        client: None,
        permissions: Permission::ALL.into_iter().collect(),
        expires: None,
        departments: None,
    };
    let before = app.dump(caller.organization()).await;
    let tx = app.store.scope(actor, now()).begin().await.unwrap();
    let noun: &'static Noun = &entity::influencer::NOUN;
    let mut draft = Draft::new(noun, Target::New, Mode::CreateOnly);
    draft.set(entity::influencer::NAME, "Radio".to_owned());
    let written = tx.write(noun, &Hooks::NONE, &mut [draft], true).await.unwrap();
    assert!(written[0].errors.is_empty());
    // A routing of nothing to nowhere: its columns may not be null. PostgreSQL would answer the commit with success.
    assert!(tx.make(&routing::NOUN, vec![Vec::new()]).await.is_err());
    assert!(tx.commit().await.is_err());
    assert_eq!(app.dump(caller.organization()).await, before);
    caller.data("{ influencers { totalCount } }", json!({})).await;
}

#[tokio::test]
async fn a_mutation_that_nobody_waits_for_any_more_is_done_to_its_end() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let input = json!({ "input": { "name": "Sales" } });
    let document = "mutation($input: DepartmentCreateInput!) { departmentCreate(input: $input) { outcome } }";
    // Begun, and given up before it has an answer.
    assert!(caller.run(document, input).now_or_never().is_none());
    let count = async || caller.ask("{ departments { totalCount } }").await["departments"]["totalCount"].as_i64();
    let mut asked = 0;
    while count().await != Some(2) {
        asked += 1;
        assert!(asked < 2_000, "it was cut short");
        tokio::task::yield_now().await;
    }
    assert_eq!(
        app.database.look("SELECT CAST(COUNT(*) AS TEXT) FROM event".to_owned()).await[0][0].as_deref(),
        Some("1")
    );
}

#[tokio::test]
async fn what_has_ended_well_leaves_nothing_for_the_database_to_undo() {
    let app = App::start().await;
    if !app.store.is_postgres() {
        return;
    }
    let caller = app.admin("one").await;
    let input = json!({ "name": "Radio" });
    for _ in 0..3 {
        caller.mutate("influencerCreate", input.clone(), "outcome").await;
        caller.ask("{ influencers { totalCount } }").await;
    }
    // What each connection was asked last: never whether it lives, and nothing was rolled back.
    let last = "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'rapport'
        AND pid <> pg_backend_pid()";
    let asked = app.database.look(last.to_owned()).await;
    assert!(
        !asked.is_empty() && asked.iter().flatten().flatten().all(|query| !query.contains("ROLLBACK")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn writers_at_once_each_get_what_they_asked_for() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    // Two calls under each key; every third key is of an input that fails.
    let call = |number: usize| {
        let caller = &caller;
        async move {
            let name = if number.is_multiple_of(3) { String::new() } else { format!("Department {number}") };
            let input = json!({ "name": name, "idempotencyKey": format!("key {number}") });
            caller.mutate("departmentCreate", input, "outcome isReplayed node { id } errors { code }").await
        }
    };
    let done = join_all((0..60).map(|number| call(number / 2))).await;
    for (number, pair) in done.chunks(2).enumerate() {
        let replayed: Vec<_> = pair.iter().filter(|done| done["isReplayed"] == true).collect();
        if number.is_multiple_of(3) {
            assert!(replayed.is_empty() && pair.iter().all(|done| done["node"].is_null()), "{pair:?}");
        } else {
            assert_eq!(replayed.len(), 1, "{pair:?}");
            assert!(pair[0]["node"]["id"].is_string() && pair[0]["node"] == pair[1]["node"], "{pair:?}");
        }
    }
    let count = caller.ask("{ departments { totalCount } }").await["departments"]["totalCount"].take();
    assert_eq!(count, 1 + 20);
    let sequence = "SELECT CAST(e.sequence AS TEXT) FROM event AS e ORDER BY e.sequence".to_owned();
    let sequence: Vec<_> = app.database.look(sequence).await.into_iter().flatten().flatten().collect();
    assert_eq!(sequence, (1..=20).map(|number: u8| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_undone_leaves_what_was_written_beside_it() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let actor = |subject: &str| Actor {
        organization: caller.organization(),
        subject: subject.to_owned(),
        client: None,
        permissions: Permission::ALL.into_iter().collect(),
        expires: None,
        departments: None,
    };
    let noun: &'static Noun = &entity::influencer::NOUN;
    let write = |name: String, is_dropped: bool| {
        let scope = app.store.scope(actor(&name), now());
        async move {
            let tx = scope.begin().await.unwrap();
            let mut draft = Draft::new(noun, Target::New, Mode::CreateOnly);
            draft.set(entity::influencer::NAME, name);
            tx.write(noun, &Hooks::NONE, &mut [draft], true).await.unwrap();
            if is_dropped { drop(tx) } else { tx.commit().await.unwrap() }
        }
    };
    join_all((0..30).map(|number| write(format!("Influencer {number}"), number % 2 == 1))).await;
    let names = caller.ask("{ influencers(first: 100) { nodes { name } } }").await["influencers"]["nodes"].take();
    let names: Vec<&str> = names.as_array().unwrap().iter().filter_map(|node| node["name"].as_str()).collect();
    assert_eq!(names.len(), 15);
    assert!((0..30).step_by(2).all(|number| names.contains(&format!("Influencer {number}").as_str())), "{names:?}");
}

/// How often the write-ahead log of a file has begun anew.
fn begun_anew(url: &str) -> u32 {
    let file = url.trim_start_matches("sqlite://").split('?').next().unwrap();
    let log = std::fs::read(format!("{file}-wal")).unwrap();
    u32::from_be_bytes(log[12..16].try_into().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_a_file_begins_anew_when_it_has_grown_long() {
    let app = App::start().await;
    if app.store.is_postgres() {
        return;
    }
    let caller = app.admin("one").await;
    caller.mutate("departmentCreate", json!({ "name": "Sales" }), "outcome").await;
    let before = begun_anew(&app.database.url);
    let mut written = 0;
    while begun_anew(&app.database.url) == before {
        let row =
            |at: usize| json!({ "externalId": { "system": "s", "id": format!("{written} {at}") }, "name": "Point" });
        let rows: Vec<Value> = (0..1_000).map(row).collect();
        let payload = caller.mutate("interactionPointsBulkUpsert", json!({ "rows": rows }), "errors { code }").await;
        assert_eq!(payload["errors"], json!([]));
        written += 1;
        assert!(written < 50, "the log only grows");
    }
}
