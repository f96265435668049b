//! Saved queries read in one line, as spreadsheets and scripts do.

use entity::Permission;
use reqwest::Response;
use serde_json::{Value, json};

use super::{POINTS, RENAME, manifest, narrow_client, push};
use crate::server::Door;

async fn get(door: &Door, token: &str, path: &str) -> Response {
    door.get(&format!("/documents/{path}")).bearer_auth(token).send().await.unwrap()
}

fn header(response: &Response, name: &str) -> String {
    response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

/// A server with a saved query and three points.
async fn with_points() -> (Door, String) {
    let door = Door::open(Vec::new()).await;
    let token = door.token(Permission::ALL);
    for (name, kind) in [("Till", "POINT_OF_SALE"), ("=Shop", "POINT_OF_SALE"), ("Mail", "POINT_OF_SERVICE")] {
        let input = json!({ "name": name, "kind": kind });
        let made = door.mutate(&token, "interactionPointCreate", input, "errors { code path message }").await;
        assert_eq!(made["errors"], json!([]));
    }
    let (_, errors) = push(&door, &manifest(&[POINTS, RENAME])).await;
    assert_eq!(errors, json!([]));
    (door, token)
}

#[actix_web::test]
async fn one_line_reads_a_table() {
    let (door, token) = with_points().await;
    let response = get(&door, &token, "Points.csv?first=10").await;
    assert_eq!(
        (response.status().as_u16(), header(&response, "content-type")),
        (200, "text/csv; charset=utf-8".to_owned())
    );
    assert_eq!(header(&response, "content-disposition"), "inline; filename=\"Points.csv\"");
    let text = response.text().await.unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines[0], lines.len()), ("id,name,kind", 4));
    assert!(lines[1].contains(",'=Shop,POINT_OF_SALE"), "{text}");

    let response = get(&door, &token, "Points.ndjson?first=10&kinds=POINT_OF_SERVICE").await;
    let text = response.text().await.unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((rows.len(), &rows[0]["name"]), (1, &json!("Mail")));

    let response = get(&door, &token, "Points.json?first=10&kinds=POINT_OF_SERVICE&kinds=POINT_OF_SALE").await;
    let data: Value = response.json().await.unwrap();
    assert_eq!(data["interactionPoints"]["nodes"].as_array().unwrap().len(), 3);
}

const OWNERS: &str = "query Owners($name: String!, $isWhole: Boolean = true) { interactionPoints(filter: {name: {eq: $name}}) { \
                      ...Page } } fragment Page on InteractionPointConnection { nodes { ...Owner label: name \
                      expectations { nodes { id } } type: __typename kind @include(if: $isWhole) } } \
                      fragment Owner on InteractionPoint { id owner { name } ... on InteractionPoint { version } }";
const FOUND: &str = "query Found($ids: [ID!]!) { nodes(ids: $ids) { id ... on Account { name parent { name } } \
                     ... on InteractionPoint { name kind } } }";

#[actix_web::test]
async fn a_table_has_the_columns_of_its_document_whatever_rows_there_are() {
    let (door, token) = with_points().await;
    let (_, errors) = push(&door, &manifest(&[OWNERS, FOUND])).await;
    assert_eq!(errors, json!([]));
    let text = async |path: &str| get(&door, &token, path).await.text().await.unwrap();
    let header = "id,owner.name,version,label,expectations.nodes,type,kind";
    assert_eq!(text("Owners.csv?name=None").await, format!("{header}\r\n"));
    assert_eq!(
        text("Owners.csv?name=None&isWhole=false").await,
        format!("{}\r\n", header.strip_suffix(",kind").unwrap())
    );
    let rows = text("Owners.csv?name=Mail").await;
    let (first, row) = rows.split_once("\r\n").unwrap();
    assert_eq!(first, header);
    assert!(row.ends_with(",,1,Mail,[],InteractionPoint,POINT_OF_SERVICE\r\n"), "{row}");

    let account = door.mutate(&token, "accountCreate", json!({ "name": "Desk" }), "node { id }").await;
    let id = account["node"]["id"].as_str().unwrap();
    let rows = text(&format!("Found.csv?ids={id}")).await;
    assert_eq!(rows, format!("id,name,parent.name,kind\r\n{id},Desk,,\r\n"));
}

#[actix_web::test]
async fn the_next_page_is_linked() {
    let (door, token) = with_points().await;
    let (mut path, mut names) = ("Points.ndjson?first=1".to_owned(), Vec::new());
    for _ in 0..4 {
        let response = get(&door, &token, &path).await;
        let link = header(&response, "link");
        let row: Value = serde_json::from_str(response.text().await.unwrap().trim()).unwrap();
        names.push(row["name"].as_str().unwrap().to_owned());
        let Some(next) = link.strip_prefix("</documents/").and_then(|link| link.split_once('>')) else { break };
        assert_eq!(next.1, "; rel=\"next\"");
        path = next.0.to_owned();
    }
    assert_eq!(names, ["=Shop", "Mail", "Till"]);
}

#[actix_web::test]
async fn any_error_fails_the_whole_answer() {
    let (door, token) = with_points().await;
    let poor = door.token([Permission::RecordRead]);
    for (token, path, status) in [
        (&token, "Unknown.csv", 404),
        (&token, "Points.xml?first=1", 404),
        (&token, "Points.csv", 400),
        (&token, "Points.csv?first=many", 400),
        (&token, "Points.csv?first=1&first=2", 400),
        (&token, "Points.csv?first=1&other=2", 400),
        (&token, "Points.csv?first=1&kinds=NONE", 400),
        (&token, "Rename.csv", 405),
        (&poor, "Points.csv?first=1", 403),
    ] {
        let response = get(&door, token, path).await;
        assert_eq!(response.status().as_u16(), status, "{path}");
        let body: Value = response.json().await.unwrap();
        assert!(body["errors"][0]["message"].is_string() && body["data"].is_null(), "{path}: {body}");
    }
    let nobody = door.get("/documents/Points.csv?first=1").send().await.unwrap();
    assert_eq!(nobody.status().as_u16(), 401);
}

#[actix_web::test]
async fn the_same_answer_is_not_sent_twice() {
    let (door, token) = with_points().await;
    let first = get(&door, &token, "Points.csv?first=10").await;
    let tag = header(&first, "etag");
    let again = || door.get("/documents/Points.csv?first=10").bearer_auth(&token).header("if-none-match", &tag).send();
    assert_eq!(again().await.unwrap().status().as_u16(), 304);
    let input = json!({ "name": "Web", "kind": "POINT_OF_SERVICE" });
    door.mutate(&token, "interactionPointCreate", input, "errors { code }").await;
    let changed = again().await.unwrap();
    assert_eq!((changed.status().as_u16(), header(&changed, "etag") == tag), (200, false));
}

#[actix_web::test]
async fn a_limited_client_reads_saved_queries() {
    let (door, _) = with_points().await;
    let token = narrow_client(&door).await;
    assert_eq!(get(&door, &token, "Points.csv?first=1").await.status().as_u16(), 200);
}
