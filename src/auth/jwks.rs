//! The public keys (JWKS) of an external issuer: fetched on demand, rate-limited, and by one request at a time.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use reqwest::{Client, Response, Url, redirect::Policy};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::{Error, Result, error::reason::Reason};

/// How long fetched keys are used without fetching again.
const FRESH: TimeDelta = TimeDelta::minutes(10);
/// How long fetched keys are used while the issuer cannot be reached.
const STALE: TimeDelta = TimeDelta::hours(24);
/// Minimum interval between two fetches, so that tokens with invented key ids cannot make this server flood the issuer.
const COOLDOWN: TimeDelta = TimeDelta::seconds(60);
/// Minimum interval between two fetches while there are no usable keys.
const RETRY_TIMEOUT: TimeDelta = TimeDelta::seconds(5);
/// Timeout of one fetch.
const TIMEOUT: Duration = Duration::from_secs(3);
/// Maximum size of the response body, in bytes.
const MAX_BYTES: usize = 256 * 1_024;
/// Maximum number of keys per issuer.
const MAX_KEYS: usize = 100;
/// Maximum length of a key id, in bytes.
const MAX_ID_LENGTH: usize = 128;
/// Accepted sizes of RSA keys, in bits: shorter keys are insecure, longer ones only cost time.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;

/// Keys by key id.
type Keys = HashMap<String, Arc<DecodingKey>>;

/// The public keys of an issuer.
#[derive(Clone)]
pub(super) struct Jwks(Arc<Inner>);

struct Inner {
    address: Url,
    algorithm: Algorithm,
    http: Client,
    known: RwLock<Known>,
    turn: Arc<Mutex<()>>,
}

#[derive(Default)]
struct Known {
    keys: Keys,
    read: Option<DateTime<Utc>>,
    tried: Option<DateTime<Utc>>,
}

impl Jwks {
    /// Creates the key set of the URL `address`, for one algorithm. Fetches nothing yet.
    pub fn new(address: Url, algorithm: Algorithm) -> Result<Self> {
        // Installs the only cryptographic backend; `Err` means that it is installed already.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let http = Client::builder()
            .user_agent(concat!("rapport/", env!("CARGO_PKG_VERSION")))
            .timeout(TIMEOUT)
            .redirect(Policy::none())
            .no_proxy()
            // Each worker thread has its own runtime; a connection opened on one cannot be reused on another.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| Error::Internal(Arc::new(error)))?;
        Ok(Self(Arc::new(Inner { address, algorithm, http, known: RwLock::default(), turn: Arc::default() })))
    }

    /// Returns the key with the id `id`, and the time until which tokens verified with it may be cached: a withdrawn
    /// key must not be trusted longer than the fetched key set. Err is `Unauthenticated` if the id is unknown, and
    /// `Unavailable` if there are no usable keys. The id is only looked up in a map.
    pub async fn key(&self, id: &str, now: DateTime<Utc>) -> Result<(Arc<DecodingKey>, DateTime<Utc>)> {
        if !is_id(id) {
            return Err(Error::Unauthenticated(Reason::UnknownKey));
        }
        let (key, age) = self.0.look(id, now);
        if let (Some(key), Some(age)) = (&key, age)
            && age < FRESH
        {
            return Ok((Arc::clone(key), now - age + FRESH));
        }
        let is_usable = key.is_some() && age.is_some_and(|age| age < STALE);
        let turn = Arc::clone(&self.0.turn);
        // A caller that has a usable key does not wait for another caller's fetch.
        let turn = if is_usable { turn.try_lock_owned().ok() } else { Some(turn.lock_owned().await) };
        if let Some(turn) = turn
            && self.0.may_try(now)
        {
            let inner = Arc::clone(&self.0);
            // Runs in its own task, so that a caller that disconnects cannot cancel the attempt.
            let fetch = tokio::spawn(async move {
                inner.fetch(now).await;
                drop(turn);
            });
            fetch.await.map_err(|_| Error::internal("reading the keys of an issuer panicked"))?;
        }
        match self.0.look(id, now) {
            (Some(key), Some(age)) if age < STALE => Ok((key, now - age + FRESH)),
            (None, Some(age)) if age < STALE => Err(Error::Unauthenticated(Reason::UnknownKey)),
            _ => Err(Error::Unavailable),
        }
    }
}

