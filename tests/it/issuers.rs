//! Other issuers: their keys, and what their tokens must say.

use chrono::TimeDelta;
use entity::{Permission, Permissions};
use futures_util::future::{Either, join, join_all, select};
use jsonwebtoken::{Algorithm, EncodingKey};
use rapport::{
    Error,
    auth::{Actor, Departments, departments},
};
use serde_json::{Value, json};

use crate::server::{Door, Mode, Provider, Signer, foreign_claims, now, sign, twice, with, without};

/// A door that believes one provider, and a key of that provider.
async fn open(change: impl FnOnce(&mut Value)) -> (Door, Provider, Signer) {
    let signer = Signer::es256("first");
    let provider = Provider::start(Mode::Keys(vec![signer.jwk()]));
    let mut terms = provider.terms("ES256");
    change(&mut terms);
    (Door::open(vec![terms]).await, provider, signer)
}

async fn judge(door: &Door, token: &str, seconds: i64) -> Result<Actor, Error> {
    door.gate.verify(token, now() + TimeDelta::seconds(seconds)).await
}

async fn refused(door: &Door, token: &str, why: &str) {
    let judged = judge(door, token, 0).await;
    assert!(matches!(judged, Err(Error::Unauthenticated(_))), "{why}: {judged:?} {token}");
}

fn scopes(names: &[&str]) -> Permissions {
    names.iter().map(|name| Permission::parse(name).unwrap()).collect()
}

/// The same claims, told apart: no two tokens of a test are one.
fn another(claims: &Value, number: usize) -> Value {
    with(claims.clone(), "number", number.into())
}

#[actix_web::test]
async fn a_providers_token_names_the_organization_by_slug_or_id() {
    let (door, _provider, signer) = open(|_| {}).await;
    let id = entity::id::encode("org", door.acme.into());
    for org in [json!("acme"), json!(id), json!(["acme"]), json!({ "acme": {} }), json!({ "acme": { "id": "x" } })] {
        let token = signer.sign(&with(foreign_claims(now()), "org", org));
        let actor = judge(&door, &token, 0).await.unwrap();
        assert_eq!((actor.organization, actor.subject.as_str()), (door.acme, "https://id.example/|ada"));
        assert_eq!((actor.permissions, actor.client), (scopes(&["map:read"]), None));
    }
    for org in [
        json!(null),
        json!(""),
        json!(1),
        json!([]),
        json!(["acme", "acme"]),
        json!([id, "acme"]),
        json!(["acme", null]),
        json!({ "acme": true }),
        json!({ "acme": {}, "other": {} }),
        json!({}),
        json!("ACME"),
        json!("nobody"),
        json!(entity::id::encode("org", entity::id::new())),
        json!(entity::id::encode("dept", door.acme.into())),
        json!(door.acme.0),
    ] {
        refused(&door, &signer.sign(&with(foreign_claims(now()), "org", org)), "org").await;
    }
    refused(&door, &signer.sign(&without(foreign_claims(now()), "org")), "no org").await;
}

#[actix_web::test]
async fn scopes_are_a_text_or_a_list_and_roles_stand_for_scopes() {
    let (door, _provider, signer) = open(|terms| {
        terms["scope-claim"] = "/rapport/scp".into();
        terms["organization-claim"] = "https://id.example/tenant".into();
        terms["role-claim"] = "/realm_access/roles".into();
        terms["role-scopes"] = json!({ "clerk": "record:read record:write", "head": "admin" });
    })
    .await;
    let token = |scp: Value, roles: Value| {
        let claims = without(without(foreign_claims(now()), "org"), "scope");
        let claims = with(claims, "https://id.example/tenant", "acme".into());
        let claims = if scp.is_null() { claims } else { with(claims, "rapport", json!({ "scp": scp })) };
        signer.sign(&if roles.is_null() { claims } else { with(claims, "realm_access", json!({ "roles": roles })) })
    };
    for (scp, roles, granted) in [
        (json!("map:read admin"), json!(null), &["map:read", "admin"][..]),
        (json!(["map:read", "openid"]), json!(null), &["map:read"]),
        (json!(""), json!(null), &[]),
        (json!([]), json!([]), &[]),
        (json!(null), json!(["clerk", "unknown"]), &["record:read", "record:write"]),
        (json!(null), json!("head"), &["admin"]),
        (json!(["map:read"]), json!(["clerk"]), &["map:read", "record:read", "record:write"]),
        (json!(["clerk"]), json!(["map:read"]), &[]),
        (json!("map:read  admin"), json!(null), &["map:read", "admin"]),
        (json!(" map:read "), json!(null), &["map:read"]),
        (json!(["map:read admin", "A role with spaces"]), json!(null), &[]),
        (
            json!((0..65).map(|number| format!("x:{number}")).chain(["admin".to_owned()]).collect::<Vec<_>>()),
            json!(null),
            &["admin"],
        ),
    ] {
        let actor = judge(&door, &token(scp.clone(), roles.clone()), 0).await.unwrap();
        assert_eq!(actor.permissions, scopes(granted), "{scp} {roles}");
    }
    for (scp, roles) in [
        (json!(null), json!(null)),
        (json!(["map:read", null]), json!(null)),
        (json!(["map:read", 1]), json!(null)),
        (json!({ "map:read": true }), json!(null)),
        (json!(true), json!(null)),
        (json!("map:read"), json!(["clerk", 1])),
        (json!("map:read"), json!({ "clerk": true })),
    ] {
        refused(&door, &token(scp.clone(), roles.clone()), &format!("{scp} {roles}")).await;
    }
}

