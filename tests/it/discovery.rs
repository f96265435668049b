//! What OAuth clients discover about a server that knows its public URL.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use entity::Permission;
use serde_json::{Value, json};

use crate::server::{Answer, Door};

const PUBLIC: &str = "https://rapport.example";
const AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";
const PROTECTED_RESOURCE: &str = "/.well-known/oauth-protected-resource";

async fn get(door: &Door, path: &str) -> (u16, Value) {
    let answer = door.get(path).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

fn scopes() -> Vec<&'static str> {
    Permission::ALL.iter().map(|scope| scope.name()).collect()
}

#[actix_web::test]
async fn the_token_endpoint_is_found_at_the_public_url() {
    let door = Door::at(PUBLIC).await;
    let expected = json!({
        "issuer": PUBLIC,
        "token_endpoint": "https://rapport.example/oauth/token",
        "jwks_uri": "https://rapport.example/.well-known/jwks.json",
        "scopes_supported": scopes(),
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    });
    assert_eq!(get(&door, AUTHORIZATION_SERVER).await, (200, expected));
    let expected = json!({
        "resource": PUBLIC,
        "authorization_servers": [PUBLIC],
        "scopes_supported": scopes(),
        "bearer_methods_supported": ["header"],
    });
    assert_eq!(get(&door, PROTECTED_RESOURCE).await, (200, expected));
    for path in ["/desk", "/", "x", "/../jwks.json/x"] {
        assert_eq!(get(&door, &format!("{AUTHORIZATION_SERVER}{path}")).await.0, 404, "{path}");
    }
    let answer = door.post(AUTHORIZATION_SERVER).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 405);
}

#[actix_web::test]
async fn a_server_below_a_path_is_found_with_and_without_it() {
    let door = Door::at("https://example.org/desk").await;
    for place in [AUTHORIZATION_SERVER, PROTECTED_RESOURCE] {
        let (status, document) = get(&door, place).await;
        assert_eq!(status, 200);
        assert_eq!(get(&door, &format!("{place}/desk")).await, (200, document));
        assert_eq!(get(&door, &format!("{place}/desk/x")).await.0, 404);
    }
    let (_, found) = get(&door, AUTHORIZATION_SERVER).await;
    assert_eq!(found["token_endpoint"], "https://example.org/desk/oauth/token");
}

#[actix_web::test]
async fn a_server_without_a_public_url_has_nothing_to_discover() {
    let door = Door::open(Vec::new()).await;
    for place in [AUTHORIZATION_SERVER, PROTECTED_RESOURCE] {
        let (status, answer) = get(&door, place).await;
        assert_eq!((status, &answer["errors"][0]["extensions"]["code"]), (404, &json!("NOT_FOUND")));
    }
}

/// The claims of a token, unverified.
fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[actix_web::test]
async fn tokens_name_the_public_url_and_those_of_commands_without_it_are_accepted() {
    let door = Door::at(PUBLIC).await;
    let token = door.token(Permission::ALL);
    assert_eq!(claims(&token)["iss"], PUBLIC);
    assert!(door.lets_in(&token).await);
    // Signed by `rapport token` without the setting.
    assert!(door.lets_in(&door.signer.sign(&door.claims())).await);
    let mut other = door.claims();
    other["iss"] = "https://other.example".into();
    assert!(!door.lets_in(&door.signer.sign(&other)).await);

    let input = json!({ "name": "CRM", "scopes": ["map:read"] });
    let made = door.mutate(&token, "apiClientCreate", input, "node { id } secret").await;
    let (id, secret) = (made["node"]["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    for (resource, status) in [
        ("rapport", 200),
        (PUBLIC, 200),
        ("https://rapport.example/", 200),
        ("https://rapport.example.org", 400),
        ("https://other.example", 400),
    ] {
        let form = [("grant_type", "client_credentials"), ("resource", resource)];
        let asked = door.post("/oauth/token").basic_auth(id, Some(secret)).form(&form);
        let answer = Answer::of(asked.send().await.unwrap()).await;
        assert_eq!(answer.status, status, "{resource} {answer:?}");
        if status == 200 {
            let token = answer.body["access_token"].as_str().unwrap();
            assert_eq!(claims(token)["iss"], PUBLIC);
            assert!(door.lets_in(token).await);
        } else {
            assert_eq!(answer.body["error"], "invalid_target");
        }
    }
}
