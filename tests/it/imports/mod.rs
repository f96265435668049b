//! Imports: files become rows, line by line, once, and each line says what became of it.

mod command;
mod refused;

use entity::Permission;
use rapport::{Error, clock, schema, store::operation::document_runner::DocumentRunner};
use serde_json::{Value, json};

use crate::server::{Answer, Door};

const WHOLE: &str = "id state format rowType lineCount createdCount updatedCount unchangedCount failedCount fileColumns \
                     failure isDryRun subject uploadedAt endedAt";

/// Columns of a file of customers with the header `No,Name,Tags`.
fn customers() -> Value {
    json!([
        { "field": "externalId.system", "value": "crm" },
        { "field": "externalId.id", "column": "No" },
        { "field": "name", "column": "Name" },
        { "field": "tags", "column": "Tags", "separator": "|" },
    ])
}

/// Creates an import of customers with these inputs besides. Returns its id.
async fn create(door: &Door, more: Value) -> String {
    let mut input = json!({ "rowType": "CUSTOMER", "format": "CSV", "columns": customers() });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made =
        door.mutate(&door.token(Permission::ALL), "importCreate", input, "node { id } errors { code path }").await;
    assert_eq!(made["errors"], json!([]), "{made:#}");
    made["node"]["id"].as_str().unwrap().to_owned()
}

async fn send(door: &Door, id: &str, file: impl Into<Vec<u8>>) -> Answer {
    let sent = door.post(&format!("/imports/{id}/file")).bearer_auth(door.token(Permission::ALL)).body(file.into());
    Answer::of(sent.send().await.unwrap()).await
}

/// Sends a file and writes its rows. Returns the import.
async fn run(door: &Door, id: &str, file: impl Into<Vec<u8>>) -> Value {
    let sent = send(door, id, file).await;
    assert_eq!(sent.status, 202, "{sent:?}");
    door.app.run_jobs(clock::now()).await;
    shown(door, id).await
}

async fn ask(door: &Door, document: &str, variables: Value) -> Value {
    door.app.caller(door.acme, Permission::ALL).data(document, variables).await
}

async fn shown(door: &Door, id: &str) -> Value {
    let document = format!("query($id: ID!) {{ import(by: {{ id: $id }}) {{ {WHOLE} }} }}");
    ask(door, &document, json!({ "id": id })).await["import"].take()
}

/// The lines of an import: number, outcome, paths of the errors, content.
async fn lines(door: &Door, id: &str) -> Value {
    let document =
        "query($id: ID!) { import(by: { id: $id }) { lines(first: 1000, orderBy: [{field: LINE_NUMBER}]) { nodes {
        lineNumber outcome writtenId errors content } } } }";
    let mut found = ask(door, document, json!({ "id": id })).await;
    let lines = found["import"]["lines"]["nodes"].take();
    let line = |line: &Value| {
        let paths: Option<Vec<Value>> =
            line["errors"].as_array().map(|errors| errors.iter().map(|error| error["path"].clone()).collect());
        json!([line["lineNumber"], line["outcome"], paths, line["content"]])
    };
    lines.as_array().unwrap().iter().map(line).collect()
}

/// Names of the customers, with their tags.
async fn names(door: &Door) -> Value {
    let found =
        ask(door, "{ customers(first: 1000, orderBy: [{field: NAME}]) { nodes { name tags } } }", json!({})).await;
    let nodes = found["customers"]["nodes"].as_array().unwrap().clone();
    nodes.into_iter().map(|node| json!([node["name"], node["tags"]])).collect()
}

fn counts(import: &Value) -> [i64; 5] {
    ["lineCount", "createdCount", "updatedCount", "unchangedCount", "failedCount"]
        .map(|name| import[name].as_i64().unwrap())
}

/// So many lines.
fn text(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect::<Vec<_>>().concat()
}

const FILE: &str = "No,Name,Tags,Unused\r\n1,Ada,a|b,x\r\n2,\"Bob, \"\"B\"\"\",,\r\n";

