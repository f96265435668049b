//! The program where something is missing or taken when it starts: it says what, and makes nothing.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use entity::Permission;
use rapport::store::{Options, Store};
use serde_json::json;

use crate::{app::App, database::Database};

pub fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rapport"));
    command.args(arguments).env_clear().current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    program(folder, arguments).output().expect("the program can be started")
}

/// The one line that a run says which fails, without what only callers of the API are told.
#[track_caller]
pub fn refusal(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    let line = text.lines().find(|line| line.starts_with("rapport: ")).unwrap_or_else(|| panic!("{text}"));
    assert!(!line.contains("internal error") && !line.contains("is busy"), "{line}");
    line.to_owned()
}

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

const CREATE: [&str; 6] = ["organization", "create", "--name", "A", "--slug", "a"];
const TOKEN: [&str; 5] = ["token", "--organization", "a", "--scope", "admin"];
/// Commands that need a database that is there.
const NEED: [&[&str]; 10] = [
    &TOKEN,
    &["revoke", "--organization", "a", "--subject", "ada"],
    &["organization", "list"],
    &["organization", "suspend", "--slug", "a"],
    &["api-client", "list", "--organization", "a"],
    &["api-client", "create", "--organization", "a", "--name", "A", "--scope", "admin"],
    &["audit", "head"],
    &["audit", "verify"],
    &["backup", "copy.db"],
    &["erasure", "scrub"],
];

#[test]
fn commands_that_need_a_database_say_where_they_looked_and_make_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in NEED {
        let said = refusal(&run(folder.path(), arguments));
        let looked_at = folder.path().canonicalize().unwrap().join("rapport.db");
        assert!(said.contains(looked_at.to_str().unwrap()), "{said}");
        let elsewhere = [arguments, &["--database-url", "sqlite:my%20data.db?mode=rwc"]].concat();
        assert!(refusal(&run(folder.path(), &elsewhere)).contains("my data.db"));
    }
    assert_eq!(names(folder.path()), BTreeSet::new());
}

