//! Forged, expired and malformed tokens, each with one defect only.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use entity::Permission;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::*;
use crate::auth::claims::{MAX_LIFETIME, MAX_NAME_LENGTH};

const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW, 0).unwrap()
}

fn es256() -> SigningKey {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    SigningKey::parse(pair.to_pkcs8v1().unwrap().as_ref()).unwrap()
}

fn eddsa() -> SigningKey {
    SigningKey::parse(Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap().as_ref()).unwrap()
}

fn tokens() -> Tokens {
    Tokens::new(es256(), "rapport").unwrap()
}

fn actor() -> Actor {
    Actor {
        organization: OrganizationId(entity::id::new()),
        subject: "ada".to_owned(),
        client: Some("crm".to_owned()),
        permissions: [Permission::MapRead, Permission::RecordWrite].into_iter().collect(),
        expires: None,
        departments: None,
    }
}

fn header(tokens: &Tokens) -> Value {
    json!({ "alg": "ES256", "typ": "at+jwt", "kid": tokens.key.id })
}

fn claims() -> Value {
    json!({
        "iss": "rapport", "aud": "rapport", "sub": "ada", "exp": NOW + 600, "iat": NOW, "jti": "1",
        "org": entity::id::encode("org", entity::id::new()), "scope": "map:read record:write",
    })
}

