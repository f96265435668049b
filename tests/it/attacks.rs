//! Everything that is wrong with a caller's credentials, sent to a real server: always 401, and why only to their owner.

use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use chrono::{DateTime, Utc};
use entity::Permission;
use jsonwebtoken::{Algorithm, EncodingKey};
use rapport::clock;
use serde_json::{Value, json};

use crate::server::{Answer, Door, Mode, Provider, Signer, foreign_claims, sign, twice, with, without};

const DAY: i64 = 86_400;

/// A listener that counts who comes.
fn listener() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let visits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&visits);
    let count = move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
    };
    std::thread::spawn(move || listener.incoming().for_each(count));
    (url, visits)
}

#[track_caller]
fn refused(answer: &Answer, why: &str) {
    assert_eq!(answer.refused(), (401, "UNAUTHENTICATED"), "{why}: {answer:?}");
    let message = answer.body["errors"][0]["message"].as_str().unwrap();
    let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{message}\"");
    assert_eq!(answer.challenge.as_deref(), Some(challenge.as_str()), "{why}");
    assert!(message.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !b"\"\\".contains(&byte)), "{message}");
    assert!(answer.body.get("data").is_none(), "{why}");
}

/// Tokens signed with the issuer's own key, each wrong in one way.
fn forgeries(door: &Door, attacker: &str) -> Vec<(String, String)> {
    let (signer, claims, header) = (&door.signer, door.claims(), door.signer.header());
    let now = clock::now().timestamp();
    let other = Signer::es256(&signer.id);
    let mut forged = Vec::new();
    for (member, value) in [
        ("alg", json!("none")),
        ("alg", json!("None")),
        ("alg", json!("nOnE")),
        ("alg", json!("HS256")),
        ("alg", json!("RS256")),
        ("typ", json!("JWT")),
        ("typ", json!("logout+jwt")),
        ("typ", json!("Refresh")),
        ("crit", json!(["exp"])),
        ("crit", json!(["unknown"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("jku", json!(attacker)),
        ("x5u", json!(attacker)),
        ("jwk", other.jwk()),
        ("kid", json!("../../dev/null")),
        ("kid", json!("' OR 1=1")),
        ("kid", json!("a\u{0}b")),
        ("kid", json!("k".repeat(5_000))),
        ("kid", json!("unknown")),
    ] {
        let header = with(header.clone(), member, value.clone()).to_string();
        for key in [signer, &other] {
            forged.push((format!("{member} {value}"), key.forge(&header, &claims.to_string())));
        }
    }
    forged.push(("no kid".to_owned(), signer.forge(&without(header.clone(), "kid").to_string(), &claims.to_string())));
    for (member, value) in [
        ("iss", json!(1)),
        ("iss", json!({ "rapport": "rapport" })),
        ("iss", json!(["rapport"])),
        ("iss", json!("rapport/")),
        ("iss", json!("https://attacker.example")),
        ("aud", json!(1)),
        ("aud", json!(true)),
        ("aud", json!(["other"])),
        ("exp", json!((now + 600).to_string())),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("exp", json!(95_617_584_000_i64)),
        ("exp", json!(now - 60)),
        ("nbf", json!(now + DAY)),
        ("nbf", json!(now.to_string())),
        ("iat", json!(now + DAY)),
        ("org", json!([claims["org"], claims["org"]])),
        ("org", json!("acme")),
        ("org", json!(door.acme.0)),
        ("scope", json!("map:read\tadmin")),
        ("scope", json!(["map:read", null])),
        ("scope", json!(vec!["a"; 10_000].join(" "))),
        ("departments", json!(["dept_1"])),
        ("padding", json!("x".repeat(9 * 1_024))),
    ] {
        forged.push((format!("{member} {value}"), signer.sign(&with(claims.clone(), member, value))));
    }
    for member in ["iss", "aud", "sub", "exp", "iat", "jti", "org", "scope"] {
        forged.push((format!("no {member}"), signer.sign(&without(claims.clone(), member))));
        let doubled = twice(&claims, member, &claims[member]);
        forged.push((format!("{member} twice"), signer.forge(&header.to_string(), &doubled)));
    }
    let genuine = signer.sign(&claims);
    let (message, signature) = genuine.rsplit_once('.').unwrap();
    let parts: Vec<_> = genuine.split('.').collect();
    let public = signer.jwk().to_string();
    let symmetric = with(header.clone(), "alg", "HS256".into()).to_string();
    let hmac = sign(&symmetric, &claims.to_string(), &EncodingKey::from_secret(public.as_bytes()), Algorithm::HS256);
    let others = BASE64.encode(with(claims, "sub", "eve".into()).to_string());
    forged.extend(
        [
            ("no signature", format!("{message}.")),
            ("two parts", message.to_owned()),
            ("five parts", format!("{genuine}.x.y")),
            ("a JSON serialisation", json!({ "payload": parts[1], "signature": signature }).to_string()),
            ("claims of another", format!("{}.{others}.{signature}", parts[0])),
            ("the public key as secret", hmac),
            ("not a token", "token".to_owned()),
        ]
        .map(|(why, token)| (why.to_owned(), token)),
    );
    forged
}

#[actix_web::test]
async fn forged_tokens_are_refused_alike() {
    let door = Door::open(Vec::new()).await;
    let (attacker, visits) = listener();
    assert!(door.lets_in(&door.signer.sign(&door.claims())).await, "forgeries are believed when nothing is wrong");
    for (why, token) in forgeries(&door, &attacker) {
        refused(&door.ask(&token).await, &why);
    }
    assert_eq!(visits.load(Ordering::SeqCst), 0, "no address in a token is visited");
}

#[actix_web::test]
async fn a_token_stands_in_one_header_and_nowhere_else() {
    let door = Door::open(Vec::new()).await;
    let token = door.token([Permission::MapRead]);
    let send = async |request: reqwest::RequestBuilder| Answer::of(request.send().await.unwrap()).await;
    for (why, request) in [
        ("another scheme", door.question().header("authorization", format!("Basic {token}"))),
        ("no scheme", door.question().header("authorization", token.clone())),
        ("no token", door.question().header("authorization", "Bearer ")),
        ("two tokens", door.question().header("authorization", format!("Bearer {token} {token}"))),
        ("two headers", door.question().bearer_auth(&token).header("authorization", format!("Bearer {token}"))),
        ("not text", door.question().header("authorization", &b"Bearer \xff\xfe"[..])),
    ] {
        refused(&send(request).await, why);
    }
    let query = json!({ "query": "{ organization { slug } }" });
    let elsewhere = [
        door.question(),
        door.post(&format!("/graphql?access_token={token}")).json(&query),
        door.post(&format!("/graphql?token={token}")).json(&query),
        door.question().header("cookie", format!("access_token={token}")),
        door.post("/graphql").json(&with(query.clone(), "extensions", json!({ "token": token }))),
    ];
    for request in elsewhere {
        let answer = send(request).await;
        assert_eq!(answer.refused(), (401, "UNAUTHENTICATED"));
        assert_eq!(answer.challenge.as_deref(), Some("Bearer"), "without a token there is nothing wrong with it");
    }
    let long = send(door.question().header("authorization", format!("Bearer {}", "x".repeat(100_000)))).await;
    assert!([400, 401, 431].contains(&long.status), "{long:?}");
    assert!(door.lets_in(&token).await);
}

#[actix_web::test]
async fn a_providers_forged_tokens_are_refused_alike() {
    let signer = Signer::es256("first");
    let provider = Provider::start(Mode::Keys(vec![signer.jwk(), Signer::es256("second").jwk()]));
    let door = Door::open(vec![provider.terms("ES256")]).await;
    let (attacker, visits) = listener();
    let claims = foreign_claims(clock::now());
    assert!(door.lets_in(&signer.sign(&claims)).await);
    let stranger = Signer::es256("first");
    let mut cases: Vec<(&str, String)> = vec![
        ("another key under a known id", stranger.sign(&claims)),
        ("our own key under the provider's name", door.signer.sign(&claims)),
        ("the provider's key under our name", signer.sign(&door.claims())),
        ("an unknown organization", signer.sign(&with(claims.clone(), "org", "nobody".into()))),
        ("two organizations", signer.sign(&with(claims.clone(), "org", json!(["acme", "other"])))),
        ("an audience of ours, not of these terms", signer.sign(&with(claims.clone(), "aud", "rapport".into()))),
    ];
    for (member, value) in [
        ("jku", json!(attacker)),
        ("x5u", json!(attacker)),
        ("jwk", stranger.jwk()),
        ("kid", Value::Null),
        ("kid", json!("unknown")),
        ("kid", json!(attacker)),
        ("alg", json!("none")),
    ] {
        let header = with(signer.header(), member, value).to_string();
        cases.push((member, signer.forge(&header, &claims.to_string())));
        cases.push((member, stranger.forge(&header, &claims.to_string())));
    }
    for (why, token) in cases {
        refused(&door.ask(&token).await, why);
    }
    assert_eq!(visits.load(Ordering::SeqCst), 0);
    assert_eq!(provider.fetches(), 1, "the cooldown holds");
}

#[actix_web::test]
async fn a_provider_that_never_answered_is_an_outage_and_not_a_refusal() {
    let signer = Signer::es256("first");
    let provider = Provider::start(Mode::Away);
    let door = Door::open(vec![provider.terms("ES256")]).await;
    let answer = door.ask(&signer.sign(&foreign_claims(clock::now()))).await;
    assert_eq!(answer.refused(), (503, "UNAVAILABLE"));
    assert_eq!(answer.retry_after.as_deref(), Some("1"));
    assert!(door.lets_in(&door.token([])).await, "others are not kept waiting");
}

#[actix_web::test]
async fn what_was_withdrawn_is_refused_like_a_forgery() {
    let door = Door::open(Vec::new()).await;
    let token = door.token([]);
    assert!(door.lets_in(&token).await);
    let now: DateTime<Utc> = clock::now();
    let tx = door.app.store.scope(door.actor([]), now).begin().await.unwrap();
    tx.suspend(true).await.unwrap();
    tx.commit().await.unwrap();
    door.gate.poll(now).await.unwrap();
    refused(&door.ask(&token).await, "a suspended organization");
}

/// The one message of a 401.
async fn told(door: &Door, header: &str) -> String {
    let answer = Answer::of(door.question().header("authorization", header).send().await.unwrap()).await;
    refused(&answer, header);
    answer.body["errors"][0]["message"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_401_says_to_its_owner_what_is_wrong_with_a_token() {
    let provider_key = Signer::es256("first");
    let provider = Provider::start(Mode::Keys(vec![provider_key.jwk()]));
    let mut terms = provider.terms("ES256");
    terms["organizations"] = json!(["acme"]);
    let door = Door::open(vec![terms]).await;
    door.app.organization("other").await;
    let (now, ours) = (clock::now().timestamp(), door.claims());
    let theirs = with(foreign_claims(clock::now()), "exp", (now + 600).into());
    let instant = |seconds| DateTime::from_timestamp(seconds, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    for (member, value, reason) in [
        ("exp", json!(now - 60), instant(now - 60)),
        ("nbf", json!(now + 300), instant(now + 300)),
        ("aud", json!("other"), "audience".to_owned()),
        ("sub", json!(""), "claim sub".to_owned()),
        ("departments", json!(["dept_1"]), "departments".to_owned()),
    ] {
        // A token that ends before it begins is no token at any time.
        let issued = |claims: &Value| with(claims.clone(), "iat", (now - 600).into());
        for (signer, claims) in [(&door.signer, &ours), (&provider_key, &theirs)] {
            let token = signer.sign(&with(issued(claims), member, value.clone()));
            let told = told(&door, &format!("Bearer {token}")).await;
            assert!(told.contains(&reason), "{member}: {told}");
        }
    }
    let elsewhere = provider_key.sign(&with(theirs.clone(), "org", "other".into()));
    let nowhere = provider_key.sign(&with(theirs, "org", "nobody".into()));
    let [elsewhere, nowhere] =
        [told(&door, &format!("Bearer {elsewhere}")).await, told(&door, &format!("Bearer {nowhere}")).await];
    assert!(elsewhere == nowhere && elsewhere.contains("organization"), "which organizations there are is not told");
    let token = door.token([]);
    let at: DateTime<Utc> = clock::now();
    let tx = door.app.store.scope(door.actor([]), at).begin().await.unwrap();
    tx.revoke_tokens(rapport::auth::revoked::Revocation::Subject, "ada").await.unwrap();
    tx.commit().await.unwrap();
    door.gate.poll(at).await.unwrap();
    assert!(told(&door, &format!("Bearer {token}")).await.contains("revoked"));
    for (header, reason) in
        [(token.as_str(), "begin with Bearer"), ("Bearer x.y", "three parts"), ("Basic eDp5", "begin with Bearer")]
    {
        assert!(told(&door, header).await.contains(reason), "{header}");
    }
}

#[actix_web::test]
async fn a_stranger_learns_nothing_of_issuers_keys_or_organizations() {
    let known = Signer::es256("first");
    let provider = Provider::start(Mode::Keys(vec![known.jwk()]));
    let door = Door::open(vec![provider.terms("ES256")]).await;
    let (stranger, unknown) = (Signer::es256("first"), Signer::es256("second"));
    let claims = foreign_claims(clock::now());
    let forged = Signer { id: door.signer.id.clone(), ..Signer::es256("") };
    let mut seen = Vec::new();
    for token in [
        stranger.sign(&claims),
        unknown.sign(&claims),
        stranger.sign(&with(claims.clone(), "iss", "https://nobody.example/".into())),
        stranger.sign(&with(claims.clone(), "exp", 1.into())),
        stranger.sign(&with(claims.clone(), "aud", "other".into())),
        stranger.sign(&with(claims.clone(), "org", "nobody".into())),
        stranger.forge(&with(stranger.header(), "typ", "JWT".into()).to_string(), &claims.to_string()),
        forged.sign(&door.claims()),
        forged.sign(&with(door.claims(), "exp", 1.into())),
        unknown.sign(&door.claims()),
    ] {
        seen.push(told(&door, &format!("Bearer {token}")).await);
    }
    assert!(seen.iter().all(|told| *told == seen[0]), "{seen:#?}");
}
