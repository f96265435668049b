//! Project Wycheproof's signatures, as tokens are verified: what it calls invalid is refused, what it calls valid is believed.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify as pkcs1, rsa_pss_verify as pss};

/// Verifies one vector; counts it.
fn judge(
    count: &mut [usize; 2],
    what: &str,
    result: TestResult,
    sig: &[u8],
    msg: &[u8],
    key: &DecodingKey,
    by: Algorithm,
) {
    let believed = crypto::verify(&BASE64.encode(sig), msg, key, by).unwrap_or(false);
    match result {
        TestResult::Valid => assert!(believed, "{what}"),
        TestResult::Invalid => assert!(!believed, "{what}"),
        // Either is right.
        TestResult::Acceptable => {}
    }
    count[usize::from(believed)] += 1;
}

#[test]
fn es256_signatures() {
    let mut count = [0; 2];
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    for group in set.test_groups {
        let key = DecodingKey::from_ec_der(&group.key.key);
        for test in group.tests {
            let what = format!("{} {}", test.tc_id, test.comment);
            judge(&mut count, &what, test.result, &test.sig, &test.msg, &key, Algorithm::ES256);
        }
    }
    println!("{count:?}");
    assert!(count[0] > 50 && count[1] > 50, "{count:?}");
}

#[test]
fn eddsa_signatures() {
    let mut count = [0; 2];
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    for group in set.test_groups {
        let key = DecodingKey::from_ed_der(&group.key.pk);
        for test in group.tests {
            let what = format!("{} {}", test.tc_id, test.comment);
            judge(&mut count, &what, test.result, &test.sig, &test.msg, &key, Algorithm::EdDSA);
        }
    }
    println!("{count:?}");
    assert!(count[0] > 50 && count[1] > 50, "{count:?}");
}

#[test]
fn rs256_signatures() {
    let mut count = [0; 2];
    for name in [pkcs1::TestName::Rsa2048Sha256, pkcs1::TestName::Rsa3072Sha256, pkcs1::TestName::Rsa4096Sha256] {
        for group in pkcs1::TestSet::load(name).unwrap().test_groups {
            let key = DecodingKey::from_rsa_der(&group.asn_key);
            for test in group.tests {
                let what = format!("{} {}", test.tc_id, test.comment);
                judge(&mut count, &what, test.result, &test.sig, &test.msg, &key, Algorithm::RS256);
            }
        }
    }
    println!("{count:?}");
    assert!(count[0] > 100 && count[1] > 20, "{count:?}");
}

#[test]
fn ps256_signatures() {
    let mut count = [0; 2];
    let set = pss::TestSet::load(pss::TestName::RsaPss2048Sha256Mgf1SaltLen32).unwrap();
    for group in set.test_groups {
        let key = DecodingKey::from_rsa_der(&group.asn_key);
        for test in group.tests {
            let what = format!("{} {}", test.tc_id, test.comment);
            judge(&mut count, &what, test.result, &test.sig, &test.msg, &key, Algorithm::PS256);
        }
    }
    println!("{count:?}");
    assert!(count[0] > 20 && count[1] > 20, "{count:?}");
}
