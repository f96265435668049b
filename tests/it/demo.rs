//! `rapport demo` from outside: what it loads, keeps and leaves alone.

use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Read, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStderr, ChildStdout, Command, Stdio},
};

use serde_json::{Value, json};

use crate::{database::Database, example::counted};

/// A demo that runs, in a folder of its own.
struct Running {
    process: Child,
    folder: tempfile::TempDir,
    output: BufReader<ChildStdout>,
    log: BufReader<ChildStderr>,
}

/// A demo that serves.
struct Serving {
    running: Running,
    address: String,
    token: String,
}

fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rapport"));
    command.args(arguments).env_clear().current_dir(folder);
    command
}

impl Running {
    /// Starts a demo. The system chooses its ports.
    fn start(folder: tempfile::TempDir, database: &str) -> Self {
        let arguments = ["demo", "--database-url", database, "--listen", "127.0.0.1:0", "--log", "rapport::demo=debug"];
        let mut process = program(folder.path(), &arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program can be started");
        let output = BufReader::new(process.stdout.take().unwrap());
        let log = BufReader::new(process.stderr.take().unwrap());
        Self { process, folder, output, log }
    }

    /// Waits until it is served.
    fn ready(mut self) -> Serving {
        let (mut address, mut token) = (String::new(), String::new());
        self.output.read_line(&mut address).unwrap();
        self.output.read_line(&mut token).unwrap();
        let Some(address) = address.trim_end().strip_prefix("Rapport is at http://") else {
            let mut log = String::new();
            self.log.read_to_string(&mut log).unwrap();
            panic!("it does not serve: {log}");
        };
        let address = address.trim_end_matches('/').to_owned();
        let token = token.trim_end().strip_prefix("Token, for 12 hours: ").unwrap().to_owned();
        Serving { running: self, address, token }
    }

    /// Waits until it logs a line with `text`.
    fn wait_for(&mut self, text: &str) {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert!(self.log.read_line(&mut line).unwrap() > 0, "it ended before it logged {text}");
        }
    }