#[actix_web::test]
async fn the_lines_of_a_file_become_rows_and_the_same_file_again_changes_nothing() {
    let door = Door::open(Vec::new()).await;
    let id = create(&door, json!({})).await;
    assert_eq!(shown(&door, &id).await["state"], "WAITING");
    let sent = send(&door, &id, FILE).await;
    assert_eq!((sent.status, &sent.body), (202, &json!({ "id": id, "lineCount": 2 })));
    assert_eq!(shown(&door, &id).await["state"], "RUNNING");
    door.app.run_jobs(clock::now()).await;

    let import = shown(&door, &id).await;
    assert_eq!((&import["state"], counts(&import)), (&json!("COMPLETED"), [2, 2, 0, 0, 0]), "{import:#}");
    assert_eq!(import["fileColumns"], json!(["No", "Name", "Tags", "Unused"]));
    assert!(import["endedAt"].is_string() && import["uploadedAt"].is_string() && import["subject"] == "ada");
    assert_eq!(names(&door).await, json!([["Ada", ["a", "b"]], ["Bob, \"B\"", []]]));
    assert_eq!(lines(&door, &id).await, json!([[2, "CREATED", null, null], [3, "CREATED", null, null]]));

    let again = create(&door, json!({})).await;
    assert_eq!(counts(&run(&door, &again, FILE).await), [2, 0, 0, 2, 0]);
    let third = create(&door, json!({})).await;
    assert_eq!(counts(&run(&door, &third, FILE.replace("Ada", "Eve")).await), [2, 0, 1, 1, 0]);
    assert_eq!(door.app.store.tenant_violations(), 0);
}

#[actix_web::test]
async fn a_line_that_fails_says_why_keeps_its_content_and_stops_no_other() {
    let door = Door::open(Vec::new()).await;
    let columns = json!([
        { "field": "externalId.system", "value": "crm" },
        { "field": "externalId.id", "column": "No" },
        { "field": "name", "column": "Name" },
        { "field": "accountRef.externalId.system", "value": "crm" },
        { "field": "accountRef.externalId.id", "column": "Account" },
    ]);
    let id = create(&door, json!({ "columns": columns })).await;
    let file = "No,Name,Account\n1,Ada,\n,Nobody,\n2,Bob,missing\n3,Cem\n4,Dan,\n";
    let import = run(&door, &id, file).await;
    assert_eq!((&import["state"], counts(&import)), (&json!("COMPLETED"), [5, 2, 0, 0, 3]), "{import:#}");
    let expected = json!([
        [2, "CREATED", null, null],
        [3, "FAILED", [["externalId"]], { "No": "", "Name": "Nobody", "Account": "" }],
        [4, "FAILED", [["accountRef"]], { "No": "2", "Name": "Bob", "Account": "missing" }],
        [5, "FAILED", [[]], { "No": "3", "Name": "Cem" }],
        [6, "CREATED", null, null],
    ]);
    let mut found = lines(&door, &id).await;
    for line in found.as_array_mut().unwrap() {
        if let Value::String(content) = line[3].take() {
            line[3] = serde_json::from_str(&content).unwrap();
        }
    }
    assert_eq!(found, expected);
}

#[actix_web::test]
async fn a_dry_run_tells_what_would_become_of_each_line_and_writes_nothing() {
    let door = Door::open(Vec::new()).await;
    let first = create(&door, json!({})).await;
    run(&door, &first, FILE).await;
    let before = ask(&door, "{ changes { headSequence } }", json!({})).await;
    let id = create(&door, json!({ "isDryRun": true })).await;
    let import = run(&door, &id, "No,Name,Tags\n1,Eve,a|b\n2,\"Bob, \"\"B\"\"\",\n3,New,\n,None,\n").await;
    assert_eq!((&import["state"], counts(&import)), (&json!("COMPLETED"), [4, 1, 1, 1, 1]), "{import:#}");
    assert_eq!(names(&door).await, json!([["Ada", ["a", "b"]], ["Bob, \"B\"", []]]));
    let changes = "query($after: Sequence) { changes(afterSequence: $after) { nodes { rowType } } }";
    let after = json!({ "after": before["changes"]["headSequence"] });
    let nodes = ask(&door, changes, after).await["changes"]["nodes"].take();
    assert!(nodes.as_array().unwrap().iter().all(|node| node["rowType"] == "Import"), "{nodes}");
}