#[test]
fn processes_that_start_at_once_on_a_new_file_all_do_their_work() {
    for round in 0..6 {
        let folder = tempfile::tempdir().unwrap();
        let slugs: Vec<String> = (0..5).map(|number| format!("o-{round}-{number}")).collect();
        let start = |slug: &String| {
            program(folder.path(), &["organization", "create", "--name", "A", "--slug", slug]).spawn().unwrap()
        };
        let mut started: Vec<Child> = slugs.iter().map(start).collect();
        started.push(program(folder.path(), &["migrate"]).spawn().unwrap());
        for process in started {
            let output = process.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        let listed = String::from_utf8(run(folder.path(), &["organization", "list"]).stdout).unwrap();
        let listed: Vec<_> = listed.lines().map(|line| line.split('\t').next().unwrap()).collect();
        assert_eq!(listed, slugs);
        // The signing key too is made once.
        let tokens: Vec<Child> = slugs
            .iter()
            .map(|slug| program(folder.path(), &["token", "--organization", slug, "--scope", "admin"]).spawn().unwrap())
            .collect();
        let keys: BTreeSet<_> = tokens
            .into_iter()
            .map(|process| {
                let output = process.wait_with_output().unwrap();
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                String::from_utf8(output.stdout).unwrap().split('.').next().unwrap().to_owned()
            })
            .collect();
        assert_eq!(keys.len(), 1);
    }
}

#[test]
fn the_database_file_and_what_stands_beside_it_are_closed_to_others() {
    let folder = tempfile::tempdir().unwrap();
    assert!(run(folder.path(), &CREATE).status.success());
    for name in names(folder.path()) {
        let mode = fs::metadata(folder.path().join(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn an_address_in_use_is_told_by_its_flag_before_anything_is_made() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (command, flag, other) in [
        ("serve", "--listen", "--admin-listen"),
        ("serve", "--admin-listen", "--listen"),
        ("demo", "--listen", "--admin-listen"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let said = refusal(&run(folder.path(), &[command, flag, &address, other, "127.0.0.1:0"]));
        assert!(said.contains(&format!("{flag} {address} is in use")), "{said}");
        assert_eq!(names(folder.path()), BTreeSet::new());
    }
}

#[test]
fn a_postgresql_that_cannot_be_reached_is_told_as_it_is_by_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("postgres://ann:secret@127.0.0.1:{port}/rapport");
    fs::write(folder.path().join("key"), "").unwrap();
    let more = ["--database-url", &url, "--listen", "127.0.0.1:0"];
    let serving: [&[&str]; 3] = [&["migrate"], &["demo"], &CREATE];
    for arguments in NEED.iter().filter(|arguments| arguments[0] != "backup" && **arguments != TOKEN).chain(&serving) {
        let said = refusal(&run(folder.path(), &[arguments, &more[..]].concat()));
        assert_eq!(said, format!("rapport: cannot reach PostgreSQL at 127.0.0.1:{port}: refused"));
    }
    let unknown = ["organization", "list", "--database-url", "postgres://ann:secret@nobody.invalid/rapport"];
    let said = refusal(&run(folder.path(), &unknown));
    assert!(said.starts_with("rapport: cannot reach PostgreSQL at nobody.invalid:5432: "), "{said}");
}

#[test]
fn what_answers_in_place_of_postgresql_is_told() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in other.incoming() {
            let mut stream = stream.unwrap();
            drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
        }
    });
    let folder = tempfile::tempdir().unwrap();
    for mode in ["disable", "prefer"] {
        let url = format!("postgres://ann:secret@127.0.0.1:{port}/rapport?sslmode={mode}");
        let said = refusal(&run(folder.path(), &["migrate", "--database-url", &url]));
        assert!(said.contains(&format!("127.0.0.1:{port}")) && !said.contains("secret"), "{said}");
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_told_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let serve = |url: &str| {
        run(
            folder.path(),
            &["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--database-url", url],
        )
    };
    fs::write(folder.path().join("text.db"), "some notes of mine\n".repeat(1_000)).unwrap();
    fs::create_dir(folder.path().join("folder.db")).unwrap();
    for (url, said) in [
        ("sqlite://text.db", "no SQLite database"),
        ("sqlite://folder.db", "is a directory"),
        ("sqlite://none/rapport.db?mode=rwc", "the directory none does not exist"),
        ("sqlite://none.db", "mode=rwc"),
        ("sqlite://none.db?mode=rw", "mode=rwc"),
    ] {
        let told = refusal(&serve(url));
        assert!(told.contains(said), "{told}");
        assert!(refusal(&run(folder.path(), &["migrate", "--database-url", url])).contains(said));
    }
    assert!(fs::read(folder.path().join("text.db")).unwrap().starts_with(b"some notes"));

    assert!(run(folder.path(), &CREATE).status.success());
    let told = refusal(&serve("sqlite://rapport.db?mode=ro"));
    assert!(told.contains("mode=ro"), "{told}");
    assert!(
        run(folder.path(), &["organization", "list", "--database-url", "sqlite:rapport.db?mode=ro"]).status.success()
    );

    let locked = Database::lock_file(&folder.path().join("rapport.db")).await;
    let told = refusal(&run(folder.path(), &["organization", "create", "--name", "B", "--slug", "b"]));
    assert!(told.contains("another process has locked"), "{told}");
    drop(locked);
}

#[test]
fn a_disk_without_room_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let short = |arguments: &[&str], pages: &str| {
        program(folder.path(), arguments)
            .env("RAPPORT_TEST_FAULTS", "on")
            .env("RAPPORT_TEST_MOST_PAGES", pages)
            .output()
            .unwrap()
    };
    let told = refusal(&short(&["serve", "--listen", "127.0.0.1:0"], "20"));
    assert!(told.contains("is full"), "{told}");
    assert!(run(folder.path(), &CREATE).status.success());
}

/// As root nothing is read-only by its permissions: then another user runs the program.
#[test]
fn a_file_that_may_only_be_read_keeps_a_server_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    assert!(run(folder.path(), &CREATE).status.success());
    // Whole in itself, without what stands beside it.
    assert!(run(folder.path(), &["backup", "whole.db"]).status.success());
    for name in ["rapport.db", "rapport.db-wal", "rapport.db-shm"] {
        drop(fs::remove_file(folder.path().join(name)));
    }
    let only_read = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    only_read(&folder.path().join("whole.db"), 0o444);
    for folder_mode in [0o777, 0o555] {
        only_read(folder.path(), folder_mode);
        let url = format!("sqlite://{}", folder.path().join("whole.db").display());
        let copy = tempfile::tempdir().unwrap();
        let rapport = copy.path().join("rapport");
        fs::copy(env!("CARGO_BIN_EXE_rapport"), &rapport).unwrap();
        only_read(copy.path(), 0o777);
        let mut command = Command::new(&rapport);
        command.args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--database-url", &url]);
        command.env_clear().current_dir(copy.path());
        if rustix::process::geteuid().is_root() {
            command.uid(65_534).gid(65_534);
        }
        let told = refusal(&command.output().unwrap());
        assert!(told.contains("read") || told.contains("cannot be opened"), "{told}");
    }
    only_read(folder.path(), 0o777);
}