    fn kill(mut self) -> tempfile::TempDir {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Serving {
    fn ask(&self, token: &str, document: &str) -> Value {
        let body = json!({ "query": document }).to_string();
        let mut request = String::from("POST /graphql HTTP/1.0\r\ncontent-type: application/json\r\n");
        write!(request, "authorization: Bearer {token}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut connection = TcpStream::connect(&self.address).unwrap();
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let mut answer: Value = serde_json::from_str(body).unwrap();
        assert_eq!(answer.get("errors"), None, "{answer:#}");
        answer["data"].take()
    }

    fn own(&self, document: &str) -> Value {
        self.ask(&self.token, document)
    }

    /// Asks it to end and waits until it has.
    fn stop(mut self) -> tempfile::TempDir {
        let id = self.running.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.running.process.wait().unwrap().success());
        self.running.kill()
    }
}

const TOTALS: &str = "{
    departments { totalCount } mediums { totalCount } influencers { totalCount } interactionPoints { totalCount }
    journeys { totalCount } steps { totalCount } expectations { totalCount } routingRules { totalCount } feedbackRecords { totalCount }
    told: interactions(filter: { feedbackRecords: { some: {} } }) { totalCount }
    cases(filter: { externalIds: { some: { system: { eq: \"cfpb-row\" } } } }) { totalCount }
    closed: cases(filter: { stage: { eq: CLOSED }, externalIds: { some: { system: { eq: \"cfpb-row\" } } } }) { totalCount }
    today: cases(filter: { externalIds: { some: { system: { eq: \"consumer-desk\" } } } }) { totalCount }
    ranked: expectations(filter: { rank: { isNull: false } }) { totalCount }
    feedbackRecordGroups(groupBy: [PRODUCT], orderBy: COUNT) { nodes { product count } }
}";

/// What [`TOTALS`] is answered when everything is there.
fn whole() -> Value {
    let products = counted()["products"].as_object().unwrap().clone();
    let mut groups: Vec<_> =
        products.iter().map(|(product, count)| json!({ "product": product, "count": count })).collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group["count"].as_u64()));
    let total = |count: usize| json!({ "totalCount": count });
    json!({
        "departments": total(12), "mediums": total(10), "influencers": total(12), "interactionPoints": total(86),
        "expectations": total(66), "routingRules": total(12), "feedbackRecords": total(3_186), "ranked": total(55),
        "told": total(3_186), "cases": total(3_186), "closed": total(2_562), "today": total(13), "journeys": total(1), "steps": total(8),
        "feedbackRecordGroups": { "nodes": groups },
    })
}

#[tokio::test]
async fn one_setting_chooses_the_database_and_a_second_start_keeps_what_users_changed() {
    let database = Database::make().await;
    let demo = Running::start(tempfile::tempdir().unwrap(), &database.url).ready();
    assert_eq!(demo.own(TOTALS), whole());

    let ids = demo.own(
        r#"{
            gone: feedbackRecord(by: { externalId: { system: "cfpb-row", id: "7" } }) { id }
            other: department(by: { externalId: { system: "cfpb", id: "Mortgage" } }) { id }
        }"#,
    );
    let (gone, other) = (&ids["gone"]["id"], &ids["other"]["id"]);
    let done = demo.own(&format!(
        r#"mutation {{
            loose: caseUpdate(input: {{
                by: {{ externalId: {{ system: "cfpb-row", id: "7" }} }}, feedbackRecords: []
            }}) {{ outcome }}
            gone: feedbackRecordDelete(input: {{ by: {{id: {gone}}} }}) {{ outcome }}
            new: feedbackRecordCreate(input: {{ kind: PRAISE }}) {{ outcome }}
            other: departmentUpdate(input: {{ by: {{id: {other}}}, name: "Homes" }}) {{ outcome }}
        }}"#
    ));
    let outcomes = json!({
        "loose": { "outcome": "UPDATED" }, "gone": { "outcome": "DELETED" }, "new": { "outcome": "CREATED" }, "other": { "outcome": "UPDATED" },
    });
    assert_eq!(done, outcomes);
    let state = r#"{
        feedbackRecords { totalCount }
        gone: feedbackRecord(by: { externalId: { system: "cfpb-row", id: "7" } }) { id }
        praise: feedbackRecords(filter: { kind: { eq: PRAISE } }) { nodes { id version } }
        department(by: { externalId: { system: "cfpb", id: "Mortgage" } }) { name version }
        organization { version weekStart }
    }"#;
    let changed = demo.own(state);
    assert_eq!((&changed["feedbackRecords"]["totalCount"], &changed["gone"]), (&json!(3_186), &json!(null)));
    assert_eq!(changed["department"], json!({ "name": "Homes", "version": 2 }));

    let folder = demo.stop();
    let demo = Running::start(folder, &database.url).ready();
    assert_eq!(demo.own(state), changed);
}

#[tokio::test]
async fn a_demo_killed_while_it_loads_is_completed_by_the_next_start() {
    let database = Database::make().await;
    let mut demo = Running::start(tempfile::tempdir().unwrap(), &database.url);
    demo.wait_for("records");
    let folder = demo.kill();
    let loaded = database.look("SELECT CAST(COUNT(*) AS TEXT) FROM feedback_record".to_owned()).await;
    let loaded: u64 = loaded[0][0].as_ref().unwrap().parse().unwrap();
    assert!((1..3_186).contains(&loaded), "{loaded}");
    let demo = Running::start(folder, &database.url).ready();
    assert_eq!(demo.own(TOTALS), whole());
}

/// What the demo says last is all that is needed to go on.
#[tokio::test]
async fn what_the_demo_prints_leads_to_another_token_and_another_organization_does_not_stop_it() {
    let database = Database::make().await;
    if !database.is_sqlite() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let url = "sqlite://rapport-demo.db?mode=rwc";
    let mut demo = Running::start(folder, url).ready();
    let mut lines = demo.running.output.by_ref().lines().map(Result::unwrap);
    let (organization, another) = (lines.next().unwrap(), lines.next().unwrap());
    drop(lines);
    assert_eq!(organization, "Organization: consumer-desk");
    let another = another.strip_prefix("Another token: ").unwrap().to_owned();
    let shell = |command: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).env_clear().current_dir(demo.running.folder.path());
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        output
    };
    let token = String::from_utf8(shell(&another).stdout).unwrap();
    let data = demo.ask(token.trim_end(), "{ feedbackRecords { totalCount } }");
    assert_eq!(data, json!({ "feedbackRecords": { "totalCount": 3_186 } }));

    // The same without the address: there is no other file, which is said.
    let (short, _) = another.split_once(" --database-url").unwrap();
    let output = shell(short);
    let note = String::from_utf8(output.stderr).unwrap();
    assert!(note.contains("rapport-demo.db") && note.lines().count() == 1, "{note}");
    demo.ask(String::from_utf8(output.stdout).unwrap().trim_end(), "{ feedbackRecords { totalCount } }");

    let program = env!("CARGO_BIN_EXE_rapport");
    shell(&format!("{program} organization create --slug acme --name Acme --database-url '{url}'"));
    let folder = demo.stop();
    assert_eq!(Running::start(folder, url).ready().own(TOTALS), whole());
}

/// The rows of a call in the demo's own file.
fn today(field: &str) -> Vec<Value> {
    let calls: Vec<Value> = serde_json::from_str(include_str!("../../src/demo/today.json")).unwrap();
    let mut call = calls.into_iter().find(|call| call["field"] == field).unwrap();
    serde_json::from_value(call["rows"].take()).unwrap()
}

#[tokio::test]
async fn whoever_starts_the_demo_finds_work_that_is_owned_promised_and_under_way() {
    let database = Database::make().await;
    let demo = Running::start(tempfile::tempdir().unwrap(), &database.url).ready();
    let found = demo.own(
        r#"{
            viewer { subject }
            members { nodes { subject departments { totalCount } cases(filter: { stage: { neq: CLOSED } }) { totalCount } } }
            cases(filter: { externalIds: { some: { system: { eq: "consumer-desk" } } } }, orderBy: [{ field: ID }]) {
                nodes {
                    externalIds { id } stage priority dueAt customer { name } assignee { subject } toldWhat toldMedium { name }
                    department { name } deadlines { nodes { policyName } }
                }
            }
        }"#,
    );
    let rows = today("casesBulkUpsert");
    let nodes = found["cases"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), rows.len());
    for (node, row) in nodes.iter().zip(&rows) {
        assert_eq!(node["externalIds"][0]["id"], row["externalId"]["id"]);
        assert_eq!((&node["stage"], &node["priority"]), (&row["stage"], &row["priority"]));
        assert!(node["customer"]["name"].is_string() && node["department"]["name"].is_string(), "{node}");
        let is_closed = row["stage"] == "CLOSED";
        assert_eq!(node["dueAt"].is_null(), is_closed, "{node}");
        assert_eq!(node["toldMedium"]["name"] == "Phone" && node["toldWhat"].is_string(), is_closed, "{node}");
        let policy = match row["priority"].as_str().unwrap() {
            "URGENT" => "Urgent cases",
            "HIGH" => "Pressing cases",
            _ => "All other cases",
        };
        let deadlines = node["deadlines"]["nodes"].as_array().unwrap();
        assert_eq!(deadlines.is_empty(), is_closed, "{node}");
        assert!(deadlines.iter().all(|deadline| deadline["policyName"] == policy), "{node}");
    }
    let members = found["members"]["nodes"].as_array().unwrap();
    let people = today("membersBulkUpsert");
    assert_eq!(members.len(), people.len());
    for person in &people {
        let owned = |row: &&Value| row["assigneeRef"]["externalId"] == person["externalId"] && row["stage"] != "CLOSED";
        let member = members.iter().find(|member| member["subject"] == person["subject"]).unwrap();
        assert_eq!(member["cases"]["totalCount"], rows.iter().filter(owned).count());
        assert_eq!(member["departments"]["totalCount"], person["departments"].as_array().unwrap().len());
    }
    assert!(people.iter().any(|person| person["subject"] == found["viewer"]["subject"]), "nobody is the caller");
}

#[tokio::test]
async fn a_token_can_be_had_beside_a_running_demo() {
    let database = Database::make().await;
    let demo = Running::start(tempfile::tempdir().unwrap(), &database.url).ready();
    let mut arguments = vec!["token", "--organization", "consumer-desk", "--scope", "record:read"];
    arguments.extend(["--database-url", &database.url]);
    if !database.is_sqlite() {
        arguments.extend(["--signing-key", "rapport-demo.key"]);
    }
    let output = program(demo.running.folder.path(), &arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let token = String::from_utf8(output.stdout).unwrap();
    let data = demo.ask(token.trim_end(), "{ feedbackRecords { totalCount } }");
    assert_eq!(data, json!({ "feedbackRecords": { "totalCount": 3_186 } }));
}

/// Whether a demo on this database ends at once with a sentence.
fn is_refused(database: &Database) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["demo", "--database-url", &database.url, "--listen", "127.0.0.1:0", "--log", "off"];
    let output = program(folder.path(), &arguments).output().unwrap();
    let sentence = String::from_utf8(output.stderr).unwrap();
    output.status.code() == Some(1)
        && output.stdout.is_empty()
        && sentence.starts_with("rapport: the database contains other data")
        && sentence.lines().count() == 1
}

#[tokio::test]
async fn a_database_with_another_organization_is_left_alone() {
    let app = crate::app::App::start().await;
    app.organization("acme").await;
    assert!(is_refused(&app.database));
    app.organization("consumer-desk").await;
    assert!(is_refused(&app.database));
    let organizations =
        app.database.look("SELECT slug, CAST(version AS TEXT) FROM organization ORDER BY slug".to_owned());
    assert_eq!(
        organizations.await,
        [["acme", "1"], ["consumer-desk", "1"]].map(|row| row.map(|text| Some(text.to_owned())).to_vec())
    );
    let records = app.database.look("SELECT CAST(COUNT(*) AS TEXT) FROM feedback_record".to_owned()).await;
    assert_eq!(records, [[Some("0".to_owned())]]);
}

#[tokio::test]
async fn a_database_of_another_program_is_left_alone() {
    let database = Database::make().await;
    database.look("ALTER TABLE organization RENAME TO orchestra".to_owned()).await;
    assert!(is_refused(&database));
}