#[actix_web::test]
async fn a_provider_names_departments_where_its_terms_say() {
    let (door, _provider, signer) = open(|terms| terms["departments-claim"] = "/rapport/desks".into()).await;
    let id = entity::id::encode("dept", entity::id::new());
    let token = |desks: Value| signer.sign(&with(foreign_claims(now()), "rapport", json!({ "desks": desks })));
    let narrowed = judge(&door, &token(json!([id])), 0).await.unwrap().departments;
    assert_eq!(narrowed, Departments::new(departments::parse(&id)));
    assert_eq!(judge(&door, &signer.sign(&foreign_claims(now())), 0).await.unwrap().departments, None);
    for wrong in [json!(null), json!(id), json!([7]), json!(["dept_1"])] {
        refused(&door, &token(wrong.clone()), &wrong.to_string()).await;
    }
}

#[actix_web::test]
async fn every_claim_and_header_of_a_providers_token_counts() {
    let (door, _provider, signer) = open(|_| {}).await;
    let (claims, header, time) = (foreign_claims(now()), signer.header(), now().timestamp());
    let seconds = f64::from(u32::try_from(time).unwrap());
    for optional in [
        with(claims.clone(), "jti", "1".into()),
        with(claims.clone(), "nbf", time.into()),
        with(claims.clone(), "client_id", "shop".into()),
        with(claims.clone(), "aud", "rapport-api".into()),
        with(claims.clone(), "typ", "Bearer".into()),
        with(claims.clone(), "exp", json!(seconds + 600.25)),
        with(claims.clone(), "iat", json!(seconds + 0.999)),
        with(claims.clone(), "nbf", json!(seconds - 0.5)),
    ] {
        assert!(judge(&door, &signer.sign(&optional), 0).await.is_ok(), "{optional}");
    }
    for (member, value) in [
        ("iss", json!("https://id.example")),
        ("aud", json!("rapport")),
        ("aud", json!(["other"])),
        ("aud", json!({ "rapport-api": true })),
        ("sub", json!("")),
        ("sub", json!(7)),
        ("exp", json!((time + 600).to_string())),
        ("exp", json!(1e300)),
        ("exp", json!(time + 86_401)),
        ("exp", json!(time - 31)),
        ("iat", json!(time + 31)),
        ("iat", json!(null)),
        ("nbf", json!(time + 31)),
        ("nbf", json!(time.to_string())),
        ("nbf", json!(null)),
        ("jti", json!("")),
        ("jti", json!(1)),
        ("client_id", json!(["shop"])),
        ("departments", json!(["dept_1"])),
        ("departments", json!(null)),
        ("at_hash", json!("x")),
        ("events", json!({})),
        ("typ", json!("ID")),
        ("typ", json!("Refresh")),
        ("typ", json!(1)),
    ] {
        refused(&door, &signer.sign(&with(claims.clone(), member, value.clone())), &format!("{member} {value}")).await;
    }
    for member in ["iss", "aud", "sub", "exp", "iat", "scope"] {
        refused(&door, &signer.sign(&without(claims.clone(), member)), member).await;
        let doubled = twice(&claims, member, &claims[member]);
        refused(&door, &signer.forge(&header.to_string(), &doubled), member).await;
    }
    for (member, value) in [
        ("typ", json!("JWT")),
        ("typ", json!("logout+jwt")),
        ("typ", json!(null)),
        ("crit", json!([])),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("jwk", signer.jwk()),
        ("jku", json!("http://127.0.0.1:1/keys")),
        ("x5u", json!("http://127.0.0.1:1/cert")),
        ("kid", json!(null)),
        ("kid", json!("")),
        ("kid", json!(1)),
    ] {
        let header = with(header.clone(), member, value.clone()).to_string();
        refused(&door, &signer.forge(&header, &claims.to_string()), &format!("{member} {value}")).await;
    }
    for member in ["typ", "kid", "alg"] {
        refused(&door, &signer.forge(&without(header.clone(), member).to_string(), &claims.to_string()), member).await;
        let doubled = twice(&header, member, &header[member]);
        refused(&door, &signer.forge(&doubled, &claims.to_string()), member).await;
    }
}

