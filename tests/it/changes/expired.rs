//! Positions that are refused: what a reader has seen is not what the database has.

use std::{path::Path, sync::Arc};

use entity::Permission;
use rapport::store::erasure::ledger::{self, Deletion, Entry};
use serde_json::{Value, json};

use super::{change, changed, make, page, refusal, sequences};
use crate::{app::App, database::Database, recovery::printed};

fn expired(oldest: i64) -> (Value, Value) {
    (json!("CURSOR_EXPIRED"), json!(oldest))
}

#[tokio::test]
async fn a_position_beyond_the_head_or_of_another_epoch_is_refused() {
    let app = App::start().await;
    let (caller, ..) = changed(&app, "one").await;
    let head = page(&caller, json!({ "first": 1 })).await;
    assert_eq!(sequences(&page(&caller, json!({ "afterSequence": 6, "epoch": head["epoch"] })).await), [] as [i64; 0]);
    for position in [
        json!({ "afterSequence": 7 }),
        json!({ "afterSequence": "9223372036854775807" }),
        json!({ "afterSequence": 6, "epoch": "another" }),
        json!({ "epoch": "another" }),
    ] {
        assert_eq!(refusal(&caller, position.clone()).await, expired(1), "{position}");
    }
    let cursor = &head["headCursor"];
    for position in [
        json!({ "after": cursor, "afterSequence": 1 }),
        json!({ "after": cursor, "epoch": head["epoch"] }),
        json!({ "afterSequence": -1 }),
    ] {
        assert_eq!(refusal(&caller, position.clone()).await.0, "BAD_USER_INPUT", "{position}");
    }
}

#[tokio::test]
async fn a_database_restored_by_other_means_is_noticed_even_after_new_writes_past_the_old_head() {
    let app = App::start().await;
    let (caller, ..) = changed(&app, "one").await;
    let seen = page(&caller, json!({ "first": 4 })).await;
    let at = |name: &str| json!({ "after": seen["pageInfo"][name] });
    // What an older backup has.
    app.database
        .force(vec![
            "DELETE FROM event WHERE sequence > 3".to_owned(),
            "UPDATE organization_sequence SET last = 3".to_owned(),
        ])
        .await;
    assert_eq!(refusal(&caller, at("endCursor")).await, expired(1), "beyond the head");
    for name in ["C", "D", "E", "F", "G"] {
        make(&caller, "departmentCreate", json!({ "name": name })).await;
    }
    assert_eq!(refusal(&caller, at("endCursor")).await, expired(1), "another change has this sequence now");
    assert_eq!(refusal(&caller, json!({ "after": seen["headCursor"] })).await, expired(1));
    assert_eq!(sequences(&page(&caller, at("startCursor")).await), [2, 3, 4, 5, 6, 7, 8], "that one is still there");
    // Events that an operator removed are before the oldest.
    app.database.force(vec!["DELETE FROM event WHERE sequence < 5".to_owned()]).await;
    assert_eq!(refusal(&caller, json!({ "afterSequence": 3 })).await, expired(5));
    assert_eq!(sequences(&page(&caller, json!({ "afterSequence": 4 })).await), [5, 6, 7, 8]);
}

/// Replays a ledger with nothing for this database.
fn replay(app: &App, folder: &Path) {
    let deletion = Deletion { id: entity::id::new(), organization: entity::id::new(), deleted_at: 0 };
    if !folder.join("ledger").exists() {
        ledger::append(&folder.join("ledger"), &[Entry::Deletion(deletion)]).unwrap();
    }
    let url = &app.database.url;
    printed(folder, &["erasure", "replay", "--erasure-ledger", "ledger", "--database-url", url]);
}

#[tokio::test]
async fn a_replay_of_erasures_begins_another_epoch_in_each_organization() {
    let app = App::start().await;
    let (one, ..) = changed(&app, "one").await;
    let two = app.admin("two").await;
    let folder = tempfile::tempdir().unwrap();
    let mut known: Vec<Value> = Vec::new();
    for _ in 0..2 {
        let mut cursors = Vec::new();
        for caller in [&one, &two] {
            let page = page(caller, json!({})).await;
            assert!(!known.contains(&page["epoch"]));
            known.push(page["epoch"].clone());
            cursors.push((caller, page));
        }
        replay(&app, folder.path());
        for (caller, page) in cursors {
            let (epoch, cursor) = (&page["epoch"], &page["headCursor"]);
            assert_eq!(refusal(caller, json!({ "after": cursor })).await, expired(1));
            assert_eq!(refusal(caller, json!({ "afterSequence": 0, "epoch": epoch })).await, expired(1));
        }
    }
    assert_eq!(sequences(&page(&one, json!({})).await), [1, 2, 3, 4, 5, 6]);
}

/// Writes into a file as a server does, and returns the first page of the feed after that.
async fn written(file: &Path, count: usize) -> Value {
    let app = App::on(Arc::new(Database::of_file(file))).await;
    let (id, _) = app.store.organizations().await.unwrap().remove(0);
    let caller = app.caller(id, Permission::ALL);
    for number in 0..count {
        change(&caller, "departmentCreate", json!({ "name": number.to_string() })).await;
    }
    let page = page(&caller, json!({ "first": 1 })).await;
    app.store.clone().close().await.unwrap();
    page
}

/// The program restores files of SQLite only.
#[tokio::test]
async fn an_older_backup_is_refused_after_new_writes_past_the_old_head() {
    let home = tempfile::tempdir().unwrap();
    let (folder, file) = (home.path(), home.path().join("rapport.db"));
    printed(folder, &["organization", "create", "--slug", "acme", "--name", "Acme"]);
    let old = written(&file, 2).await;
    printed(folder, &["backup", "before.db"]);
    let seen = written(&file, 3).await;
    assert_eq!(old["epoch"], seen["epoch"]);
    printed(folder, &["restore", "before.db", "--replace", "--no-erasure-ledger"]);
    let new = written(&file, 9).await;
    assert_ne!(new["epoch"], seen["epoch"]);
    assert!(new["headSequence"].as_i64() > seen["headSequence"].as_i64());
    let app = App::on(Arc::new(Database::of_file(&file))).await;
    let (id, _) = app.store.organizations().await.unwrap().remove(0);
    let caller = app.caller(id, Permission::ALL);
    for position in [
        json!({ "after": seen["headCursor"] }),
        json!({ "after": old["pageInfo"]["startCursor"] }),
        json!({ "afterSequence": seen["headSequence"], "epoch": seen["epoch"] }),
    ] {
        assert_eq!(refusal(&caller, position).await, expired(1));
    }
}
