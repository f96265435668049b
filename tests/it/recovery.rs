//! Backup, restore and replay with the program itself: who was erased stays erased.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use rapport::store::ledger;
use serde_json::{Value, json};

use crate::{
    app::App,
    database::Database,
    residue::{contains, holders},
};

const NAME: &str = "CanÄryOfTheDrill";
/// What stands between the rows of a backup.
const LEFT: &str = "CanaryLeftBehind";

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rapport"));
    command.args(arguments).env_clear().current_dir(folder);
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().expect("the program can be started")
}

#[track_caller]
fn printed(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A server that logs all it can.
struct Server {
    process: Child,
    log: BufReader<std::process::ChildStderr>,
    logged: String,
    url: String,
    token: String,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let scope = "record:read record:write customers:read customers:write response:read";
        let token = printed(folder, &["token", "--organization", "acme", "--scope", scope]);
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--log", "trace", "--erasure-ledger", "erased.jsonl"];
        let mut process = command(folder, &arguments).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let mut logged = String::new();
        let address = loop {
            let start = logged.len();
            assert_ne!(log.read_line(&mut logged).unwrap(), 0, "{logged}");
            // The other listener is the one of health and metrics.
            if let Some((_, address)) = logged[start..].trim_end().split_once("listening address=") {
                break address.split(' ').next().unwrap().to_owned();
            }
        };
        let url = format!("http://{address}/graphql");
        Self { process, log, logged, url, token: token.trim().to_owned() }
    }

    async fn ask(&self, query: &str, variables: Value) -> Value {
        let request = reqwest::Client::new().post(&self.url).bearer_auth(&self.token);
        let reply = request.json(&json!({ "query": query, "variables": variables })).send().await.unwrap();
        let reply: Value = reply.json().await.unwrap();
        assert_eq!(reply.get("errors"), None, "{reply:#}");
        reply["data"].clone()
    }

    /// Kills it, and answers what it logged.
    fn kill(mut self) -> String {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.log.read_to_string(&mut self.logged).unwrap();
        self.logged
    }
}

const UPSERT: &str =
    "mutation($input: CustomerUpsertInput!) { customerUpsert(input: $input) { outcome errors { code } } }";
const ERASE: &str =
    "mutation($input: CustomerEraseInput!) { customerErase(input: $input) { outcome errors { code } } }";

fn person(id: &str, name: &str) -> Value {
    json!({ "input": { "externalId": { "system": "crm", "id": id }, "name": name, "idempotencyKey": name.to_lowercase().replace('ä', "a") } })
}

