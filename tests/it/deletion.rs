//! The deletion of an organization: closed at once, removed in steps, and nothing else touched.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    NOUNS, Permission, id,
    removal::{KEPT, LAST, Removal, removals},
};
use rapport::{
    Error,
    error::reason::Reason,
    store::{
        STEP, Store,
        erasure::ledger::{self, Deletion, Entry},
        operation::jobs::StepResult,
    },
};
use serde_json::{Value, json};

use crate::{
    app::{App, Caller, now},
    dump::Dump,
    fixture::World,
    outline::{Outline, codes},
    recovery::printed,
    server::Door,
};

/// What stays of a deleted organization.
const LEFT: &str = "organization_deletion";

async fn delete(caller: &Caller<'_>, slug: &str) -> Value {
    caller.mutate("organizationDelete", json!({ "slug": slug }), "outcome deletedId errors { code path }").await
}

/// The one job there is.
async fn job(store: &Store) -> uuid::Uuid {
    let jobs = store.jobs(DateTime::<Utc>::MAX_UTC).await.unwrap();
    assert_eq!(jobs.len(), 1);
    jobs[0].1
}

/// How many rows there are but those that the deletion itself has and moves.
fn count(dump: &Dump) -> usize {
    dump.iter().filter(|(table, _)| ![LEFT, "job"].contains(&table.as_str())).map(|(_, rows)| rows.len()).sum()
}

fn held(dump: &Dump) -> BTreeSet<&str> {
    dump.iter().filter(|(_, rows)| !rows.is_empty()).map(|(table, _)| table.as_str()).collect()
}

async fn add_records(caller: &Caller<'_>, number: usize) {
    let key = |row: usize| json!({ "system": "desk", "id": row.to_string() });
    let rows: Vec<Value> = (0..number).map(|row| json!({ "externalId": key(row), "kind": "PRAISE" })).collect();
    let done = caller.mutate("feedbackRecordsBulkUpsert", json!({ "rows": rows }), "errors { code }").await;
    assert_eq!(done["errors"], json!([]));
}

#[tokio::test]
async fn nothing_is_left_of_a_deleted_organization_and_others_stay_as_they_were() {
    let (app, outline) = (App::start().await, Outline::read());
    let stays = World::filled(&outline, app.admin("stays").await, "Stays").await;
    let gone = World::filled(&outline, app.admin("gone").await, "Gone").await;
    let caller = &gone.caller;
    add_records(caller, 2 * STEP + 50).await;
    let parent =
        json!({ "by": { "id": gone.rows["Account"][0].id }, "parentRef": { "id": gone.rows["Account"][1].id } });
    caller.mutate("accountUpdate", parent, "errors { code }").await;
    caller.mutate("departmentCreate", json!({ "name": "Gone", "idempotencyKey": "known" }), "outcome").await;
    let key = json!({ "system": "crm", "id": "erased" });
    let person = json!({ "name": "Gone", "externalIds": [key], "idempotencyKey": "person" });
    let person = caller.mutate("customerCreate", person, "node { id }").await;
    let words = json!({ "kind": "COMPLAINT", "body": "Gone", "customerRef": { "id": person["node"]["id"] } });
    caller.mutate("feedbackRecordCreate", words, "outcome").await;
    let merged = caller.mutate("customerCreate", json!({ "name": "Gone", "phone": "1" }), "node { id }").await;
    let winner = json!({ "id": gone.rows["Customer"][0].id });
    let referral = json!({ "referrerRef": winner, "referredRef": merged["node"] });
    assert_eq!(caller.mutate("referralCreate", referral, "outcome").await["outcome"], "CREATED");
    let merged = json!({ "winner": winner, "loser": merged["node"] });
    assert_eq!(caller.mutate("customerMerge", merged, "outcome").await["outcome"], "UPDATED");
    let tx = app.store.scope(rapport::auth::Actor::operator(caller.organization()), now()).begin().await.unwrap();
    assert!(tx.erase(id::decode(person["node"]["id"].as_str().unwrap()).unwrap().1).await.unwrap());
    tx.commit().await.unwrap();
    app.store.seal(caller.organization(), now()).await.unwrap();
    let (before, others) = (app.dump(caller.organization()).await, app.dump(stays.caller.organization()).await);
    // Whatever a table is for, it is tested only if it has rows.
    let empty: Vec<&str> = before.iter().filter(|(_, rows)| rows.is_empty()).map(|(table, _)| table.as_str()).collect();
    assert_eq!(empty, [LEFT]);

    let done = delete(caller, "gone").await;
    assert_eq!(done["errors"], json!([]));
    assert_eq!((&done["outcome"], &done["deletedId"]), (&json!("DELETED"), &json!(gone.newest("Organization").id)));
    assert_eq!(delete(caller, "gone").await["outcome"], "UNCHANGED", "while it goes on");
    let begun = job(&app.store).await;
    let mut rows = count(&app.dump(caller.organization()).await);
    // The first server is killed after two steps; its steps are no other's until it has stood still.
    let other = App::on(app.database.clone()).await;
    assert_eq!(other.store.jobs(now()).await.unwrap(), []);
    assert_eq!(other.store.jobs(now() + TimeDelta::minutes(1)).await.unwrap(), [(caller.organization(), begun)]);
    for (server, steps) in [(&app, 2), (&other, usize::MAX)] {
        for _ in 0..steps {
            let stepped = server.store.step(caller.organization(), begun, now()).await.unwrap();
            let left = count(&app.dump(caller.organization()).await);
            assert!(rows - left <= STEP, "{} rows in one step", rows - left);
            rows = left;
            if stepped == StepResult::Done {
                break;
            }
        }
    }
    assert_eq!(held(&app.dump(caller.organization()).await), BTreeSet::from([LEFT]));
    assert_eq!(app.store.step(caller.organization(), begun, now()).await.unwrap(), StepResult::Done);
    assert_eq!(app.dump(stays.caller.organization()).await, others);
    assert_eq!(app.store.jobs(DateTime::<Utc>::MAX_UTC).await.unwrap(), []);
    app.organization("gone").await;
}

