//! Signed addresses of pictures: what they open without a token, until when, and what else they do not.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use chrono::{TimeDelta, Utc};
use entity::Permission;
use rapport::{
    auth::{Actor, revoked::Revocation},
    clock,
    store::Tx,
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::api::filled;
use crate::server::{Answer, Door};

const URL: &str =
    "query($id: ID!, $life: Int!) { journey(by: { id: $id }) { diagramUrl(theme: DARK, expiresIn: $life) } }";

async fn asked(door: &Door, token: &str, id: &str, life: i64) -> Value {
    let body = json!({ "query": URL, "variables": { "id": id, "life": life } });
    Answer::of(door.post("/graphql").bearer_auth(token).json(&body).send().await.unwrap()).await.body
}

async fn address(door: &Door, token: &str, id: &str) -> String {
    let answer = asked(door, token, id, 600).await;
    answer["data"]["journey"]["diagramUrl"].as_str().unwrap_or_else(|| panic!("{answer:#}")).to_owned()
}

async fn status(door: &Door, path: &str) -> u16 {
    door.get(path).send().await.unwrap().status().as_u16()
}

/// The tokens of somebody else of the organization, who speaks through a client if it is named.
fn token(door: &Door, subject: &str, client: Option<&str>) -> String {
    let actor = Actor {
        subject: subject.to_owned(),
        client: client.map(str::to_owned),
        ..door.actor([Permission::MapRead, Permission::RecordRead])
    };
    door.tokens.issue(&actor, TimeDelta::minutes(10), clock::now()).unwrap().expose_secret().to_owned()
}

async fn change(door: &Door, what: impl AsyncFnOnce(&Tx)) {
    let now: chrono::DateTime<Utc> = clock::now();
    let tx = door.app.store.scope(door.actor(Permission::ALL), now).begin().await.unwrap();
    what(&tx).await;
    tx.commit().await.unwrap();
    door.gate.poll(now).await.unwrap();
}

#[actix_web::test]
async fn a_signed_address_opens_its_picture_without_a_token_and_tells_nobody() {
    let door = Door::open(Vec::new()).await;
    let id = filled(&door.app.caller(door.acme, Permission::ALL), 2).await;
    let token = token(&door, "ada", None);
    let address = address(&door, &token, &id).await;
    assert!(address.starts_with(&format!("/journeys/{id}.svg?theme=dark&signature=")), "{address}");
    let opened = door.get(&address).send().await.unwrap();
    let header = |name: &str| opened.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((opened.status().as_u16(), header("referrer-policy")), (200, "no-referrer".to_owned()));
    assert!(header("cache-control").contains("private"));
    let picture = opened.text().await.unwrap();
    let with_token = door.get(&format!("/journeys/{id}.svg?theme=dark")).bearer_auth(&token).send().await.unwrap();
    assert_eq!(picture, with_token.text().await.unwrap());
    // It is no token, and it is not sent beside one.
    let signature = address.rsplit_once('=').unwrap().1;
    assert!(!door.lets_in(signature).await);
    assert_eq!(door.get(&address).bearer_auth(&token).send().await.unwrap().status(), 400);
    // It reaches what its one scope lets it read.
    let outsider = door.token([Permission::RecordRead]);
    let answer = asked(&door, &outsider, &id, 600).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
    for life in [0, -1, 604_801] {
        let answer = asked(&door, &token, &id, life).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
    }
}

#[actix_web::test]
async fn no_part_of_a_signed_address_can_be_changed() {
    let door = Door::open(Vec::new()).await;
    let caller = door.app.caller(door.acme, Permission::ALL);
    let id = filled(&caller, 2).await;
    let other = caller.mutate("journeyCreate", json!({ "title": "Other" }), "node { id }").await;
    let other = other["node"]["id"].as_str().unwrap().to_owned();
    let address = address(&door, &token(&door, "ada", None), &id).await;
    assert_eq!(status(&door, &address).await, 200);
    let (path, signature) = address.split_once("&signature=").unwrap();
    let [header, claims, sign] = signature.split('.').collect::<Vec<_>>()[..] else { panic!("{signature}") };
    let known: Value = serde_json::from_slice(&BASE64.decode(claims).unwrap()).unwrap();
    let mut tampered = vec![
        address.replace(&id, &other),
        address.replace("dark", "light"),
        address.replace("theme=dark&", ""),
        format!("{address}&theme=light"),
        format!("{address}&x=1"),
        format!("{path}&signature={signature}A"),
        format!("{path}&signature={header}.{claims}."),
        format!("{path}&signature={header}.{claims}"),
        format!("{path}&signature="),
        format!("{path}&signature={}", token(&door, "ada", None)),
        address.replace("/journeys/", "/journeys/%6a").replace("%6ajourney", "%6aourney"),
    ];
    for (member, value) in [
        ("org", json!(entity::id::encode("org", entity::id::new()))),
        ("sub", json!("eve")),
        ("scope", json!("admin")),
        ("iat", json!(known["iat"].as_i64().unwrap() - 1)),
        ("exp", json!(known["exp"].as_i64().unwrap() + 1)),
        ("client_id", json!("client")),
    ] {
        let mut changed = known.clone();
        changed[member] = value;
        tampered.push(format!("{path}&signature={header}.{}.{sign}", BASE64.encode(changed.to_string())));
    }
    // Signed for the other picture, by whoever holds the key: the address itself must say it, too.
    let mut others = known.clone();
    others["res"] = format!("/journeys/{other}.svg?theme=dark").into();
    let genuine_header = String::from_utf8(BASE64.decode(header).unwrap()).unwrap();
    tampered.push(format!("{path}&signature={}", door.signer.forge(&genuine_header, &others.to_string())));
    for address in tampered {
        let answer = Answer::of(door.get(&address).send().await.unwrap()).await;
        assert_eq!(answer.refused(), (401, "UNAUTHENTICATED"), "{address}");
        assert_eq!(answer.cache.as_deref(), Some("no-store"));
        assert!(!answer.body.to_string().contains(sign));
    }
    let ended = |seconds: i64| {
        let mut ended = known.clone();
        for (member, at) in [("iat", -7_200), ("exp", seconds)] {
            ended[member] = (clock::now().timestamp() + at).into();
        }
        format!("{path}&signature={}", door.signer.forge(&genuine_header, &ended.to_string()))
    };
    assert_eq!(status(&door, &ended(60)).await, 200);
    let answer = Answer::of(door.get(&ended(-60)).send().await.unwrap()).await;
    assert_eq!(answer.refused(), (401, "UNAUTHENTICATED"));
    assert!(answer.body["errors"][0]["message"].as_str().unwrap().contains("ended"));
}

#[actix_web::test]
async fn a_signed_address_falls_with_its_subject_its_client_and_its_organization() {
    let door = Door::open(Vec::new()).await;
    let id = filled(&door.app.caller(door.acme, Permission::ALL), 1).await;
    let (ada, grace) = (token(&door, "ada", None), token(&door, "grace", None));
    let through = token(&door, "bob", Some("client_x"));
    let [adas, graces, bobs] =
        [address(&door, &ada, &id).await, address(&door, &grace, &id).await, address(&door, &through, &id).await];
    let opens = async || [status(&door, &adas).await, status(&door, &graces).await, status(&door, &bobs).await];
    assert_eq!(opens().await, [200, 200, 200]);
    change(&door, async |tx| tx.revoke_tokens(Revocation::Subject, "ada").await.unwrap()).await;
    assert_eq!(opens().await, [401, 200, 200]);
    change(&door, async |tx| tx.revoke_tokens(Revocation::Client, "client_x").await.unwrap()).await;
    assert_eq!(opens().await, [401, 200, 401]);
    change(&door, async |tx| assert!(tx.suspend(true).await.unwrap())).await;
    assert_eq!(opens().await, [401, 401, 401]);
}

#[actix_web::test]
async fn a_withdrawal_is_remembered_for_as_long_as_an_address_lives() {
    let door = Door::open(Vec::new()).await;
    change(&door, async |tx| tx.revoke_tokens(Revocation::Subject, "ada").await.unwrap()).await;
    let proof =
        |issued| rapport::auth::VerifiedToken { actor: door.actor([]), issued, expires: i64::MAX, keys_until: None };
    let now: chrono::DateTime<Utc> = clock::now();
    let later = door.app.store.revocations(now + TimeDelta::days(7)).await.unwrap();
    assert!(later.refuses(&proof(now.timestamp())).is_some());
}
