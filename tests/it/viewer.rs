//! The query that tells callers who they are.

use entity::Permission;
use rapport::{auth::Actor, clock};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::{app::App, server::Door};

const QUERY: &str = "{ viewer { subject clientId scopes expiresAt organization { slug } } }";

async fn viewer(door: &Door, actor: &Actor) -> Value {
    let token = door.tokens.issue(actor, chrono::TimeDelta::minutes(10), clock::now()).unwrap();
    let asked = door.post("/graphql").bearer_auth(token.expose_secret()).json(&json!({ "query": QUERY }));
    let reply: Value = asked.send().await.unwrap().json().await.unwrap();
    reply["data"]["viewer"].clone()
}

#[actix_web::test]
async fn a_caller_sees_what_the_token_says() {
    let door = Door::open(Vec::new()).await;
    let ada = viewer(&door, &door.actor([Permission::MapWrite, Permission::MapRead])).await;
    let expires = (clock::now() + chrono::TimeDelta::minutes(10)).timestamp();
    let shown = chrono::DateTime::parse_from_rfc3339(ada["expiresAt"].as_str().unwrap()).unwrap().timestamp();
    assert!((expires - 60..=expires + 60).contains(&shown), "{ada:#}");
    assert_eq!(ada["scopes"], json!(["map:read", "map:write"]));
    assert_eq!(
        (&ada["subject"], &ada["clientId"], &ada["organization"]["slug"]),
        (&json!("ada"), &Value::Null, &json!("acme"))
    );
    let client = Actor { client: Some("crm".to_owned()), subject: "crm".to_owned(), ..door.actor([]) };
    let client = viewer(&door, &client).await;
    assert_eq!((&client["clientId"], &client["scopes"]), (&json!("crm"), &json!([])));
}

#[tokio::test]
async fn a_caller_without_a_token_of_its_own_has_no_expiry() {
    let app = App::start().await;
    let viewer = app.admin("one").await.ask("{ viewer { subject expiresAt } }").await["viewer"].take();
    assert_eq!(viewer, json!({ "subject": "tester", "expiresAt": null }));
}
