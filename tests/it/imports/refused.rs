//! What imports refuse, and whom.

use rapport::auth::Actor;
use secrecy::ExposeSecret;

use super::*;

/// Errors of `importCreate` for a caller with these scopes.
async fn errors(door: &Door, permissions: &[Permission], input: Value) -> Value {
    let token = door.token(permissions.iter().copied());
    door.mutate(&token, "importCreate", input, "errors { code path }").await["errors"].take()
}

#[actix_web::test]
async fn columns_are_checked_when_the_import_is_created() {
    let door = Door::open(Vec::new()).await;
    let with = |column: Value| {
        let mut columns = customers();
        columns.as_array_mut().unwrap().push(column);
        json!({ "rowType": "CUSTOMER", "format": "CSV", "columns": columns })
    };
    for (column, place, code) in [
        (json!({ "field": "nam", "column": "N" }), json!(["columns", "4", "field"]), "INVALID"),
        (json!({ "field": "name", "column": "N" }), json!(["columns", "4", "field"]), "INVALID"),
        (json!({ "field": "email" }), json!(["columns", "4", "column"]), "INVALID"),
        (json!({ "field": "email", "column": "N", "separator": ";" }), json!(["columns", "4", "separator"]), "INVALID"),
        (json!({ "field": "x".repeat(321), "column": "N" }), json!(["columns", "4", "field"]), "TOO_LONG"),
    ] {
        assert_eq!(errors(&door, &Permission::ALL, with(column)).await, json!([{ "code": code, "path": place }]));
    }
    let unnamed = json!({ "rowType": "CUSTOMER", "format": "CSV", "columns": [{ "field": "name", "column": "N" }] });
    assert_eq!(errors(&door, &Permission::ALL, unnamed).await, json!([{ "code": "REQUIRED", "path": ["columns"] }]));
    let delimiter = json!({ "rowType": "CUSTOMER", "format": "CSV", "delimiter": "x" });
    assert_eq!(errors(&door, &Permission::ALL, delimiter).await, json!([{ "code": "INVALID", "path": ["delimiter"] }]));
}

#[actix_web::test]
async fn rows_are_written_with_the_scopes_of_whoever_created_the_import() {
    let door = Door::open(Vec::new()).await;
    let input = json!({ "rowType": "CUSTOMER", "format": "CSV" });
    let refused = errors(&door, &[Permission::ExchangeWrite, Permission::RecordWrite], input.clone()).await;
    assert_eq!(refused, json!([{ "code": "INVALID", "path": ["rowType"] }]));
    // Who may write customers, and read nothing, can import them.
    let token = door.token([Permission::ExchangeWrite, Permission::CustomersWrite]);
    let made = door.mutate(&token, "importCreate", input, "outcome errors { code }").await;
    assert_eq!(made, json!({ "outcome": "CREATED", "errors": [] }));
    let mut found = ask(&door, "{ imports { nodes { id scopes } } }", json!({})).await;
    let import = found["imports"]["nodes"][0].take();
    assert_eq!(import["scopes"], json!(["customers:write", "exchange:write"]));
    let id = import["id"].as_str().unwrap();
    let file = "externalId.system,externalId.id,name\ncrm,1,Ada\n";
    let sent = door.post(&format!("/imports/{id}/file")).bearer_auth(&token).body(file).send().await.unwrap();
    assert_eq!(sent.status(), 202);
    door.app.run_jobs(clock::now()).await;
    let import = shown(&door, id).await;
    assert_eq!((&import["state"], counts(&import)), (&json!("COMPLETED"), [1, 1, 0, 0, 0]), "{import:#}");
}

#[actix_web::test]
async fn a_file_is_taken_once_from_whoever_may_send_it() {
    let door = Door::open(Vec::new()).await;
    let id = create(&door, json!({})).await;
    let path = format!("/imports/{id}/file");
    let with = async |token: Option<String>, path: &str| {
        let request = door.post(path).body(FILE);
        let request = token.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth);
        Answer::of(request.send().await.unwrap()).await
    };
    assert_eq!(with(None, &path).await.refused(), (401, "UNAUTHENTICATED"));
    assert_eq!(with(Some(door.token([Permission::ExchangeRead])), &path).await.refused(), (403, "FORBIDDEN"));
    let departments = rapport::auth::Departments::new([]);
    let narrowed = Actor { departments, ..door.actor(Permission::ALL) };
    let narrowed = door.tokens.issue(&narrowed, chrono::TimeDelta::minutes(10), clock::now()).unwrap();
    assert_eq!(with(Some(narrowed.expose_secret().to_owned()), &path).await.refused(), (403, "FORBIDDEN"));
    let other = door.app.organization("other").await;
    let other = Actor { organization: other, ..door.actor(Permission::ALL) };
    let other = door.tokens.issue(&other, chrono::TimeDelta::minutes(10), clock::now()).unwrap();
    let all = || Some(door.token(Permission::ALL));
    let unknown = format!("/imports/{}/file", id.chars().rev().collect::<String>());
    let customer = "/imports/cust_01h455vb4pex5vsknk084sn02q/file";
    for (token, path) in [(Some(other.expose_secret().to_owned()), &*path), (all(), &*unknown), (all(), customer)] {
        let refused = with(token, path).await;
        assert_eq!(refused.refused(), (404, "NOT_FOUND"), "{path} {refused:?}");
    }
    assert_eq!(with(all(), &path).await.status, 202);
    assert_eq!(with(all(), &path).await.refused(), (409, "CONFLICT"));
    assert_eq!(door.get(&path).bearer_auth(door.token(Permission::ALL)).send().await.unwrap().status(), 405);
}

#[actix_web::test]
async fn a_file_that_cannot_be_read_leaves_nothing_and_is_not_repeated_in_the_answer() {
    let door = Door::open(Vec::new()).await;
    let id = create(&door, json!({})).await;
    let many = text(1_500, |row| format!("{row},N,\n"));
    for (file, said) in [
        ("Nr,Name,Tags\n1,Secret,\n".to_owned(), "the file lacks the column of columns.1 of importCreate"),
        ("No,Name,Name,Tags\n".to_owned(), "column 3 of the header has the name of an earlier one"),
        (format!("No,Name,Tags\n{many}\"{}", "Secret".repeat(20_000)), "line 1502 is longer than 65536 characters"),
        (format!("No,Name,Tags\n{many}1,Secret\0,\n"), "line 1502 contains a NUL byte"),
    ] {
        let refused = send(&door, &id, file).await;
        assert_eq!(refused.refused(), (400, "BAD_USER_INPUT"));
        assert_eq!(refused.body["errors"][0]["message"], said);
    }
    assert_eq!(shown(&door, &id).await["state"], "WAITING");
    // What is left of broken uploads is not imported.
    assert_eq!(counts(&run(&door, &id, FILE).await), [2, 2, 0, 0, 0]);
    assert_eq!(lines(&door, &id).await.as_array().unwrap().len(), 2);
    // A file without lines is a whole file.
    let empty = create(&door, json!({})).await;
    let import = run(&door, &empty, "No,Name,Tags\n").await;
    assert_eq!((&import["state"], counts(&import)), (&json!("COMPLETED"), [0; 5]));
    let header = create(&door, json!({ "columns": [] })).await;
    let refused = send(&door, &header, "externalId.id,externalId.system,Secret\n").await;
    let message = refused.body["errors"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("column 3 of the header: ") && !message.contains("Secret"), "{message}");
}
