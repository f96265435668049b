//! Backup, restore and replay with the program itself: who was erased stays erased.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use chrono::TimeDelta;
use rapport::{
    clock,
    store::erasure::ledger::{self, Entry, Erasure, Part},
};
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
pub fn printed(folder: &Path, arguments: &[&str]) -> String {
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
    let named = json!({ "input": { "by": { "externalId": { "system": "crm", "id": "1" } } } });
    assert_eq!(server.ask(ERASE, named).await["customerErase"]["outcome"], "UPDATED");
    let entries = ledger::read(&folder.join("erased.jsonl"), false).unwrap();
    assert!(matches!(&entries[..], [Entry::Erasure(erasure)] if erasure.identifiers.len() == 1), "{entries:?}");
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
    let erasure = Erasure {
        id: entity::id::new(),
        organization: caller.organization().0,
        person: id(&made),
        erased_at: 0,
        salt: "salt".to_owned(),
        identifiers: Vec::new(),
    };
    let part = Part {
        id: entity::id::new(),
        organization: erasure.organization,
        erasure: erasure.id,
        rows: [("FeedbackRecord".to_owned(), vec![id(&record)])].into(),
        identifiers: Vec::new(),
    };
    let other = Erasure { id: entity::id::new(), organization: entity::id::new(), ..erasure.clone() };
    let folder = tempfile::tempdir().unwrap();
    let entries = [Entry::Erasure(erasure), Entry::Part(part), Entry::Erasure(other)];
    ledger::append(&folder.path().join("ledger"), &entries).unwrap();
    let replay = ["erasure", "replay", "--erasure-ledger", "ledger", "--database-url", &app.database.url];
    assert_eq!(printed(folder.path(), &replay), "1 of 2 erasures were new to this database\n");
    let data = caller.ask("{ customers { nodes { name erasedAt } } feedbackRecords { nodes { body kind } } }").await;
    assert_eq!(data["customers"]["nodes"][0], json!({ "name": null, "erasedAt": "1970-01-01T00:00:00Z" }));
    assert_eq!(data["feedbackRecords"]["nodes"][0], json!({ "body": null, "kind": "COMPLAINT" }));
    assert_eq!(printed(folder.path(), &replay), "0 of 2 erasures were new to this database\n");
    printed(folder.path(), &["erasure", "scrub", "--database-url", &app.database.url]);
    let listed =
        printed(folder.path(), &["erasure", "list", "--organization", "one", "--database-url", &app.database.url]);
    let person = made["node"]["id"].as_str().unwrap();
    assert!(listed.starts_with(&format!("{person}\t1970-01-01T00:00:00Z\t2 rows\tdone ")), "{listed}");
}

#[tokio::test]
async fn a_ledger_that_lacks_what_a_database_knows_or_was_tampered_with_is_refused() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let home = tempfile::tempdir().unwrap();
    let (folder, file) = (home.path(), home.path().join("ledger"));
    let store = app.store.clone().with_erasure_ledger(Some(file.clone()));
    store.complete_ledger(None).await.unwrap();
    let of_none = fs::read(&file).unwrap();
    for number in 0..2 {
        let made = caller.mutate("customerCreate", json!({ "name": NAME }), "node { id }").await;
        let words = json!({ "kind": "COMPLAINT", "body": NAME, "customerRef": { "id": made["node"]["id"] } });
        caller.mutate("feedbackRecordCreate", words, "node { id }").await;
        let erased = json!({ "by": { "id": made["node"]["id"] } });
        assert_eq!(caller.mutate("customerErase", erased, "outcome").await["outcome"], "UPDATED");
        // Ids tell when they were made. What was made before is not looked at again.
        let (before, after) = (clock::now() - TimeDelta::days(1), clock::now() + TimeDelta::days(1));
        assert_eq!(store.complete_ledger(Some(after)).await.unwrap(), 0);
        let since = (number == 0).then_some(before);
        assert_eq!(store.complete_ledger(since).await.unwrap(), 2, "erasure {number} and its part");
    }
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let replay = ["erasure", "replay", "--erasure-ledger", "ledger", "--database-url", &app.database.url];
    let joined = |lines: &[&str]| lines.join("\n") + "\n";
    let torn = text.clone() + "{\"line\":6";
    let table = [
        ("whole", text.clone(), None),
        ("empty", String::new(), Some("is empty")),
        ("without its end", joined(&lines[..3]), Some("after line 3 of 5")),
        ("in another order", joined(&[lines[0], lines[1], lines[3], lines[2], lines[4]]), Some("line 3")),
        ("edited", text.replacen("FeedbackRecord", "Routing", 1), Some("line 4")),
        ("of another time", String::from_utf8(of_none).unwrap(), Some("not in the erasure ledger")),
        ("cut off by a crash", torn.clone(), Some("--drop-torn-line")),
    ];
    for (what, text, told) in table {
        fs::write(&file, text).unwrap();
        match told {
            None => assert_eq!(printed(folder, &replay), "0 of 2 erasures were new to this database\n", "{what}"),
            Some(told) => {
                let refused = refused(folder, &replay);
                assert!(refused.contains(told), "{what}: {refused}");
            }
        }
    }
    printed(folder, &[&replay[..], &["--drop-torn-line"]].concat());
    fs::remove_file(&file).unwrap();
    assert!(refused(folder, &replay).contains("cannot be used"));
    if !app.database.is_sqlite() {
        return;
    }
    // The same for a restore, and the database there stays.
    let url = ["--database-url", app.database.url.as_str()];
    printed(folder, &[&["backup", "copy.db"][..], &url].concat());
    let restore = ["restore", "copy.db", "--erasure-ledger", "ledger", "--database-url", "sqlite://new.db?mode=rwc"];
    for (text, told) in
        [(joined(&lines[..3]), "after line 3 of 5"), (String::new(), "is empty"), (torn, "--drop-torn-line")]
    {
        fs::write(&file, text).unwrap();
        assert!(refused(folder, &restore).contains(told), "{told}");
        assert!(!folder.join("new.db").exists());
    }
    fs::write(&file, &text).unwrap();
    printed(folder, &restore);
}

