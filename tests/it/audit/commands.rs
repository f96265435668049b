//! `rapport audit`: what it prints, and how it fails.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use super::{seal, sealed, write};
use crate::{app::App, database::Database};

fn run(database: &Database, folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rapport"));
    command.args(["audit", "--database-url", &database.url]).args(arguments).env_clear().current_dir(folder);
    command.output().expect("the program can be started")
}

#[track_caller]
fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn failure(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[tokio::test]
async fn verify_says_what_holds_and_fails_with_the_first_event_that_does_not() {
    let app = App::start().await;
    let caller = sealed(&app).await;
    write(&caller, 1).await;
    let quiet = app.admin("quiet").await;
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| run(&app.database, folder.path(), arguments);

    let heads = printed(&run(&["head"]));
    let [slug, sequence, hash] = heads.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{heads}") };
    assert_eq!((slug, sequence, hash.len()), ("one", "8", 64));
    assert_eq!(printed(&run(&["head", "--organization", "quiet"])), "");
    let told = printed(&run(&["verify"]));
    assert!(told.contains(&format!("one: 8 events match their seals, 1 are not sealed yet, head 8 {hash}")), "{told}");
    assert!(told.contains("quiet: 0 events"), "{told}");

    // Heads of several times in one file, as a scheduled `>>` leaves them.
    write(&quiet, 1).await;
    seal(&app).await;
    let file = folder.path().join("heads");
    fs::write(&file, format!("{heads}{}", printed(&run(&["head"])))).unwrap();
    printed(&run(&["verify", "--head", "heads"]));
    printed(&run(&["verify", "--organization", "one", "--head", "heads"]));
    printed(&run(&["verify", "--organization", "one", "--head", hash]));

    app.database.change("DELETE FROM event WHERE sequence < 5").await;
    assert!(failure(&run(&["verify"])).contains("one: event 1 is missing"));
    printed(&run(&["verify", "--organization", "one", "--kept-from", "5"]));
    app.database.change("UPDATE event SET subject = 'x' WHERE sequence = 6").await;
    let told = failure(&run(&["verify", "--organization", "one", "--kept-from", "5"]));
    assert!(told.contains("one: event 6 (audit_") && told.contains(": CREATED dept_"), "{told}");
}

#[tokio::test]
async fn a_head_that_the_chain_does_not_lead_to_fails() {
    let app = App::start().await;
    sealed(&app).await;
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| run(&app.database, folder.path(), arguments);
    let unknown = "0".repeat(64);
    let file = |text: &str| fs::write(folder.path().join("heads"), text).unwrap();
    assert!(failure(&run(&["verify", "--organization", "one", "--head", &unknown])).contains(&unknown));
    assert!(failure(&run(&["verify", "--head", &unknown])).contains("--organization"));
    assert!(failure(&run(&["verify", "--head", "nothing"])).contains("nothing"));
    assert!(failure(&run(&["verify", "--organization", "other"])).contains("other"));
    for (text, expected) in [
        (format!("one 8 {unknown}\n"), "one: one of the events 1 to 8 is gone"),
        (format!("one 9 {unknown}\n"), "one: one of the events 1 to 9 is gone"),
        (format!("gone 9 {unknown}\n"), "gone: no such organization"),
        ("one 8\n".to_owned(), "not a head"),
        (String::new(), "no head"),
    ] {
        file(&text);
        let told = failure(&run(&["verify", "--head", "heads"]));
        assert!(told.contains(expected), "{told}");
    }
}
