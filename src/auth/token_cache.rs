//! Caches verified tokens by hash, so that a signature is not verified again on every request.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, TimeDelta, Utc};

use super::{VerifiedToken, claims::LEEWAY};

/// Maximum number of cached tokens: about 5 MB.
const MAX: usize = 10_000;
/// Maximum time that a token is cached; never longer than the key that verified it may be used.
const MAX_AGE: TimeDelta = TimeDelta::minutes(10);

/// The SHA-256 of a token.
pub type Fingerprint = [u8; 32];

/// The cache of verified tokens.
#[derive(Default)]
pub struct TokenCache {
    known: RwLock<HashMap<Fingerprint, (Arc<VerifiedToken>, i64)>>,
}

/// Returns the cache key of a token.
pub fn fingerprint(token: &str) -> Fingerprint {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    bytes
}

impl TokenCache {
    /// Returns the cached contents of a token, unless the entry has expired.
    pub fn get(&self, token: &Fingerprint, now: DateTime<Utc>) -> Option<Arc<VerifiedToken>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(token).filter(|(_, until)| now.timestamp() < *until).map(|(proof, _)| Arc::clone(proof))
    }

    /// Caches the contents of a verified token.
    pub fn put(&self, token: Fingerprint, proof: &Arc<VerifiedToken>, now: DateTime<Utc>) {
        let until = (proof.expires + LEEWAY.num_seconds()).min((now + MAX_AGE).timestamp());
        let until = until.min(proof.keys_until.unwrap_or(i64::MAX));
        if until <= now.timestamp() {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX {
            known.retain(|_, (_, until)| now.timestamp() < *until);
        }
        if known.len() >= MAX {
            // More live tokens than entries: clear the cache, at the cost of verifying each token once more.
            known.clear();
        }
        known.insert(token, (Arc::clone(proof), until));
    }
}

#[cfg(test)]
mod tests {
    use entity::{Permissions, id::OrganizationId};

    use super::*;
    use crate::auth::Actor;

    fn proof(expires: i64) -> Arc<VerifiedToken> {
        let organization = OrganizationId(entity::id::new());
        let actor = Actor {
            organization,
            subject: "ada".to_owned(),
            client: None,
            permissions: Permissions::default(),
            expires: None,
            departments: None,
        };
        Arc::new(VerifiedToken { actor, issued: 0, expires, keys_until: None })
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn a_token_is_remembered_until_it_expires_and_never_longer_than_ten_minutes() {
        let proofs = TokenCache::default();
        proofs.put(fingerprint("short"), &proof(60), at(0));
        proofs.put(fingerprint("long"), &proof(6_000), at(0));
        let is_known = |token, second| proofs.get(&fingerprint(token), at(second)).is_some();
        assert_eq!([0, 89, 90].map(|second| is_known("short", second)), [true, true, false]);
        assert_eq!([0, 599, 600].map(|second| is_known("long", second)), [true, true, false]);
        assert!(!is_known("other", 0));
    }

    #[test]
    fn a_token_is_not_remembered_longer_than_the_keys_it_was_judged_by() {
        let proofs = TokenCache::default();
        for (token, keys_until) in [("fresh", 90), ("stale", 0)] {
            let proof = VerifiedToken { keys_until: Some(keys_until), ..(*proof(6_000)).clone() };
            proofs.put(fingerprint(token), &Arc::new(proof), at(30));
        }
        let is_known = |token, second| proofs.get(&fingerprint(token), at(second)).is_some();
        assert_eq!([30, 89, 90].map(|second| is_known("fresh", second)), [true, true, false]);
        assert!(!is_known("stale", 30));
    }

    #[test]
    fn no_more_tokens_are_remembered_than_there_are_places() {
        let proofs = TokenCache::default();
        for number in 0..=MAX {
            proofs.put(fingerprint(&number.to_string()), &proof(600), at(0));
            assert!(proofs.known.read().unwrap().len() <= MAX);
        }
        assert!(proofs.get(&fingerprint(&MAX.to_string()), at(0)).is_some());
    }
}