#[tokio::test]
async fn who_was_erased_is_not_back_after_an_older_backup_is_restored() {
    rustls_provider();
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    printed(folder, &["organization", "create", "--slug", "acme", "--name", "Acme"]);
    let server = Server::start(folder);
    for (id, name) in [("1", NAME), ("2", "Somebody")] {
        assert_eq!(server.ask(UPSERT, person(id, name)).await["customerUpsert"]["outcome"], "CREATED");
    }
    printed(folder, &["backup", "before.db"]);
    assert_eq!(fs::metadata(folder.join("before.db")).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(refused(folder, &["backup", "before.db"]).contains("before.db"), "nothing is overwritten");
    // As a program of another time left it, which deleted without overwriting.
    let deleted = "CREATE TABLE gone AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) \
                   SELECT 'CanaryLeftBehind' || hex(randomblob(1000)) AS x FROM n; DROP TABLE gone";
    Database::write(&folder.join("before.db"), deleted).await;
    assert_eq!(holders(folder, LEFT), ["before.db"]);
    let named = json!({ "input": { "customerRef": { "externalId": { "system": "crm", "id": "1" } } } });
    assert_eq!(server.ask(ERASE, named).await["customerErase"]["outcome"], "UPDATED");
    let entries = ledger::read(&folder.join("erased.jsonl")).unwrap();
    assert_eq!((entries.len(), entries[0].identifiers.len()), (1, 1));
    for text in [NAME.to_owned(), NAME.to_lowercase()] {
        assert_eq!(holders(folder, &text), ["before.db"], "the server is still at work");
    }
    printed(folder, &["backup", "after.db"]);
    assert!(!contains(&fs::read(folder.join("after.db")).unwrap(), NAME));

    let restore = ["restore", "before.db", "--replace", "--erasure-ledger", "erased.jsonl"];
    assert!(refused(folder, &restore).contains("in use"), "a server holds the file");
    let log = server.kill();
    assert!(!log.contains(NAME) && !log.contains(&NAME.to_lowercase()));
    for (arguments, told) in [
        (&["restore", "before.db", "--replace"][..], "--erasure-ledger"),
        (&["restore", "before.db", "--erasure-ledger", "erased.jsonl"], "--replace"),
        (&["restore", "before.db", "--replace", "--erasure-ledger", "other"], "other"),
        (&["restore", "rapport.key", "--replace", "--erasure-ledger", "erased.jsonl"], "rapport.key"),
    ] {
        assert!(refused(folder, arguments).contains(told), "{arguments:?}");
    }
    printed(folder, &restore);
    for text in [NAME.to_owned(), NAME.to_lowercase(), LEFT.to_owned()] {
        assert_eq!(holders(folder, &text), ["before.db"]);
    }
    let server = Server::start(folder);
    let data = server.ask("{ customers { nodes { name erasedAt } } }", json!({})).await;
    let nodes = data["customers"]["nodes"].as_array().unwrap();
    assert!(nodes[0]["name"].is_null() && nodes[0]["erasedAt"].is_string());
    assert_eq!(nodes[1], json!({ "name": "Somebody", "erasedAt": null }));
    let mut back = person("1", "Back");
    back["input"].as_object_mut().unwrap().remove("idempotencyKey");
    assert_eq!(server.ask(UPSERT, back).await["customerUpsert"]["errors"], json!([{ "code": "ERASED" }]));
    assert!(!server.kill().contains(NAME));
    printed(folder, &["restore", "before.db", "--replace", "--no-erasure-ledger"]);
    assert!(holders(folder, NAME).contains(&"rapport.db".to_owned()), "as was said, nobody is erased");
}

fn rustls_provider() {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
}

#[tokio::test]
async fn a_damaged_or_newer_backup_is_refused_and_the_database_stays() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    printed(folder, &["organization", "create", "--slug", "acme", "--name", "Acme"]);
    printed(folder, &["backup", "sound.db"]);
    let before = printed(folder, &["api-client", "list", "--organization", "acme"]);
    let mut bytes = fs::read(folder.join("sound.db")).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 8192].fill(0xff);
    fs::write(folder.join("damaged.db"), bytes).unwrap();
    fs::copy(folder.join("sound.db"), folder.join("newer.db")).unwrap();
    Database::write(&folder.join("newer.db"), "INSERT INTO seaql_migrations VALUES ('m9999_later', 0)").await;
    for (file, told) in [("damaged.db", "damaged.db"), ("newer.db", "m9999_later"), ("none.db", "none.db")] {
        let told_of = refused(folder, &["restore", file, "--replace", "--no-erasure-ledger"]);
        assert!(told_of.contains(told), "{told_of}");
        assert_eq!(printed(folder, &["api-client", "list", "--organization", "acme"]), before);
        assert!(!folder.join("rapport.db.restoring").exists());
    }
}

#[tokio::test]
async fn a_replay_erases_on_any_database_and_goes_on_where_it_was() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let made = caller.mutate("customerCreate", json!({ "name": NAME }), "node { id }").await;
    let words = json!({ "kind": "COMPLAINT", "body": NAME });
    let record = caller.mutate("feedbackRecordCreate", words, "node { id }").await;
    let id = |row: &Value| entity::id::decode(row["node"]["id"].as_str().unwrap()).unwrap().1;
    // The record came to name the person only after the backup: its id alone is known.
    let entry = ledger::Entry {
        id: entity::id::new(),
        organization: caller.organization().0,
        person: id(&made),
        erased_at: 0,
        salt: "salt".to_owned(),
        rows: [("FeedbackRecord".to_owned(), vec![id(&record)])].into(),
        identifiers: Vec::new(),
    };
    let other = ledger::Entry { id: entity::id::new(), organization: entity::id::new(), ..entry.clone() };
    let folder = tempfile::tempdir().unwrap();
    ledger::append(&folder.path().join("ledger"), &[entry, other]).unwrap();
    let replay = ["erasure", "replay", "--erasure-ledger", "ledger", "--database-url", &app.database.url];
    assert_eq!(printed(folder.path(), &replay), "1 of 2 erasures were new to this database\n");
    let data = caller.ask("{ customers { nodes { name erasedAt } } feedbackRecords { nodes { body kind } } }").await;
    assert_eq!(data["customers"]["nodes"][0], json!({ "name": null, "erasedAt": "1970-01-01T00:00:00Z" }));
    assert_eq!(data["feedbackRecords"]["nodes"][0], json!({ "body": null, "kind": "COMPLAINT" }));
    assert_eq!(printed(folder.path(), &replay), "0 of 2 erasures were new to this database\n");
    printed(folder.path(), &["erasure", "scrub", "--database-url", &app.database.url]);
}