#[actix_web::test]
async fn tokens_called_jwt_are_believed_only_where_the_terms_say_so() {
    let (door, _provider, signer) = open(|terms| terms["type"] = "JWT".into()).await;
    let claims = foreign_claims(now()).to_string();
    for (typ, is_good) in [("JWT", true), ("jwt", true), ("at+jwt", false), ("id+jwt", false)] {
        let token = signer.forge(&with(signer.header(), "typ", typ.into()).to_string(), &claims);
        assert_eq!(judge(&door, &token, 0).await.is_ok(), is_good, "{typ}");
    }
}

#[actix_web::test]
async fn a_public_key_is_no_secret_and_no_other_family_is_believed() {
    let rsa = Signer::rs256("rsa");
    let curve = Signer::es256("curve");
    let secret = json!({ "kty": "oct", "k": "c2VjcmV0", "kid": "secret", "alg": "HS256" });
    let provider = Provider::start(Mode::Keys(vec![rsa.jwk(), curve.jwk(), secret]));
    let door = Door::open(vec![provider.terms("RS256")]).await;
    let claims = foreign_claims(now()).to_string();
    assert!(judge(&door, &rsa.forge(&rsa.header().to_string(), &claims), 0).await.is_ok());

    let header = |algorithm: &str, kid: &str| json!({ "alg": algorithm, "typ": "at+jwt", "kid": kid }).to_string();
    let (jwk, modulus) = (rsa.jwk().to_string(), rsa.jwk()["n"].as_str().unwrap().to_owned());
    for known in [jwk.as_bytes(), modulus.as_bytes(), b"secret"] {
        for kid in ["rsa", "secret"] {
            let key = EncodingKey::from_secret(known);
            refused(&door, &sign(&header("HS256", kid), &claims, &key, Algorithm::HS256), "HS256").await;
        }
    }
    refused(&door, &curve.forge(&header("ES256", "curve"), &claims), "another family").await;
    refused(&door, &sign(&header("PS256", "rsa"), &claims, &rsa.key, Algorithm::PS256), "another padding").await;
    refused(&door, &sign(&header("RS512", "rsa"), &claims, &rsa.key, Algorithm::RS512), "another hash").await;
    refused(&door, &sign(&header("RS256", "rsa"), &claims, &rsa.key, Algorithm::PS256), "under the wrong name").await;
    for unsigned in ["none", "None", "nOnE"] {
        let token = rsa.forge(&header(unsigned, "rsa"), &claims);
        refused(&door, &token, unsigned).await;
        refused(&door, &format!("{}.", token.rsplit_once('.').unwrap().0), unsigned).await;
    }
}

#[actix_web::test]
async fn a_rotated_key_is_found_and_a_withdrawn_one_forgotten() {
    let (door, provider, first) = open(|_| {}).await;
    let (second, claims) = (Signer::es256("second"), foreign_claims(now()));
    assert!(judge(&door, &first.sign(&claims), 0).await.is_ok());
    provider.turn(Mode::Keys(vec![second.jwk()]));
    assert!(judge(&door, &second.sign(&claims), 59).await.is_err(), "not within the cooldown");
    assert_eq!(provider.fetches(), 1);
    let known = second.sign(&claims);
    assert!(judge(&door, &known, 60).await.is_ok());
    assert_eq!(provider.fetches(), 2);
    assert!(judge(&door, &first.sign(&another(&claims, 1)), 61).await.is_err());
    // A token that was believed while its key was good is believed for ten minutes more.
    provider.turn(Mode::Keys(vec![first.jwk()]));
    assert!(judge(&door, &known, 659).await.is_ok());
    assert!(judge(&door, &known, 661).await.is_err());
    assert_eq!(provider.fetches(), 3);
}

#[actix_web::test]
async fn a_withdrawn_key_counts_ten_minutes_after_it_was_fetched_whenever_its_tokens_were_seen() {
    let (door, provider, signer) = open(|_| {}).await;
    let claims = foreign_claims(now());
    let tokens = [0, 1, 2].map(|number| signer.sign(&another(&claims, number)));
    for (token, seconds) in tokens.iter().zip([0, 300, 599]) {
        assert!(judge(&door, token, seconds).await.is_ok());
    }
    provider.turn(Mode::Keys(vec![Signer::es256("next").jwk()]));
    for token in &tokens {
        assert!(judge(&door, token, 599).await.is_ok());
        assert!(matches!(judge(&door, token, 600).await, Err(Error::Unauthenticated(_))));
    }
    assert_eq!(provider.fetches(), 2);
}