#[tokio::test]
async fn a_command_writes_all_that_is_held_about_a_customer_and_says_at_the_end_that_it_is_all() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let key = json!({ "system": "crm", "id": "a:b" });
    let made = caller.mutate("customerUpsert", json!({ "externalId": key, "name": NAME }), "node { id }").await;
    let rows: Vec<Value> = (0..120)
        .map(|number| {
            json!({ "externalId": { "system": "desk", "id": number.to_string() }, "kind": "COMPLAINT", "body": NAME,
                "sentimentScore": 0.5, "tags": ["a"], "attributes": [{ "name": "n", "value": "v" }],
                "receivedAt": "2026-01-01T00:00:00Z", "customerRef": { "externalId": key } })
        })
        .collect();
    caller.mutate("feedbackRecordsBulkUpsert", json!({ "rows": rows }), "errors { code }").await;
    // Page by page, as the API shows them.
    let query = "query($by: CustomerRef!, $after: String) {
        customerExport(by: $by, first: 50, after: $after) { rowCount document hasNextPage endCursor } }";
    let (mut paged, mut after) = (Vec::new(), Value::Null);
    loop {
        let before = app.store.statements();
        let asked = json!({ "by": { "externalId": key }, "after": after });
        let page = caller.data(query, asked).await["customerExport"].take();
        // However many rows there are: some for each noun that has any, one for each way to one that has none.
        let most = u64::try_from(14 + entity::personal::paths().len()).unwrap();
        assert!(app.store.statements() - before <= most, "{}", app.store.statements() - before);
        let document: Value = serde_json::from_str(page["document"].as_str().unwrap()).unwrap();
        let held = document["held"].as_object().unwrap().clone();
        let rows: Vec<(String, Value)> = held
            .into_iter()
            .flat_map(|(name, rows)| rows.as_array().unwrap().clone().into_iter().map(move |row| (name.clone(), row)))
            .collect();
        assert!(page["rowCount"] == json!(rows.len()) && rows.len() <= 50);
        paged.extend(rows);
        after = page["endCursor"].clone();
        assert_eq!(page["hasNextPage"], json!(after.is_string()));
        if after.is_null() {
            break;
        }
    }
    assert_eq!(paged.len(), 241, "the customer, and each record with its routing");
    let record = &paged.iter().find(|(name, _)| name == "FeedbackRecord").unwrap().1;
    let shown = "{ feedbackRecords(first: 1) { nodes { id receivedAt sentimentScore tags attributes { name value }
        createdAt externalIds { system id } body customer { id } } } }";
    let mut shown = caller.ask(shown).await["feedbackRecords"]["nodes"][0].take();
    shown["customer"] = shown["customer"]["id"].take();
    for (field, value) in shown.as_object().unwrap() {
        assert_eq!(&record[field], value, "{field}, as the API shows it");
    }

    let folder = tempfile::tempdir().unwrap();
    let who: [&[&str]; 2] = [&["--external-id", "crm:a:b"], &["--id", made["node"]["id"].as_str().unwrap()]];
    for who in who {
        let command = ["customer", "export", "--organization", "one", "--database-url", &app.database.url];
        let printed = printed(folder.path(), &[&command[..], who].concat());
        let mut lines: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let end = lines.pop().unwrap();
        let counts = json!({ "Customer": 1, "FeedbackRecord": 120, "Routing": 120 });
        assert_eq!(end, json!({ "complete": true, "rowCount": 241, "rows": counts }));
        assert_eq!(lines.remove(0)["customer"], made["node"]["id"]);
        let lines: Vec<(String, Value)> =
            lines.into_iter().map(|line| (line["type"].as_str().unwrap().to_owned(), line["row"].clone())).collect();
        assert!(lines == paged, "the same rows in the same order");
    }
    let command = ["customer", "export", "--organization", "one", "--database-url", &app.database.url];
    assert!(refused(folder.path(), &[&command[..], &["--external-id", "crm:none"]].concat()).contains("crm:none"));
    printed(folder.path(), &[&command[..], who[0], &["--output", "all.ndjson"]].concat());
    assert!(
        refused(folder.path(), &[&command[..], who[0], &["--output", "all.ndjson"]].concat()).contains("all.ndjson")
    );
}
