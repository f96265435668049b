//! Authenticates callers. Verified tokens are cached by their SHA-256.

use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
};

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use anyhow::Result;
use aws_lc_rs::digest::{SHA256, digest};
use chrono::Utc;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use uuid::Uuid;

use crate::wire;

/// An authenticated caller and its organization.
pub struct Caller {
    pub organization: Uuid,
    pub subject: String,
    until: i64,
}

#[derive(Deserialize)]
struct Claims {
    org: String,
    sub: String,
    exp: i64,
}

/// Verifies tokens and caches the callers.
pub struct Door {
    key: DecodingKey,
    validation: Validation,
    known: RwLock<HashMap<[u8; 32], Arc<Caller>>>,
}

impl Door {
    pub fn new(pem: &[u8]) -> Result<Self> {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&["rapport"]);
        validation.set_issuer(&["rapport"]);
        Ok(Self { key: DecodingKey::from_ec_pem(pem)?, validation, known: RwLock::default() })
    }

    /// Returns the caller, or `None` if the token is missing or invalid.
    pub fn caller(&self, headers: &HeaderMap) -> Option<Arc<Caller>> {
        let token = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        let known = self.known.read().ok()?.get(&fingerprint).cloned();
        if let Some(known) = known.filter(|known| known.until > Utc::now().timestamp()) {
            return Some(known);
        }
        let claims = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation).ok()?.claims;
        let caller = Caller { organization: wire::uuid(&claims.org)?, subject: claims.sub, until: claims.exp };
        let caller = Arc::new(caller);
        self.known.write().ok()?.insert(fingerprint, Arc::clone(&caller));
        Some(caller)
    }
}
