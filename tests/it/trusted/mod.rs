//! Trusted documents: pushed, found by their ids, and the only ones that some clients may send.

mod all_rows;
mod push;
mod saved;

use entity::Permission;
use serde_json::{Value, json};

use crate::server::{Answer, Door};

const POINTS: &str = "query Points($first: Int!, $after: String, $kinds: [InteractionPointKind!]) { interactionPoints(first: $first, \
                      after: $after, filter: {kind: {in: $kinds}}, orderBy: [{field: NAME}]) { nodes { id name kind } \
                      pageInfo { hasNextPage endCursor } } }";
const RENAME: &str =
    "mutation Rename($input: DepartmentCreateInput!) { departmentCreate(input: $input) { node { name } } }";

/// Apollo's manifest of some texts.
fn manifest(texts: &[&str]) -> String {
    let operations: Vec<Value> = texts.iter().map(|text| json!({ "id": hash(text), "body": text })).collect();
    json!({ "format": "apollo-persisted-query-manifest", "version": 1, "operations": operations }).to_string()
}

fn hash(text: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Pushes a file, and returns what was pushed and what is wrong.
async fn push(door: &Door, file: &str) -> (Value, Value) {
    let token = door.token(Permission::ALL);
    let selection = "pushedDocuments { documentId name isNew } errors { code path message } outcome";
    let mut pushed = door.mutate(&token, "trustedDocumentsPush", json!({ "manifest": file }), selection).await;
    (pushed["pushedDocuments"].take(), pushed["errors"].take())
}

async fn ask(door: &Door, token: &str, body: Value) -> Answer {
    Answer::of(door.post("/graphql").bearer_auth(token).json(&body).send().await.unwrap()).await
}

fn code(answer: &Answer) -> &Value {
    &answer.body["errors"][0]["extensions"]["code"]
}

/// A token of a client that may send trusted documents only.
async fn narrow_client(door: &Door) -> String {
    let admin = door.token(Permission::ALL);
    let input = json!({ "name": "Shop", "scopes": ["map:read"], "isTrustedDocumentsOnly": true });
    let made = door.mutate(&admin, "apiClientCreate", input, "secret node { id isTrustedDocumentsOnly }").await;
    assert_eq!(made["node"]["isTrustedDocumentsOnly"], json!(true));
    let (id, secret) = (made["node"]["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    let fields = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
    let granted = Answer::of(door.post("/oauth/token").form(&fields).send().await.unwrap()).await;
    door.gate.poll(rapport::clock::now()).await.unwrap();
    granted.body["access_token"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_request_names_a_document_by_its_id() {
    let door = Door::open(Vec::new()).await;
    let token = door.token(Permission::ALL);
    push(&door, &manifest(&[POINTS, RENAME])).await;
    let variables = json!({ "first": 3 });
    let expected = ask(&door, &token, json!({ "query": POINTS, "variables": variables })).await.body["data"].clone();
    let id = hash(POINTS);
    for body in [
        json!({ "documentId": format!("sha256:{id}"), "variables": variables }),
        json!({ "documentId": id, "variables": variables, "operationName": "Points" }),
        json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": id } }, "variables": variables }),
    ] {
        let answer = ask(&door, &token, body.clone()).await;
        assert_eq!((answer.status, &answer.body["data"]), (200, &expected), "{body}");
    }
    let path = |id: &str| format!("/graphql?documentId={id}&variables=%7B%22first%22:3%7D");
    let get = async |id: &str| Answer::of(door.get(&path(id)).bearer_auth(&token).send().await.unwrap()).await;
    let got = get(&format!("sha256:{id}")).await;
    assert_eq!((got.status, &got.body["data"]), (200, &expected));
    assert_eq!(get(&hash(RENAME)).await.status, 405);

    let unknown = ask(&door, &token, json!({ "documentId": "weekly" })).await;
    assert_eq!(code(&unknown), "DOCUMENT_NOT_FOUND");
    let both = ask(&door, &token, json!({ "documentId": id, "query": POINTS })).await;
    assert_eq!((both.status, code(&both)), (400, &json!("BAD_REQUEST")));
    let nobody = Answer::of(door.post("/graphql").json(&json!({ "documentId": id })).send().await.unwrap()).await;
    assert_eq!(nobody.refused(), (401, "UNAUTHENTICATED"));
}

#[actix_web::test]
async fn documents_belong_to_their_organization() {
    let door = Door::open(Vec::new()).await;
    push(&door, &manifest(&[POINTS])).await;
    let other = door.app.organization("bolt").await;
    let actor = rapport::auth::Actor { organization: other, ..door.actor(Permission::ALL) };
    let token = door.tokens.issue(&actor, chrono::TimeDelta::minutes(10), rapport::clock::now()).unwrap();
    let token = secrecy::ExposeSecret::expose_secret(&token).to_owned();
    for body in [
        json!({ "documentId": hash(POINTS), "variables": { "first": 1 } }),
        json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": hash(POINTS) } } }),
    ] {
        let answer = ask(&door, &token, body).await;
        assert!(["DOCUMENT_NOT_FOUND", "PERSISTED_QUERY_NOT_FOUND"].iter().any(|wanted| code(&answer) == wanted));
    }
}

#[actix_web::test]
async fn a_text_is_registered_once_it_was_sent_with_its_hash() {
    let door = Door::open(Vec::new()).await;
    let token = door.token(Permission::ALL);
    let text = "query Slug { organization { slug } }";
    let named = json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": hash(text) } } });
    let missing = ask(&door, &token, named.clone()).await;
    assert_eq!((missing.status, code(&missing)), (200, &json!("PERSISTED_QUERY_NOT_FOUND")));
    assert_eq!(missing.body["errors"][0]["message"], "PersistedQueryNotFound");
    assert_eq!(missing.cache.as_deref(), Some("no-store"));

    let mut registering = named.clone();
    registering["query"] = json!("{ organization { name } }");
    let wrong = ask(&door, &token, registering.clone()).await;
    assert_eq!((wrong.status, code(&wrong)), (400, &json!("BAD_REQUEST")));
    assert_eq!(code(&ask(&door, &token, named.clone()).await), "PERSISTED_QUERY_NOT_FOUND");

    registering["query"] = json!(text);
    assert_eq!(ask(&door, &token, registering).await.body["data"]["organization"]["slug"], "acme");
    assert_eq!(ask(&door, &token, named).await.body["data"]["organization"]["slug"], "acme");
}

#[actix_web::test]
async fn a_client_limited_to_trusted_documents_sends_nothing_else() {
    let door = Door::open(Vec::new()).await;
    push(&door, &manifest(&[POINTS])).await;
    let admin = door.token(Permission::ALL);
    let token = narrow_client(&door).await;
    let text = "{ organization { slug } }";
    let registering =
        json!({ "query": text, "extensions": { "persistedQuery": { "version": 1, "sha256Hash": hash(text) } } });
    assert_eq!(ask(&door, &admin, registering.clone()).await.status, 200);
    for body in
        [json!({ "query": text }), json!({ "query": "{ __typename }" }), json!({ "query": POINTS }), registering]
    {
        let refused = ask(&door, &token, body.clone()).await;
        assert_eq!(code(&refused), "FORBIDDEN", "{body}");
    }
    // What somebody else has registered is not trusted.
    let named = json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": hash(text) } } });
    let refused = ask(&door, &token, named).await;
    assert_eq!(refused.body["errors"][0]["message"], "PersistedQueryNotSupported");
    let answer = ask(&door, &token, json!({ "documentId": hash(POINTS), "variables": { "first": 1 } })).await;
    assert_eq!((answer.status, answer.body.get("errors")), (200, None), "{answer:?}");
}

#[actix_web::test]
async fn looking_for_documents_costs_points() {
    let door = Door::with_points(20, 1).await;
    let token = door.token(Permission::ALL);
    let mut statuses = Vec::new();
    for number in 0..40 {
        statuses.push(ask(&door, &token, json!({ "documentId": format!("unknown-{number}") })).await.status);
    }
    assert!(statuses.contains(&429), "{statuses:?}");
}