#[tokio::test]
async fn writes_to_a_file_that_is_only_read_are_unavailable_and_reads_go_on() {
    let mut app = App::start().await;
    if !app.database.is_sqlite() {
        return;
    }
    let organization = app.organization("one").await;
    let url = app.database.url.replace("mode=rwc", "mode=ro");
    app.store =
        Store::open(&Options { url, max_connections: 2, acquire_timeout: Options::COMMAND_TIMEOUT }).await.unwrap();
    let caller = app.caller(organization, Permission::ALL);
    let document = "mutation($input: DepartmentCreateInput!) { departmentCreate(input: $input) { outcome } }";
    let answer = caller.run(document, json!({ "input": { "name": "A" } })).await.body;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{answer}");
    let found = caller.ask("{ departments { totalCount } }").await;
    assert_eq!(found["departments"]["totalCount"], 1);
}

#[test]
fn a_page_that_may_not_call_is_told_of_once_with_the_flag_that_lets_it() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--log-format", "json"];
    let mut server = program(folder.path(), &arguments).spawn().unwrap();
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines().map(Result::unwrap);
    let listening = lines.by_ref().find(|line| line.contains("listening")).unwrap();
    let listening: serde_json::Value = serde_json::from_str(&listening).unwrap();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(listening["address"].as_str().unwrap()).unwrap();
        let asked = "OPTIONS /graphql HTTP/1.1\r\nhost: a\r\norigin: https://app.example\r\n\
                     access-control-request-method: POST\r\nconnection: close\r\n\r\n";
        stream.write_all(asked.as_bytes()).unwrap();
        std::io::copy(&mut stream, &mut std::io::sink()).unwrap();
    }
    let (mut requests, mut told) = (0, 0);
    while requests < 3 {
        let line = lines.next().unwrap();
        requests += usize::from(line.contains("\"request\""));
        told += usize::from(line.contains("--cors-origin"));
        assert!(!line.contains("app.example"), "{line}");
    }
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(told, 1);
}

#[test]
fn the_log_of_a_start_is_about_rapport_unless_details_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    for (log, is_long) in [("info", false), ("debug", true)] {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--log", log];
        let mut server = program(folder.path(), &arguments).spawn().unwrap();
        let lines = BufReader::new(server.stderr.take().unwrap()).lines().map(Result::unwrap);
        let mut said = Vec::new();
        for line in lines {
            let is_last = line.contains("listening");
            said.push(line);
            if is_last {
                break;
            }
        }
        server.kill().unwrap();
        server.wait().unwrap();
        let others = said.iter().filter(|line| !line.contains(" rapport::")).count();
        assert_eq!(others > 0, is_long, "{said:?}");
    }
}