#[actix_web::test]
async fn lines_of_json_are_rows_as_the_bulk_upsert_takes_them() {
    let door = Door::open(Vec::new()).await;
    let id = create(&door, json!({ "format": "NDJSON", "columns": [] })).await;
    let file = "{\"externalId\":{\"system\":\"crm\",\"id\":\"1\"},\"name\":\"Ada\",\"tags\":[\"x\"]}\n\nnot json\n[1]\n\
                {\"externalId\":{\"system\":\"crm\",\"id\":\"2\"},\"nam\":\"Bob\"}";
    let import = run(&door, &id, file).await;
    assert_eq!((&import["state"], counts(&import)), (&json!("COMPLETED"), [4, 1, 0, 0, 3]), "{import:#}");
    let found = lines(&door, &id).await;
    let outcomes: Value = found.as_array().unwrap().iter().map(|line| json!([line[0], line[1]])).collect();
    assert_eq!(outcomes, json!([[1, "CREATED"], [3, "FAILED"], [4, "FAILED"], [5, "FAILED"]]));
    // With columns, the keys of a line are what the header of a CSV file is.
    let id = create(&door, json!({ "format": "NDJSON" })).await;
    let import = run(&door, &id, "{\"No\":7,\"Name\":\"Eve\",\"Tags\":[\"a\"]}\n").await;
    assert_eq!(counts(&import), [1, 1, 0, 0, 0], "{:#}", lines(&door, &id).await);
    assert_eq!(names(&door).await, json!([["Ada", ["x"]], ["Eve", ["a"]]]));
}

#[actix_web::test]
async fn files_of_spreadsheets_are_read_in_their_encodings() {
    let door = Door::open(Vec::new()).await;
    let windows = [&b"No;Name;Tags\r\n1;M\xFCnchen \x80;\r\n"[..]].concat();
    let id = create(&door, json!({ "encoding": "WINDOWS_1252", "delimiter": ";" })).await;
    assert_eq!(counts(&run(&door, &id, windows.clone()).await), [1, 1, 0, 0, 0]);
    let utf16: Vec<u8> = "\u{FEFF}No\tName\tTags\r\n2\tŁódź\t\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let id = create(&door, json!({ "delimiter": "\t" })).await;
    assert_eq!(counts(&run(&door, &id, utf16).await), [1, 1, 0, 0, 0]);
    let id = create(&door, json!({})).await;
    assert_eq!(counts(&run(&door, &id, "\u{FEFF}No,Name,Tags\n3,Zürich,\n").await), [1, 1, 0, 0, 0]);
    assert_eq!(names(&door).await, json!([["München €", []], ["Zürich", []], ["Łódź", []]]));

    let id = create(&door, json!({ "delimiter": ";" })).await;
    let refused = send(&door, &id, windows.clone()).await;
    assert_eq!(refused.refused(), (400, "BAD_USER_INPUT"));
    assert!(refused.body["errors"][0]["message"].as_str().unwrap().starts_with("line 2 is not of this encoding"));
    // Nothing has begun: the file can be sent again.
    assert_eq!(counts(&run(&door, &id, "No;Name;Tags\n4;Köln;\n").await), [1, 1, 0, 0, 0]);
}

