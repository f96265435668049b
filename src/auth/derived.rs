//! Secrets that follow from the signing key: nothing is stored, and whoever reads the database cannot compute them.

use std::fmt;

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};

use super::signed_url::UrlSigner;
use crate::{Error, Result};

/// Separates these secrets from everything else that is computed from the key.
const SALT: &[u8] = b"rapport derived secret";

/// 256 bits that only a server with the signing key can compute.
#[derive(Clone)]
pub struct DerivedSecret([u8; 32]);

impl fmt::Debug for DerivedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DerivedSecret(…)")
    }
}

impl DerivedSecret {
    /// Returns its bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl UrlSigner {
    /// Returns the secret of a purpose, whose parts have fixed lengths: always the same for the same parts and key, and
    /// unrelated to those of other parts (HKDF-SHA256, RFC 5869).
    pub fn derive_secret(&self, purpose: &[&[u8]]) -> Result<DerivedSecret> {
        let failed = |_| Error::internal("a secret cannot be derived");
        let key = Salt::new(HKDF_SHA256, SALT).extract(self.tokens.key.private.as_bytes());
        let mut secret = [0; 32];
        key.expand(purpose, HKDF_SHA256).and_then(|output| output.fill(&mut secret)).map_err(failed)?;
        Ok(DerivedSecret(secret))
    }
}
