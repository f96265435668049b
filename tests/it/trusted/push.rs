//! Which files can be pushed, and what is wrong with the others.

use entity::Permission;
use serde_json::{Value, json};

use super::{POINTS, RENAME, ask, code, hash, manifest, push};
use crate::server::Door;

#[actix_web::test]
async fn the_files_of_three_tools_are_read() {
    let door = Door::open(Vec::new()).await;
    let md5 = "3f0f5b2f6c0f1f3a8f4ad11f7d0a3c11";
    let anonymous = "{ organization { name } }";
    let files = [
        manifest(&[POINTS]),
        // graphql-codegen, and with another algorithm.
        json!({ format!("sha256:{}", hash(RENAME)): RENAME }).to_string(),
        // The Relay compiler.
        json!({ md5: anonymous }).to_string(),
    ];
    let mut pushed = Vec::new();
    for file in &files {
        let (documents, errors) = push(&door, file).await;
        assert_eq!(errors, json!([]), "{file}");
        pushed.extend(documents.as_array().unwrap().clone());
    }
    let expected = json!([
        { "documentId": format!("sha256:{}", hash(POINTS)), "name": "Points", "isNew": true },
        { "documentId": format!("sha256:{}", hash(RENAME)), "name": "Rename", "isNew": true },
        { "documentId": md5, "name": md5, "isNew": true },
    ]);
    assert_eq!(json!(pushed), expected);
    let (again, _) = push(&door, &files[0]).await;
    assert_eq!(again[0]["isNew"], json!(false));

    let token = door.token(Permission::ALL);
    let list = "{ trustedDocuments(orderBy: [{field: NAME}]) { nodes { name documentId operationKind body } } }";
    let listed = ask(&door, &token, json!({ "query": list })).await;
    let nodes = &listed.body["data"]["trustedDocuments"]["nodes"];
    let kinds: Vec<&Value> = nodes.as_array().unwrap().iter().map(|node| &node["operationKind"]).collect();
    assert_eq!(kinds, ["QUERY", "QUERY", "MUTATION"]);
    assert_eq!(nodes[1]["body"], POINTS);
}

#[actix_web::test]
async fn what_is_wrong_with_a_file_is_said_where_it_is() {
    let door = Door::open(Vec::new()).await;
    let named = |id: &str, text: &str| json!({ id: text }).to_string();
    let long = "x".repeat(201);
    for (file, path, message) in [
        ("[]".to_owned(), json!(["manifest"]), "must be the JSON text"),
        ("{\"a\": 1}".to_owned(), json!(["manifest"]), "must be the JSON text"),
        (
            json!({ "format": "apollo-persisted-query-manifest", "version": 2, "operations": [] }).to_string(),
            json!(["manifest"]),
            "version 2",
        ),
        (named(&hash("other"), POINTS), json!(["manifest", hash("other")]), "is not the SHA-256"),
        (named("md5:1", POINTS), json!(["manifest", "md5:1"]), "begins with sha256: or x-"),
        (named("a b", POINTS), json!(["manifest", "a b"]), "visible ASCII"),
        (named(&long, POINTS), json!(["manifest", &long[..200]]), "visible ASCII"),
        (named("a", "{ nothing }"), json!(["manifest", "a"]), "nothing"),
        (named("a", "{ organization"), json!(["manifest", "a"]), ""),
        (named("a", "query A { __typename } query B { __typename }"), json!(["manifest", "a"]), "several operations"),
    ] {
        let (_, errors) = push(&door, &file).await;
        assert_eq!((&errors[0]["code"], &errors[0]["path"]), (&json!("INVALID"), &path), "{file}: {errors}");
        assert!(errors[0]["message"].as_str().unwrap().contains(message), "{errors}");
    }
    let many: serde_json::Map<String, Value> =
        (0..1_001).map(|number| (format!("d{number}"), json!("{ __typename }"))).collect();
    let (_, errors) = push(&door, &Value::Object(many).to_string()).await;
    assert_eq!(errors[0]["code"], "TOO_LONG");
    // Nothing of a file with a mistake is stored.
    let mixed = json!({ "good": "{ __typename }", "bad": "{ nothing }" }).to_string();
    push(&door, &mixed).await;
    let unknown = ask(&door, &door.token(Permission::ALL), json!({ "documentId": "good" })).await;
    assert_eq!(code(&unknown), "DOCUMENT_NOT_FOUND");
}

#[actix_web::test]
async fn an_id_names_one_text_until_it_is_deleted() {
    let door = Door::open(Vec::new()).await;
    let token = door.token(Permission::ALL);
    let file = |text: &str| json!({ "x-shop:home": text }).to_string();
    push(&door, &file("{ organization { name } }")).await;
    let (_, errors) = push(&door, &file("{ organization { slug } }")).await;
    assert_eq!((&errors[0]["code"], &errors[0]["path"]), (&json!("TAKEN"), &json!(["manifest", "x-shop:home"])));
    let list = "{ trustedDocuments { nodes { id } } }";
    let listed = ask(&door, &token, json!({ "query": list })).await;
    let id = &listed.body["data"]["trustedDocuments"]["nodes"][0]["id"];
    let deleted = door.mutate(&token, "trustedDocumentDelete", json!({ "by": { "id": id } }), "errors { code }").await;
    assert_eq!(deleted["errors"], json!([]));
    let (_, errors) = push(&door, &file("{ organization { slug } }")).await;
    assert_eq!(errors, json!([]));
}