#[tokio::test]
async fn every_table_is_emptied_or_says_why_not() {
    let app = App::start().await;
    let mut known: Vec<String> = LAST.into_iter().chain(KEPT).chain(["organization"]).map(str::to_owned).collect();
    known.extend(removals().iter().filter_map(|removal| match removal {
        Removal::Delete { table } => Some(table.concat()),
        Removal::Clear { .. } => None,
    }));
    known.sort();
    assert_eq!(known, app.tables().await.into_keys().collect::<Vec<String>>());
}

#[tokio::test]
async fn a_dry_run_counts_the_rows_and_changes_nothing() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "One").await;
    let other = app.admin("two").await;
    add_records(&other, 3).await;
    let caller = &world.caller;
    let before = app.dump(caller.organization()).await;
    let input = json!({ "slug": "one", "dryRun": true, "idempotencyKey": "trial" });
    let done =
        caller.mutate("organizationDelete", input, "outcome deletionCounts { type rowCount } errors { code }").await;
    assert_eq!(done["errors"], json!([]));
    assert_eq!(done["outcome"], "DELETED");
    let count = |noun: &str| before[entity::noun_named(noun).unwrap().table].len();
    let expected: Vec<Value> = NOUNS
        .into_iter()
        .map(|noun| json!({ "type": noun.name, "rowCount": count(noun.name) }))
        .filter(|row| row["rowCount"] != 0)
        .collect();
    assert_eq!(done["deletionCounts"], json!(expected));
    assert_eq!(app.dump(caller.organization()).await, before);
}

#[tokio::test]
async fn only_an_admin_who_names_the_organization_deletes_it() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    app.admin("two").await;
    let before = app.dump(caller.organization()).await;
    for slug in ["two", "One", "one ", "", "none"] {
        let done = delete(&caller, slug).await;
        assert_eq!(done["errors"], json!([{ "code": "INVALID", "path": ["slug"] }]), "{slug}");
        assert_eq!(done["deletedId"], Value::Null);
    }
    let others = caller.with(Permission::ALL.into_iter().filter(|scope| *scope != Permission::Admin));
    let document = "mutation { organizationDelete(input: { slug: \"one\" }) { outcome } }";
    assert_eq!(codes(&others.run(document, json!({})).await.body), ["FORBIDDEN"]);
    assert_eq!(app.dump(caller.organization()).await, before);
}

