//! What work costs: ordinary work fits into the usual limits.

use entity::Permission;
use rapport::graphql::documents::limits::Limits;
use serde_json::{Value, json};

use crate::server::{Answer, Door};

const BULK: &str = "mutation($input: CustomersBulkUpsertInput!) { customersBulkUpsert(input: $input) {
    results { outcome node { id } errors { code } } errors { code } isReplayed } }";

async fn ask(door: &Door, token: &str, query: &str, variables: Value) -> Value {
    let asked = json!({ "query": query, "variables": variables });
    let answer = Answer::of(door.post("/graphql").bearer_auth(token).json(&asked).send().await.unwrap()).await;
    assert_eq!((answer.status, answer.body.get("errors")), (200, None), "{answer:?}");
    answer.body
}

fn charged(body: &Value) -> u64 {
    body["extensions"]["cost"]["charged"].as_u64().unwrap()
}

fn rows(count: usize, name: &str) -> Value {
    let row = |at: usize| json!({ "name": format!("{name} {at}"), "externalId": { "system": "crm", "id": format!("{name}{at}") } });
    (0..count).map(row).collect()
}

#[actix_web::test]
async fn a_sync_pays_for_rows_that_it_writes_and_little_for_others() {
    let door = Door::open(Vec::new()).await;
    let token = door.token(Permission::ALL);
    let send = async |rows: Value, key: &str| {
        let input = json!({ "rows": rows, "mode": "UPSERT", "idempotencyKey": key });
        ask(&door, &token, BULK, json!({ "input": input })).await
    };
    let first = send(rows(100, "Mia"), "a").await;
    let outcome = |body: &Value| body["data"]["customersBulkUpsert"]["results"][99]["outcome"].clone();
    assert_eq!(outcome(&first), "CREATED");
    // At least a point for a row and its share of the answer, or the time of the database.
    assert!(charged(&first) >= 120, "{}", charged(&first));
    let replayed = send(rows(100, "Mia"), "a").await;
    assert_eq!(replayed["data"]["customersBulkUpsert"]["isReplayed"], true);
    let unchanged = send(rows(100, "Mia"), "b").await;
    assert_eq!(outcome(&unchanged), "UNCHANGED");
    println!("new {} replayed {} unchanged {}", charged(&first), charged(&replayed), charged(&unchanged));
    assert!(charged(&replayed) < charged(&first) && charged(&unchanged) < charged(&first));
    let failed = ask(&door, &token, BULK, json!({ "input": { "rows": [{ "externalId": { "system": "crm", "id": "x" }, "email": "none" }], "mode": "UPSERT" } })).await;
    assert!(charged(&failed) < charged(&first), "{}", charged(&failed));
}

#[actix_web::test]
async fn an_analyst_reads_a_hundred_thousand_rows_out_of_one_bucket() {
    let door = Door::open(Vec::new()).await;
    let token = door.token(Permission::ALL);
    for key in ["a", "b"] {
        let input = json!({ "rows": rows(500, key), "mode": "UPSERT" });
        ask(&door, &token, BULK, json!({ "input": input })).await;
    }
    let page =
        "{ customers(first: 500) { nodes { id name externalIds { system id } } pageInfo { hasNextPage endCursor } } }";
    let read = ask(&door, &token, page, json!({})).await;
    let count = read["data"]["customers"]["nodes"].as_array().unwrap().len() as u64;
    assert_eq!(count, 500);
    // Each row, its external id, the connection and its page's info: a tenth of a point each.
    assert_eq!(charged(&read), (2 * count + 2).div_ceil(10));
    assert!(100_000 / count * charged(&read) <= u64::from(Limits::DEFAULT.points) / 2);
    let counted = ask(&door, &token, "{ customers(first: 1) { totalCount } }", json!({})).await;
    assert_eq!(charged(&counted), 11);
}
