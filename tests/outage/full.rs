//! A full disk: only stored changes are acknowledged, reads continue, and writes succeed again once there is space.

use std::{fs, path::Path, process::Command};

use rapport::store::{Options, Store};
use sqlx::{Connection, Executor, SqliteConnection};

use crate::{
    database::Database,
    server::{Caller, Server, TIMEOUT, organizations},
};

/// Writes until there is no space. Returns how many writes were acknowledged.
async fn fill(caller: &Caller<'_>, name: &str) -> u64 {
    for at in 0..10_000 {
        let answer = caller.create(&format!("{name} {at:0190}")).await;
        if !answer.is_good() {
            assert!(answer.is_for_later() && answer.code() == "UNAVAILABLE", "{answer:?}");
            return at;
        }
    }
    panic!("there is always room");
}

/// Asserts that reads succeed without free space and return what was acknowledged. Some writes may find a page that was
/// freed. Returns the number of rows afterwards.
async fn hold(caller: &Caller<'_>, database: &Database, mut expected: u64) -> u64 {
    for at in 0..10 {
        assert_eq!(caller.count().await.total(), expected);
        let answer = caller.create(&format!("{at} {}", "x".repeat(190))).await;
        assert!(answer.is_good() || answer.is_for_later(), "{answer:?}");
        expected += u64::from(answer.is_good());
    }
    let sound = database.look("SELECT integrity_check FROM pragma_integrity_check".to_owned()).await;
    assert_eq!(sound, [[Some("ok".to_owned())]]);
    let events = "SELECT CAST(COUNT(*) AS TEXT) FROM event WHERE noun = 'Department'";
    assert_eq!(database.look(events.to_owned()).await, [[Some((expected - 1).to_string())]]);
    expected
}

#[tokio::test]
async fn a_file_that_may_not_grow_is_read_and_written_again_once_it_has_room() {
    let database = Database::make().await;
    if !database.is_sqlite() {
        return;
    }
    let [organization] = organizations(&database.url).await;
    let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
    connection.execute("CREATE TABLE ballast AS SELECT randomblob(400000) AS weight").await.unwrap();
    let pages = database.look("SELECT CAST(page_count AS TEXT) FROM pragma_page_count".to_owned()).await;
    let most: u32 = pages[0][0].as_deref().unwrap().parse::<u32>().unwrap() + 50;
    let server = Server::start_with(&database.url, &[], &[("RAPPORT_TEST_MOST_PAGES", &most.to_string())]).await;
    let caller = server.caller(organization, "mia");
    let before = caller.count().await.total();
    let made = fill(&caller, "first").await;
    assert!(made > 0);
    let held = hold(&caller, &database, before + made).await;

    connection.execute("DROP TABLE ballast").await.unwrap();
    let more = fill(&caller, "then").await;
    assert!(more > 0);
    assert_eq!(caller.count().await.total(), held + more);
}

/// The same on a disk that is full. Only if `RAPPORT_TEST_MOUNT` is set, since mounting the disk requires root.
#[tokio::test]
async fn a_full_disk_is_read_and_written_again_once_it_has_room() {
    if std::env::var_os("RAPPORT_TEST_MOUNT").is_none() || std::env::var_os("RAPPORT_TEST_POSTGRES").is_some() {
        return;
    }
    let disk = Disk::mount("12m");
    let mut database = Database::make().await;
    database.url = format!("sqlite://{}/test.db?mode=rwc", disk.0.path().display());
    let store = Store::open(&Options {
        url: database.url.clone(),
        max_connections: 1,
        acquire_timeout: Options::COMMAND_TIMEOUT,
    })
    .await
    .unwrap();
    store.migrate().await.unwrap();
    store.close().await.unwrap();
    let [organization] = organizations(&database.url).await;
    let server = Server::start(&database.url, &[]).await;
    let caller = server.caller(organization, "mia");
    let before = caller.count().await.total();
    assert!(caller.create("before").await.is_good());
    let ballast = disk.0.path().join("ballast");
    // The write fails once the disk is full.
    assert!(fs::write(&ballast, vec![1; 12 << 20]).is_err());
    let made = 1 + fill(&caller, "first").await;
    let held = hold(&caller, &database, before + made).await;

    fs::remove_file(ballast).unwrap();
    let later = tokio::time::timeout(TIMEOUT, caller.create("later")).await.unwrap();
    assert!(later.is_good(), "{later:?}");
    assert_eq!(caller.count().await.total(), held + 1);
}

/// A small tmpfs.
struct Disk(tempfile::TempDir);

impl Disk {
    fn mount(size: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        run("mount", &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"], folder.path());
        Self(folder)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run("umount", &["--lazy"], self.0.path());
    }
}

fn run(program: &str, arguments: &[&str], folder: &Path) {
    assert!(Command::new(program).args(arguments).arg(folder).status().unwrap().success());
}