impl Inner {
    /// Returns the key with this id, and the age of the key set.
    fn look(&self, id: &str, now: DateTime<Utc>) -> (Option<Arc<DecodingKey>>, Option<TimeDelta>) {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        (known.keys.get(id).cloned(), known.read.map(|read| now - read))
    }

    fn may_try(&self, now: DateTime<Utc>) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let has_keys = known.read.is_some_and(|read| now - read < STALE);
        let pause = if has_keys { COOLDOWN } else { RETRY_TIMEOUT };
        known.tried.is_none_or(|tried| now - tried >= pause)
    }

    async fn fetch(&self, now: DateTime<Utc>) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).tried = Some(now);
        match self.read().await {
            Ok(keys) => {
                if keys.is_empty() {
                    metrics::counter!("rapport_jwks_failures_total").increment(1);
                    let host = self.address.host_str().unwrap_or_default();
                    let algorithm = format!("{:?}", self.algorithm);
                    tracing::warn!(
                        host,
                        algorithm,
                        "the keys of an issuer hold none that can be used: each needs a kid and must fit the algorithm"
                    );
                }
                let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
                (known.keys, known.read) = (keys, Some(now));
            }
            Err(reason) => {
                metrics::counter!("rapport_jwks_failures_total").increment(1);
                // Logs only the host: the path and query may contain a secret.
                let host = self.address.host_str().unwrap_or_default();
                tracing::warn!(host, reason, "the keys of an issuer could not be read");
            }
        }
    }

    async fn read(&self) -> std::result::Result<Keys, String> {
        let asked = self.http.get(self.address.clone()).header("accept", "application/json");
        let answer = asked.send().await.and_then(Response::error_for_status).map_err(without_address)?;
        if !answer.status().is_success() {
            return Err(format!("the answer was {}", answer.status()));
        }
        keys(&body(answer).await?, self.algorithm)
    }
}

fn without_address(error: reqwest::Error) -> String {
    error.without_url().to_string()
}

async fn body(mut answer: Response) -> std::result::Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(without_address)? {
        if body.len() + chunk.len() > MAX_BYTES {
            return Err(format!("the answer is longer than {MAX_BYTES} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Parses a key set and keeps the keys that can verify `algorithm`; ignores the others, as RFC 7517 asks.
fn keys(body: &[u8], algorithm: Algorithm) -> std::result::Result<Keys, String> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let set: Set = serde_json::from_slice(body).map_err(|_| "the answer is not a JSON Web Key Set".to_owned())?;
    let usable = set.keys.into_iter().take(MAX_KEYS).filter_map(|key| usable(key, algorithm));
    Ok(usable.map(|(id, key)| (id, Arc::new(key))).collect())
}

/// Returns a key and its id if the key is intended for verifying `algorithm`. Symmetric keys are never accepted: anyone
/// could sign with a published one.
fn usable(key: Value, algorithm: Algorithm) -> Option<(String, DecodingKey)> {
    let key: Jwk = serde_json::from_value(key).ok()?;
    let common = &key.common;
    let is_meant = common.public_key_use.as_ref().is_none_or(|meant| *meant == PublicKeyUse::Signature)
        && common.key_operations.as_ref().is_none_or(|meant| meant.contains(&KeyOperations::Verify))
        && common.key_algorithm.is_none_or(|meant| meant == KeyAlgorithm::from(algorithm));
    let is_fit = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::EllipticCurve(curve), Algorithm::ES256) => curve.curve == EllipticCurve::P256,
        (AlgorithmParameters::OctetKeyPair(pair), Algorithm::EdDSA) => pair.curve == EllipticCurve::Ed25519,
        (AlgorithmParameters::RSA(rsa), Algorithm::RS256 | Algorithm::PS256) => {
            bits(&rsa.n).is_some_and(|bits| RSA_BITS.contains(&bits))
        }
        _ => false,
    };
    let id = common.key_id.clone().filter(|id| is_id(id))?;
    (is_meant && is_fit).then(|| DecodingKey::from_jwk(&key).ok()).flatten().map(|key| (id, key))
}

fn bits(modulus: &str) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(modulus).ok()?;
    let first = bytes.iter().position(|byte| *byte != 0)?;
    Some((bytes.len() - first) * 8 - usize::try_from(bytes[first].leading_zeros()).ok()?)
}

