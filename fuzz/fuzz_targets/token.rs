//! Verifies any text as a token, and any header and claims with a genuine signature. Verification must not panic or
//! accept an expired token or an empty subject.

#![no_main]

use std::sync::LazyLock;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use chrono::DateTime;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use libfuzzer_sys::fuzz_target;
use rapport::auth::{key::SigningKey, tokens::Tokens};

static ISSUER: LazyLock<(Tokens, EncodingKey, String)> = LazyLock::new(|| {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key can be made");
    let der = pair.to_pkcs8v1().expect("a key can be written");
    let key = SigningKey::parse(der.as_ref()).expect("a key can be read");
    let tokens = Tokens::new(key, "rapport").expect("a key can sign");
    let jwks = tokens.jwks();
    let (_, rest) = jwks.split_once("\"kid\":\"").expect("a key has an id");
    let id = rest.split('"').next().unwrap_or_default();
    let header = format!("{{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":\"{id}\"}}");
    (tokens, EncodingKey::from_ec_der(der.as_ref()), header)
});

fuzz_target!(|text: &str| {
    let (tokens, key, genuine) = &*ISSUER;
    let now = DateTime::UNIX_EPOCH;
    let _ = tokens.verify(text, now);
    let (header, claims) = text.split_once('\n').unwrap_or((genuine, text));
    let message = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
    let signature = crypto::sign(message.as_bytes(), key, Algorithm::ES256).expect("a key can sign");
    if let Ok(proof) = tokens.verify(&format!("{message}.{signature}"), now) {
        assert!(proof.expires + 30 >= 0 && !proof.actor.subject.is_empty());
    }
});