#[actix_web::test]
async fn a_thousand_unknown_key_ids_are_one_fetch() {
    let (door, provider, signer) = open(|_| {}).await;
    let claims = foreign_claims(now());
    assert!(judge(&door, &signer.sign(&claims), 0).await.is_ok());
    let bogus = |number: usize| {
        let header = with(signer.header(), "kid", format!("bogus-{number}").into());
        signer.forge(&header.to_string(), &claims.to_string())
    };
    for number in 0..1_000 {
        let seconds = i64::try_from(number).unwrap() * 59 / 1_000 + 60;
        assert!(matches!(judge(&door, &bogus(number), seconds).await, Err(Error::Unauthenticated(_))));
    }
    assert_eq!(provider.fetches(), 2);
    for kid in ["../../dev/null", "' OR 1=1", "a\0b", "http://127.0.0.1/", &"k".repeat(129), &"k".repeat(5_000)] {
        let header = with(signer.header(), "kid", kid.into()).to_string();
        assert!(judge(&door, &signer.forge(&header, &claims.to_string()), 1_000).await.is_err());
    }
    assert_eq!(provider.fetches(), 2, "what cannot be a key id is not asked for");
    assert!(judge(&door, &signer.sign(&another(&claims, 1)), 119).await.is_ok());
}

#[actix_web::test]
async fn an_outage_of_the_provider_is_not_noticed_for_a_day() {
    let (door, provider, signer) = open(|_| {}).await;
    let claims = foreign_claims(now());
    let token = |number| signer.sign(&another(&claims, number));
    assert!(judge(&door, &token(0), 0).await.is_ok());
    provider.turn(Mode::Away);
    for (number, seconds) in (0..60).map(|minute| (minute, i64::try_from(minute).unwrap() * 60)).skip(1) {
        assert!(judge(&door, &token(number), seconds).await.is_ok(), "after {seconds} seconds");
    }
    assert!(provider.fetches() <= 51, "{}", provider.fetches());
    let hours = |hours: i64| TimeDelta::hours(hours).num_seconds();
    let late = |seconds: i64| {
        let claims = foreign_claims(now() + TimeDelta::seconds(seconds));
        signer.sign(&claims)
    };
    assert!(judge(&door, &late(hours(24) - 1), hours(24) - 1).await.is_ok());
    assert!(matches!(judge(&door, &late(hours(24)), hours(24)).await, Err(Error::Unavailable)));
    provider.turn(Mode::Keys(vec![signer.jwk()]));
    assert!(judge(&door, &late(hours(25)), hours(25)).await.is_ok());
}

#[actix_web::test]
async fn many_requests_at_once_are_one_fetch() {
    let (door, provider, signer) = open(|_| {}).await;
    let claims = foreign_claims(now());
    let tokens: Vec<_> = (0..50).map(|number| signer.sign(&another(&claims, number))).collect();
    provider.hold();
    let judged = join_all(tokens.iter().map(|token| judge(&door, token, 0)));
    // All are under way when the first has asked.
    let ((), judged) = join(
        async {
            provider.asked().await;
            provider.release();
        },
        judged,
    )
    .await;
    assert!(judged.iter().all(Result::is_ok));
    assert_eq!(provider.fetches(), 1);
}

#[actix_web::test]
async fn a_caller_who_hangs_up_does_not_use_up_the_attempt() {
    let (door, provider, signer) = open(|_| {}).await;
    let token = signer.sign(&foreign_claims(now()));
    provider.hold();
    let hasty = select(Box::pin(judge(&door, &token, 0)), Box::pin(provider.asked())).await;
    assert!(matches!(hasty, Either::Right(_)), "the caller left before there was an answer");
    drop(hasty);
    provider.release();
    assert!(judge(&door, &token, 0).await.is_ok());
    assert_eq!(provider.fetches(), 1);
}

#[actix_web::test]
async fn answers_that_are_no_key_set_are_an_outage() {
    let (door, provider, signer) = open(|_| {}).await;
    let honest = Provider::start(Mode::Keys(vec![signer.jwk()]));
    let padding = "x".repeat(300_000);
    let huge = json!({ "keys": [signer.jwk()], "padding": padding }).to_string();
    let token = signer.sign(&foreign_claims(now()));
    let answers = [Mode::Elsewhere(honest.url.clone()), Mode::Body(huge), Mode::Body("<html>".to_owned()), Mode::Away];
    for (number, mode) in answers.into_iter().enumerate() {
        provider.turn(mode);
        let judged = judge(&door, &token, i64::try_from(number).unwrap() * 5).await;
        assert!(matches!(judged, Err(Error::Unavailable)), "{number}: {judged:?}");
        assert_eq!(provider.fetches(), number + 1);
    }
    assert_eq!(honest.fetches(), 0, "redirects are not followed");
    provider.turn(Mode::Keys(vec![signer.jwk()]));
    assert!(judge(&door, &token, 24).await.is_ok());
}