/// Returns whether a text is an acceptable key id: Base64 in both alphabets, hexadecimal with colons, and dotted names
/// are; paths and URLs are not. The id is only looked up in a map.
fn is_id(id: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+/=:~@#".contains(&byte);
    let is_path = id.contains("..") || id.contains("://");
    (1..=MAX_ID_LENGTH).contains(&id.len()) && id.bytes().all(is_sign) && !is_path
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const P256: (&str, &str) =
        ("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");

    fn kept(keys: &Value, algorithm: Algorithm) -> Vec<String> {
        let set = json!({ "keys": keys }).to_string();
        let mut ids: Vec<String> = super::keys(set.as_bytes(), algorithm).unwrap().into_keys().collect();
        ids.sort();
        ids
    }

    #[test]
    fn only_keys_meant_for_the_algorithm_are_kept() {
        let ec = |id: &str, more: Value| {
            let mut key = json!({ "kty": "EC", "crv": "P-256", "x": P256.0, "y": P256.1, "kid": id });
            key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            key
        };
        let set = json!([
            ec("plain", json!({})),
            ec("signing", json!({ "use": "sig", "alg": "ES256", "key_ops": ["verify"] })),
            ec("encrypting", json!({ "use": "enc" })),
            ec("wrapping", json!({ "key_ops": ["wrapKey"] })),
            ec("other-algorithm", json!({ "alg": "ES384" })),
            ec("new-algorithm", json!({ "alg": "ML-DSA-65" })),
            ec("other-curve", json!({ "crv": "P-384" })),
            ec("unknown-curve", json!({ "crv": "secp256k1" })),
            ec("", json!({})),
            ec("aB3+xY/9k=", json!({})),
            ec("0a:1b:2c", json!({})),
            ec("../../x", json!({})),
            ec("a\u{7}b", json!({})),
            ec(&"k".repeat(129), json!({})),
            { "kty": "EC", "crv": "P-256", "x": P256.0, "y": P256.1 },
            { "kty": "oct", "k": "c2VjcmV0", "kid": "symmetric" },
            { "kty": "oct", "k": "c2VjcmV0", "kid": "symmetric-too", "alg": "HS256", "use": "sig" },
            { "kty": "AKP", "kid": "unknown-type" },
            42,
        ]);
        assert_eq!(kept(&set, Algorithm::ES256), ["0a:1b:2c", "aB3+xY/9k=", "plain", "signing"]);
        for other in [Algorithm::EdDSA, Algorithm::RS256, Algorithm::PS256] {
            assert!(kept(&set, other).is_empty());
        }
    }

    #[test]
    fn short_and_endless_rsa_keys_are_left_out() {
        let rsa = |id: &str, bits: usize| {
            let mut modulus = vec![0xff; bits / 8];
            modulus[0] = 0x80;
            json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode(modulus), "e": "AQAB", "kid": id })
        };
        let padded = format!("AAAA{}", "gAAA".repeat(42));
        let set = json!([
            rsa("1024", 1_024),
            rsa("2040", 2_040),
            rsa("2048", 2_048),
            rsa("4096", 4_096),
            rsa("16384", 16_384),
            { "kty": "RSA", "n": padded, "e": "AQAB", "kid": "zeros in front" },
            { "kty": "RSA", "n": "", "e": "AQAB", "kid": "empty" },
        ]);
        assert_eq!(kept(&set, Algorithm::RS256), ["2048", "4096"]);
        assert_eq!(kept(&set, Algorithm::PS256), ["2048", "4096"]);
        assert!(kept(&set, Algorithm::ES256).is_empty());
    }

    #[test]
    fn other_answers_than_a_key_set_are_no_keys() {
        for body in ["", "null", "[]", "{}", "{\"keys\": {}}", "<html>"] {
            assert!(super::keys(body.as_bytes(), Algorithm::ES256).is_err(), "{body}");
        }
        assert!(super::keys(b"{\"keys\": []}", Algorithm::ES256).unwrap().is_empty());
    }
}