fn sign(header: &str, claims: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

/// Returns a token with any header and claims, signed with the issuer's key.
fn forge(tokens: &Tokens, header: &str, claims: &str) -> String {
    sign(header, claims, &tokens.key.private, tokens.key.algorithm)
}

fn with(mut object: Value, member: &str, value: Value) -> Value {
    object[member] = value;
    object
}

fn without(mut object: Value, member: &str) -> Value {
    object.as_object_mut().unwrap().remove(member).unwrap();
    object
}

/// Appends a member to a JSON object, also if the object already has that member.
fn twice(object: &Value, member: &str, value: &Value) -> String {
    format!("{},\"{member}\":{value}}}", object.to_string().strip_suffix('}').unwrap())
}

#[track_caller]
fn refused(tokens: &Tokens, token: &str, why: &str) {
    assert!(matches!(tokens.verify(token, now()), Err(Error::Unauthenticated(_))), "{why}: {token}");
}

#[test]
fn a_token_brings_back_the_actor_it_was_issued_to() {
    for key in [es256(), eddsa()] {
        let tokens = Tokens::new(key, "https://id.example").unwrap();
        let issued = actor();
        let token = tokens.issue(&issued, TimeDelta::hours(1), now()).unwrap();
        let verified = tokens.verify(token.expose_secret(), now()).unwrap().actor;
        assert_eq!(verified.organization, issued.organization);
        assert_eq!(verified.subject, issued.subject);
        assert_eq!(verified.client, issued.client);
        assert_eq!(verified.permissions, issued.permissions);
    }
}

#[test]
fn the_forgeries_of_these_tests_are_believed_when_nothing_is_wrong() {
    let tokens = tokens();
    let genuine = forge(&tokens, &header(&tokens).to_string(), &claims().to_string());
    assert!(tokens.verify(&genuine, now()).is_ok());
    for (member, value) in [
        ("aud", json!(["other", "rapport"])),
        ("nbf", json!(NOW)),
        ("client_id", json!("crm")),
        ("scope", json!("")),
        ("scope", json!("map:read  admin")),
        ("scope", json!(" map:read ")),
        ("scope", json!(vec!["a"; 65].join(" "))),
        ("exp", json!(600.25 + 1_800_000_000.0)),
        ("iat", json!(1_800_000_000.999)),
        ("nbf", json!(1.8e9)),
        ("unknown", json!({ "any": [1, null] })),
    ] {
        let token = forge(&tokens, &header(&tokens).to_string(), &with(claims(), member, value).to_string());
        assert!(tokens.verify(&token, now()).is_ok(), "{member}");
    }
}

#[test]
fn a_token_lives_from_its_first_second_to_its_last() {
    let tokens = tokens();
    let token = tokens.issue(&actor(), TimeDelta::minutes(10), now()).unwrap();
    let at = |seconds| tokens.verify(token.expose_secret(), now() + TimeDelta::seconds(seconds)).is_ok();
    assert_eq!([-31, -30, 0, 600, 629, 630].map(at), [false, true, true, true, true, false]);
}

#[test]
fn only_tokens_of_1_second_to_24_hours_with_a_subject_are_issued() {
    let tokens = tokens();
    for (life, is_issued) in [
        (TimeDelta::zero(), false),
        (TimeDelta::seconds(-5), false),
        (TimeDelta::seconds(1), true),
        (MAX_LIFETIME, true),
        (MAX_LIFETIME + TimeDelta::seconds(1), false),
        (TimeDelta::MAX, false),
    ] {
        assert_eq!(tokens.issue(&actor(), life, now()).is_ok(), is_issued, "{life}");
    }
    let nobody = Actor { subject: String::new(), ..actor() };
    assert!(matches!(tokens.issue(&nobody, TimeDelta::hours(1), now()), Err(Error::BadInput(_))));
}

#[test]
fn wrong_claims_are_refused() {
    let tokens = tokens();
    let long = "x".repeat(MAX_NAME_LENGTH + 1);
    let cases = [
        ("iss", json!(1)),
        ("iss", json!(null)),
        ("iss", json!({ "rapport": "rapport" })),
        ("iss", json!(["rapport"])),
        ("iss", json!("rapport/")),
        ("iss", json!("Rapport")),
        ("aud", json!(1)),
        ("aud", json!(true)),
        ("aud", json!(null)),
        ("aud", json!([])),
        ("aud", json!(["other"])),
        ("aud", json!(["rapport", 1])),
        ("aud", json!("other")),
        ("aud", json!("rapport ")),
        ("sub", json!(7)),
        ("sub", json!(null)),
        ("sub", json!("")),
        ("sub", json!(long)),
        ("exp", json!((NOW + 600).to_string())),
        ("exp", json!(null)),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("exp", json!(95_617_584_000_i64)),
        ("exp", json!(u64::MAX)),
        ("exp", json!(i64::MAX)),
        ("exp", json!(NOW + DAY + 1)),
        ("exp", json!(NOW)),
        ("exp", json!(NOW - 31)),
        ("iat", json!(NOW - DAY)),
        ("iat", json!(NOW + 31)),
        ("iat", json!(NOW.to_string())),
        ("iat", json!(i64::MIN)),
        ("nbf", json!(NOW + 31)),
        ("nbf", json!(NOW + DAY)),
        ("nbf", json!(NOW.to_string())),
        ("nbf", json!(null)),
        ("jti", json!(1)),
        ("jti", json!("")),
        ("jti", json!(long)),
        ("client_id", json!(1)),
        ("client_id", json!("")),
        ("client_id", json!(long)),
        ("departments", json!(["dept_1"])),
        ("departments", json!("dept_1")),
        ("departments", json!({})),
        ("departments", json!(null)),
        ("org", json!(null)),
        ("org", json!("")),
        ("org", json!(uuid::Uuid::nil())),
        ("org", json!(entity::id::encode("point", entity::id::new()))),
        ("org", json!(entity::id::encode("org", entity::id::new()).to_uppercase())),
        ("org", json!([claims()["org"], claims()["org"]])),
        ("scope", json!(null)),
        ("scope", json!(["map:read"])),
        ("scope", json!("map:read\tadmin")),
        ("scope", json!("map:read,\u{e4}")),
        ("scope", json!("map:read \"admin\"")),
    ];
    for (member, value) in cases {
        let token = forge(&tokens, &header(&tokens).to_string(), &with(claims(), member, value).to_string());
        refused(&tokens, &token, member);
    }
}

#[test]
fn missing_claims_are_refused() {
    let tokens = tokens();
    for member in ["iss", "aud", "sub", "exp", "iat", "jti", "org", "scope"] {
        let token = forge(&tokens, &header(&tokens).to_string(), &without(claims(), member).to_string());
        refused(&tokens, &token, member);
    }
}

#[test]
fn claims_given_twice_are_refused() {
    let tokens = tokens();
    for member in ["iss", "aud", "sub", "exp", "iat", "jti", "org", "scope"] {
        let token = forge(&tokens, &header(&tokens).to_string(), &twice(&claims(), member, &claims()[member]));
        refused(&tokens, &token, member);
    }
    for claims in ["", "null", "[]", "42", "{", &"[".repeat(1_000)] {
        refused(&tokens, &forge(&tokens, &header(&tokens).to_string(), claims), "no claims");
    }
}

#[test]
fn wrong_headers_are_refused() {
    let tokens = tokens();
    let jwk = serde_json::to_value(es256().jwk).unwrap();
    let good = || header(&tokens);
    let mut cases = vec![
        ("no kid".to_owned(), without(good(), "kid").to_string()),
        ("no typ".to_owned(), without(good(), "typ").to_string()),
        ("no alg".to_owned(), without(good(), "alg").to_string()),
        ("alg twice".to_owned(), twice(&good(), "alg", &json!("ES256"))),
        ("kid twice".to_owned(), twice(&good(), "kid", &good()["kid"])),
    ];
    for (member, value) in [
        ("alg", json!("none")),
        ("alg", json!("None")),
        ("alg", json!("nOnE")),
        ("alg", json!("HS256")),
        ("alg", json!("RS256")),
        ("alg", json!("EdDSA")),
        ("alg", json!("ES384")),
        ("typ", json!("JWT")),
        ("typ", json!("logout+jwt")),
        ("typ", json!("Refresh")),
        ("typ", json!(1)),
        ("crit", json!(["exp"])),
        ("crit", json!(["unknown"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
        ("cty", json!("JWT")),
        ("jku", json!("https://attacker.example/jwks.json")),
        ("x5u", json!("https://attacker.example/cert.pem")),
        ("jwk", jwk),
        ("kid", json!("")),
        ("kid", json!("../../dev/null")),
        ("kid", json!("' OR 1=1")),
        ("kid", json!("\u{0}")),
        ("kid", json!(1)),
        ("kid", json!("k".repeat(4_000))),
    ] {
        cases.push((format!("{member} {value}"), with(good(), member, value).to_string()));
    }
    for (why, header) in cases {
        refused(&tokens, &forge(&tokens, &header, &claims().to_string()), &why);
    }
}

#[test]
fn wrong_signatures_are_refused() {
    let tokens = tokens();
    let (header, claims) = (header(&tokens), claims().to_string());
    let genuine = forge(&tokens, &header.to_string(), &claims);
    let (message, signature) = genuine.rsplit_once('.').unwrap();

    let unsigned = with(header.clone(), "alg", json!("none")).to_string();
    refused(&tokens, &format!("{}.{}.", BASE64.encode(unsigned), BASE64.encode(&claims)), "alg none, empty signature");
    refused(&tokens, &format!("{message}."), "empty signature");
    refused(&tokens, message, "no signature");
    refused(&tokens, &format!("{message}.{}", BASE64.encode([0; 64])), "signature of zeros");

    let other = es256();
    refused(&tokens, &sign(&header.to_string(), &claims, &other.private, Algorithm::ES256), "signed with another key");

    let symmetric = with(header.clone(), "alg", json!("HS256")).to_string();
    for secret in [tokens.jwks().as_bytes(), tokens.key.public.try_get_as_bytes().unwrap(), b""] {
        let token = sign(&symmetric, &claims, &EncodingKey::from_secret(secret), Algorithm::HS256);
        refused(&tokens, &token, "the public key as a secret");
        let token = sign(&header.to_string(), &claims, &EncodingKey::from_secret(secret), Algorithm::HS256);
        refused(&tokens, &token, "the public key as a secret, under the right header");
    }

    let others = with(serde_json::from_str(&claims).unwrap(), "sub", json!("eve")).to_string();
    let swapped = format!("{}.{}.{signature}", BASE64.encode(header.to_string()), BASE64.encode(others));
    refused(&tokens, &swapped, "claims of another token");
}

#[test]
fn other_shapes_than_a_signed_token_are_refused() {
    let tokens = tokens();
    let genuine = forge(&tokens, &header(&tokens).to_string(), &claims().to_string());
    let parts: Vec<_> = genuine.split('.').collect();
    let json = json!({ "protected": parts[0], "payload": parts[1], "signature": parts[2] }).to_string();
    for token in [
        "",
        ".",
        "..",
        "....",
        "\0",
        &json,
        &format!("{genuine}.."),
        &format!("a.b.{genuine}"),
        &format!("{genuine}="),
        &format!(" {genuine}"),
        &format!("{genuine}\n"),
        &format!("Bearer {genuine}"),
    ] {
        refused(&tokens, token, "shape");
    }
}

#[test]
fn long_tokens_are_refused() {
    let tokens = tokens();
    let padded = |bytes| with(claims(), "padding", json!("x".repeat(bytes))).to_string();
    let long = forge(&tokens, &header(&tokens).to_string(), &padded(6_500));
    assert!(long.len() > MAX_BYTES);
    refused(&tokens, &long, "9 KiB");
    let short = forge(&tokens, &header(&tokens).to_string(), &padded(5_500));
    assert!(tokens.verify(&short, now()).is_ok());
}

#[test]
fn tokens_of_another_issuer_are_refused() {
    let (here, there) = (tokens(), tokens());
    let token = there.issue(&actor(), TimeDelta::hours(1), now()).unwrap();
    refused(&here, token.expose_secret(), "another key");
    let renamed = Tokens::new(here.key.clone(), "elsewhere").unwrap();
    let token = renamed.issue(&actor(), TimeDelta::hours(1), now()).unwrap();
    refused(&here, token.expose_secret(), "the same key, another name");
    let edwards = Tokens::new(eddsa(), "rapport").unwrap();
    let token = here.issue(&actor(), TimeDelta::hours(1), now()).unwrap();
    refused(&edwards, token.expose_secret(), "another algorithm");
}

#[test]
fn unknown_scopes_grant_nothing() {
    let tokens = tokens();
    let scope = json!("map:read map:destroy * ADMIN map:write:all map:read");
    let token = forge(&tokens, &header(&tokens).to_string(), &with(claims(), "scope", scope).to_string());
    let granted = tokens.verify(&token, now()).unwrap().actor.permissions;
    assert_eq!(granted, [Permission::MapRead].into_iter().collect());
}

#[test]
fn the_key_set_names_the_key_of_the_tokens() {
    let tokens = tokens();
    let set: Value = serde_json::from_str(tokens.jwks()).unwrap();
    assert_eq!(set["keys"].as_array().unwrap().len(), 1);
    assert_eq!((&set["keys"][0]["kid"], &set["keys"][0]["alg"]), (&header(&tokens)["kid"], &header(&tokens)["alg"]));
}
