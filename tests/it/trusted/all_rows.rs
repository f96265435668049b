//! Exports of saved queries: every row, page after page, and never half of them without a sign.

use std::collections::BTreeSet;

use entity::Permission;
use rapport::auth::{Actor, revoked::Revocation};
use serde_json::{Value, json};

use super::manifest;
use crate::server::{Answer, Door};

const MEDIUMS: &str = "query Mediums($after: String, $first: Int = 7, $prefix: String) { mediums(first: $first, after: $after, \
                       filter: { name: { startsWith: $prefix } }, orderBy: [{field: NAME}]) { nodes { id name } \
                       pageInfo { hasNextPage endCursor } } }";
const PLAIN: &str = "query Plain($after: String) { mediums(after: $after) { nodes { id } } }";
const FIRST: &str = "query First { mediums { nodes { id } pageInfo { hasNextPage endCursor } } }";

/// Gives a server so many mediums and the documents, without its points.
async fn with_mediums(count: usize, door: Door) -> Door {
    let caller = door.app.caller(door.acme, Permission::ALL);
    let row =
        |row: usize| json!({ "name": format!("M{row:03}"), "externalId": { "system": "s", "id": row.to_string() } });
    let rows: Vec<Value> = (0..count).map(row).collect();
    let made = caller.mutate("mediumsBulkUpsert", json!({ "rows": rows }), "errors { code message }").await;
    assert_eq!(made["errors"], json!([]));
    let documents = json!({ "manifest": manifest(&[MEDIUMS, PLAIN, FIRST]) });
    let pushed = caller.mutate("trustedDocumentsPush", documents, "errors { code message }").await;
    assert_eq!(pushed["errors"], json!([]));
    door
}

async fn text(door: &Door, path: &str) -> String {
    let response =
        door.get(&format!("/documents/{path}")).bearer_auth(door.token(Permission::ALL)).send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    response.text().await.unwrap()
}

#[actix_web::test]
async fn every_row_is_in_the_export_once() {
    let door = with_mediums(60, Door::open(Vec::new()).await).await;
    let names: Vec<String> = (0..60).map(|row| format!("M{row:03}")).collect();
    // Pages end within the list, at its end, and after it.
    for first in [7, 20, 60, 61] {
        let lines = text(&door, &format!("Mediums/all.ndjson?first={first}")).await;
        let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.iter().map(|row| row["name"].as_str().unwrap()).collect::<Vec<_>>(), names, "{first}");
        assert_eq!(rows.iter().map(|row| &row["id"]).map(Value::to_string).collect::<BTreeSet<_>>().len(), 60);
    }
    let table = text(&door, "Mediums/all.csv").await;
    let (header, rows) = table.split_once("\r\n").unwrap();
    assert_eq!(header, "id,name");
    let found: Vec<&str> = rows.lines().map(|row| row.split_once(',').unwrap().1).collect();
    assert_eq!(found, names);
    assert_eq!(text(&door, "Mediums/all.csv?prefix=M00").await.lines().count(), 11);
    assert_eq!(text(&door, "Mediums/all.csv?prefix=None").await, "id,name\r\n");
    assert_eq!(text(&door, "Mediums/all.ndjson?prefix=None").await, "");
    assert_eq!(door.app.store.tenant_violations(), 0);
}

#[actix_web::test]
async fn a_last_line_tells_how_much_was_sent() {
    let door = with_mediums(20, Door::open(Vec::new()).await).await;
    let whole = text(&door, "Mediums/all.ndjson").await;
    let ended = text(&door, "Mediums/all.ndjson?end=true").await;
    let last: Value = serde_json::from_str(ended.strip_prefix(&whole).unwrap()).unwrap();
    assert_eq!(last, json!({ "complete": true, "rowCount": 20, "sha256": super::hash(&whole) }));
}

#[actix_web::test]
async fn an_export_that_cannot_go_on_breaks_off() {
    let begun = async || {
        let door = with_mediums(60, Door::with_points(30, 10).await).await;
        let path = "/documents/Mediums/all.ndjson?first=1";
        let response = door.get(path).bearer_auth(door.token(Permission::ALL)).send().await.unwrap();
        assert_eq!(response.status(), 200);
        (door, response)
    };
    let (door, response) = begun().await;
    let tx = door.app.store.scope(Actor::operator(door.acme), rapport::clock::now()).begin().await.unwrap();
    tx.revoke_tokens(Revocation::Subject, "ada").await.unwrap();
    tx.commit().await.unwrap();
    door.gate.poll(rapport::clock::now()).await.unwrap();
    assert!(response.text().await.is_err(), "the points did not suffice for all rows before");
    // Without a revocation, it waits as often as it must.
    let (_door, response) = begun().await;
    assert_eq!(response.text().await.unwrap().lines().count(), 60);
}

#[actix_web::test]
async fn a_query_without_pages_and_whoever_may_not_read_it_are_refused() {
    let door = with_mediums(3, Door::open(Vec::new()).await).await;
    let get = async |path: &str, token: Option<String>| {
        let request = door.get(&format!("/documents/{path}"));
        let request = token.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth);
        Answer::of(request.send().await.unwrap()).await
    };
    let all = || Some(door.token(Permission::ALL));
    for (path, token, refused) in [
        ("Mediums/all.csv", None, (401, "UNAUTHENTICATED")),
        ("Mediums/all.csv", Some(door.token([Permission::RecordRead])), (403, "FORBIDDEN")),
        ("Nothing/all.csv", all(), (404, "DOCUMENT_NOT_FOUND")),
        ("Mediums/all.json", all(), (404, "NOT_FOUND")),
        ("Plain/all.csv", all(), (400, "BAD_REQUEST")),
        ("First/all.csv", all(), (400, "BAD_REQUEST")),
        ("Mediums/all.csv?after=x", all(), (400, "BAD_REQUEST")),
        ("Mediums/all.csv?end=true", all(), (400, "BAD_REQUEST")),
        ("Mediums/all.csv?first=x", all(), (400, "BAD_USER_INPUT")),
        ("Mediums/all.csv?other=1", all(), (400, "BAD_USER_INPUT")),
    ] {
        let answer = get(path, token).await;
        assert_eq!(answer.refused(), refused, "{path} {answer:?}");
    }
}