#[actix_web::test]
async fn the_tokens_of_a_deleted_organization_are_refused_at_once_and_afterwards() {
    let door = Door::open(Vec::new()).await;
    let (token, replica) = (door.token(Permission::ALL), door.replica().await);
    assert!(door.lets_in(&token).await);
    let now = rapport::clock::now();
    assert!(replica.verify(&token, now).await.is_ok());
    let done = door.mutate(&token, "organizationDelete", json!({ "slug": "acme" }), "outcome errors { code }").await;
    assert_eq!(done, json!({ "outcome": "DELETED", "errors": [] }));
    let is_refused = async || {
        let answer = door.ask(&token).await;
        assert_eq!(answer.refused(), (401, "UNAUTHENTICATED"));
        assert_eq!(answer.body["errors"][0]["message"], "the organization was deleted");
    };
    is_refused().await;
    replica.poll(now).await.unwrap();
    assert!(matches!(replica.verify(&token, now).await, Err(Error::Unauthenticated(Reason::Deleted))));
    door.app.store.finish_jobs(now).await.unwrap();
    assert_eq!(held(&door.app.dump(door.acme).await), BTreeSet::from([LEFT]));
    door.gate.poll(now).await.unwrap();
    is_refused().await;
}

#[tokio::test]
async fn what_another_server_still_wrote_is_removed_too() {
    let app = App::start().await;
    let (caller, other) = (app.admin("one").await, app.admin("two").await);
    delete(&caller, "one").await;
    let begun = job(&app.store).await;
    let end = removals().len().to_string();
    let progress = async || app.database.look("SELECT progress FROM job".to_owned()).await[0][0].clone().unwrap();
    while progress().await != end {
        assert_eq!(app.store.step(caller.organization(), begun, now()).await.unwrap(), StepResult::On);
    }
    let literal = |caller: &Caller<'_>| {
        let hex = caller.organization().0.simple();
        if app.database.is_sqlite() { format!("x'{hex}'") } else { format!("'{hex}'") }
    };
    let late = format!(
        "INSERT INTO department (organization_id, id, version, created_at, updated_at, name, name_folded)
            SELECT {}, id, version, created_at, updated_at, name, name_folded FROM department WHERE organization_id = {}",
        if app.database.is_sqlite() { literal(&caller) } else { format!("CAST({} AS UUID)", literal(&caller)) },
        literal(&other)
    );
    app.database.change(&late).await;
    app.store.finish_jobs(now()).await.unwrap();
    assert_eq!(held(&app.dump(caller.organization()).await), BTreeSet::from([LEFT]));
}

#[tokio::test]
async fn a_deletion_is_in_the_ledger_and_is_repeated_in_an_older_backup() {
    let app = App::start().await;
    let (caller, other) = (app.admin("one").await, app.admin("two").await);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger");
    let store = app.store.clone().with_erasure_ledger(Some(file.clone()));
    let deleted = store.scope(rapport::auth::Actor::operator(caller.organization()), now()).begin().await.unwrap();
    assert!(deleted.delete_organization().await.unwrap());
    deleted.commit().await.unwrap();
    let entries = ledger::read(&file, false).unwrap();
    let organization = caller.organization().0;
    assert!(
        matches!(&entries[..], [Entry::Deletion(deletion)] if deletion.organization == organization),
        "{entries:?}"
    );
    store.finish_jobs(now()).await.unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(store.complete_ledger(Some(now() - TimeDelta::days(1))).await.unwrap(), 1, "by a server without it");
    assert_eq!(ledger::read(&file, false).unwrap(), entries);

    // As in a backup that has the other organization still.
    let deletion = Deletion { id: id::new(), organization: other.organization().0, deleted_at: 0 };
    ledger::append(&file, &[Entry::Deletion(deletion)]).unwrap();
    let replay = ["erasure", "replay", "--erasure-ledger", "ledger", "--database-url", &app.database.url];
    assert_eq!(printed(folder.path(), &replay), "1 of 2 erasures were new to this database\n");
    assert_eq!(held(&app.dump(other.organization()).await), BTreeSet::from([LEFT]));
    assert_eq!(printed(folder.path(), &replay), "0 of 2 erasures were new to this database\n");
}
