//! Malformed signatures of the kinds that Project Wycheproof collects.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};

use super::*;

/// The order of P-256, big-endian.
const N: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7,
    0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];
/// The order of the base point of edwards25519, little-endian.
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// Returns an issuer, the signed part of one of its tokens, and the signature.
fn signed(der: &[u8]) -> (Tokens, String, Vec<u8>) {
    let tokens = Tokens::new(SigningKey::parse(der).unwrap(), "rapport").unwrap();
    let actor = Actor {
        organization: OrganizationId(entity::id::new()),
        subject: "ada".to_owned(),
        client: None,
        permissions: Permissions::default(),
        expires: None,
        departments: None,
    };
    let token = tokens.issue(&actor, TimeDelta::minutes(10), now()).unwrap();
    let (message, signature) = token.expose_secret().rsplit_once('.').unwrap();
    let signature = BASE64.decode(signature).unwrap();
    (tokens, message.to_owned(), signature)
}

fn es256() -> (Tokens, String, Vec<u8>) {
    signed(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap().to_pkcs8v1().unwrap().as_ref())
}

fn eddsa() -> (Tokens, String, Vec<u8>) {
    signed(Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap().as_ref())
}

fn is_believed(tokens: &Tokens, message: &str, signature: &[u8]) -> bool {
    tokens.verify(&format!("{message}.{}", BASE64.encode(signature)), now()).is_ok()
}

fn two(r: &[u8], s: &[u8]) -> Vec<u8> {
    [r, s].concat()
}

/// `left - right`, big-endian.
fn minus(left: &[u8; 32], right: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut difference: Vec<u8> = left
        .iter()
        .zip(right)
        .rev()
        .map(|(left, right)| {
            let digit = i16::from(*left) - i16::from(*right) - borrow;
            borrow = i16::from(digit < 0);
            u8::try_from(digit.rem_euclid(256)).unwrap()
        })
        .collect();
    difference.reverse();
    difference
}

/// `left + right`, little-endian.
fn plus(left: &[u8], right: &[u8; 32]) -> Vec<u8> {
    let mut carry = 0;
    left.iter()
        .zip(right)
        .map(|(left, right)| {
            let digit = u16::from(*left) + u16::from(*right) + carry;
            carry = digit / 256;
            u8::try_from(digit % 256).unwrap()
        })
        .collect()
}

/// Encodes a signature in DER, as X.509 does.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let mut bytes = vec![0];
        bytes.extend(number);
        let bytes: Vec<u8> = if number[0] < 0x80 { bytes[1..].to_vec() } else { bytes };
        [&[2, u8::try_from(bytes.len()).unwrap()], &bytes[..]].concat()
    };
    let body = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(body.len()).unwrap()], &body[..]].concat()
}

#[test]
fn wrong_shapes_of_an_ecdsa_signature_are_refused() {
    let (tokens, message, signature) = es256();
    assert!(is_believed(&tokens, &message, &signature));
    let (r, s) = signature.split_at(32);
    let (zero, mut one, full) = ([0; 32], [0; 32], [0xff; 32]);
    one[31] = 1;
    for (why, wrong) in [
        ("r and s are 0", two(&zero, &zero)),
        ("r is 0", two(&zero, s)),
        ("s is 0", two(r, &zero)),
        ("r and s are 1", two(&one, &one)),
        ("r is n", two(&N, s)),
        ("s is n", two(r, &N)),
        ("r and s are n", two(&N, &N)),
        ("r is n - r", two(&minus(&N, r), s)),
        ("all bits are set", two(&full, &full)),
        ("r and s are swapped", two(s, r)),
        ("s is left out", r.to_vec()),
        ("a byte is missing", signature[..63].to_vec()),
        ("the first byte is missing", signature[1..].to_vec()),
        ("a byte is added", two(&signature, &[0])),
        ("a byte stands in front", two(&[0], &signature)),
        ("r and s are padded", two(&two(&[0], r), &two(&[0], s))),
        ("it is twice there", two(&signature, &signature)),
        ("it is written as DER", der(r, s)),
        ("it is empty", Vec::new()),
    ] {
        assert!(!is_believed(&tokens, &message, &wrong), "{why}");
    }
    for bit in [0, 7, 255, 256, 511] {
        let mut flipped = signature.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(!is_believed(&tokens, &message, &flipped), "bit {bit}");
    }
}

/// JWS (RFC 7518, 3.4) does not require a low `s`, so anyone can compute a second valid signature. Nothing relies on a
/// token having a unique encoding: revocations name the organization, client or subject, never the token.
#[test]
fn the_twin_of_an_ecdsa_signature_is_believed() {
    let (tokens, message, signature) = es256();
    let (r, s) = signature.split_at(32);
    assert!(is_believed(&tokens, &message, &two(r, &minus(&N, s))));
}

#[test]
fn wrong_shapes_of_an_eddsa_signature_are_refused() {
    let (tokens, message, signature) = eddsa();
    assert!(is_believed(&tokens, &message, &signature));
    let (r, s) = signature.split_at(32);
    let (zero, mut neutral) = ([0; 32], [0; 32]);
    neutral[0] = 1;
    for (why, wrong) in [
        ("r and s are 0", two(&zero, &zero)),
        ("s is 0", two(r, &zero)),
        ("r is the neutral point", two(&neutral, s)),
        ("r is the neutral point and s is 0", two(&neutral, &zero)),
        ("s is L", two(r, &L)),
        ("s has a twin above L", two(r, &plus(s, &L))),
        ("r and s are swapped", two(s, r)),
        ("a byte is missing", signature[..63].to_vec()),
        ("a byte is added", two(&signature, &[0])),
        ("it is empty", Vec::new()),
        ("all bits are set", vec![0xff; 64]),
    ] {
        assert!(!is_believed(&tokens, &message, &wrong), "{why}");
    }
}

#[test]
fn a_signature_has_one_spelling_in_base64() {
    for (tokens, message, signature) in [es256(), eddsa()] {
        let text = BASE64.encode(&signature);
        let (front, last) = text.split_at(text.len() - 1);
        // Four bits of the last letter are unused.
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let place = letters.find(last).unwrap();
        for other in (place + 1)..(place + 16) {
            let token = format!("{message}.{front}{}", &letters[other..=other]);
            assert!(tokens.verify(&token, now()).is_err());
        }
        let plain = text.replace('-', "+").replace('_', "/");
        for other in [format!("{text}="), format!("{text}=="), format!("{text}\n"), format!("{front}\n{last}")] {
            assert!(tokens.verify(&format!("{message}.{other}"), now()).is_err(), "{other:?}");
        }
        assert_eq!(tokens.verify(&format!("{message}.{plain}"), now()).is_ok(), plain == text);
    }
}