#[actix_web::test]
async fn a_server_that_ends_after_writing_rows_is_replaced_and_no_line_is_written_twice() {
    let mut door = Door::open(Vec::new()).await;
    let id = create(&door, json!({ "mode": "CREATE_ONLY" })).await;
    let rows = text(1_200, |row| format!("{row},N{row},\n"));
    assert_eq!(send(&door, &id, format!("No,Name,Tags\n{rows}")).await.status, 202);
    let whole = door.app.store.clone();
    // It writes the rows and ends before it can record that.
    door.app.store = whole.clone().with_document_runner(DocumentRunner::new(|scope, text, variables| {
        Box::pin(async move {
            schema::document_runner().run(scope, text, variables).await?;
            Err(Error::Unavailable)
        })
    }));
    door.app.run_jobs(clock::now()).await;
    let import = shown(&door, &id).await;
    assert_eq!((&import["state"], counts(&import)), (&json!("RUNNING"), [1_200, 0, 0, 0, 0]));
    let count = async |door: &Door| {
        ask(door, "{ customers { totalCount } }", json!({})).await["customers"]["totalCount"].take()
    };
    assert_eq!(count(&door).await, 500);

    door.app.store = whole;
    door.app.run_jobs(clock::now() + chrono::TimeDelta::minutes(10)).await;
    let import = shown(&door, &id).await;
    assert_eq!((&import["state"], counts(&import)), (&json!("COMPLETED"), [1_200, 1_200, 0, 0, 0]), "{import:#}");
    assert_eq!(count(&door).await, 1_200);
}

#[actix_web::test]
async fn an_import_ends_early_when_it_is_cancelled_or_too_much_fails() {
    let door = Door::open(Vec::new()).await;
    let rows = text(600, |row| format!("{},N{row},\n", if row % 2 == 0 { "" } else { "x" }));
    let id = create(&door, json!({ "maxFailures": 100 })).await;
    let import = run(&door, &id, format!("No,Name,Tags\n{rows}")).await;
    assert_eq!(
        (&import["state"], import["failedCount"].as_i64().unwrap() >= 100),
        (&json!("FAILED"), true),
        "{import:#}"
    );
    assert!(import["failure"].is_string() && import["endedAt"].is_string());
    let document = "query($id: ID!) { import(by: { id: $id }) { lines(filter: { outcome: { eq: UNPROCESSED } }) { totalCount } } }";
    let open = ask(&door, document, json!({ "id": id })).await["import"]["lines"]["totalCount"].take();
    assert_eq!(open, 100);

    let id = create(&door, json!({})).await;
    assert_eq!(send(&door, &id, FILE).await.status, 202);
    let token = door.token(Permission::ALL);
    let cancel = async || {
        door.mutate(&token, "importCancel", json!({ "by": { "id": id } }), "node { state } errors { code path }").await
    };
    assert_eq!(cancel().await, json!({ "node": { "state": "CANCELLED" }, "errors": [] }));
    assert_eq!(cancel().await["errors"], json!([{ "code": "INVALID", "path": ["by"] }]));
    door.app.run_jobs(clock::now()).await;
    let import = shown(&door, &id).await;
    assert_eq!((&import["state"], counts(&import)), (&json!("CANCELLED"), [2, 0, 0, 0, 0]));
    assert_eq!(lines(&door, &id).await[0][1], "UNPROCESSED");
    let document = "{ jobs { nodes { kind } } }";
    let jobs = ask(&door, document, json!({})).await;
    assert!(!jobs.to_string().contains("\"IMPORT\""), "{jobs}");
}

#[actix_web::test]
async fn lines_are_removed_after_seven_days() {
    let door = Door::open(Vec::new()).await;
    let id = create(&door, json!({})).await;
    run(&door, &id, FILE).await;
    door.app.run_jobs(clock::now() + chrono::TimeDelta::days(6)).await;
    assert_eq!(lines(&door, &id).await.as_array().unwrap().len(), 2);
    door.app.run_jobs(clock::now() + chrono::TimeDelta::days(9)).await;
    assert_eq!(lines(&door, &id).await, json!([]));
    assert_eq!(counts(&shown(&door, &id).await), [2, 2, 0, 0, 0]);
}
