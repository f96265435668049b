//! Secrets of API clients: 256 random bits, of which only a hash is stored.

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, digest},
    rand,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};

use crate::{Error, Result};

/// Prefix of every secret, so that secret scanners can recognize a published one.
const PREFIX: &str = "rps_";
/// Placeholder with the length of a hash that is the hash of no secret.
const NOBODY: &str = "-------------------------------------------";

/// Generates a new secret.
pub fn make() -> Result<SecretString> {
    let mut bits = [0; 32];
    rand::fill(&mut bits).map_err(|_| Error::internal("the system has no random numbers"))?;
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bits)).into())
}

/// Returns the hash that is stored for a secret. The secret has 256 bits of entropy, so an unsalted fast hash cannot be
/// brute-forced.
pub fn hash(secret: &SecretString) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, secret.expose_secret().as_bytes()))
}

/// Returns whether `secret` has the hash `known`. Takes constant time, also if `known` is `None`.
pub fn is_right(secret: &SecretString, known: Option<&str>) -> bool {
    let is_equal = verify_slices_are_equal(hash(secret).as_bytes(), known.unwrap_or(NOBODY).as_bytes()).is_ok();
    is_equal && known.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_256_bits_and_no_two_are_alike() {
        let (one, other) = (make().unwrap(), make().unwrap());
        let bits = URL_SAFE_NO_PAD.decode(one.expose_secret().strip_prefix(PREFIX).unwrap()).unwrap();
        assert_eq!(bits.len(), 32);
        assert_ne!(one.expose_secret(), other.expose_secret());
    }

    #[test]
    fn only_the_whole_secret_is_right() {
        let secret = make().unwrap();
        let known = hash(&secret);
        assert!(is_right(&secret, Some(&known)));
        assert!(!is_right(&secret, None) && !is_right(&make().unwrap(), Some(&known)));
        let text = secret.expose_secret();
        for wrong in ["", PREFIX, &text[..text.len() - 1], &format!("{text}A"), &known, &text.to_uppercase()] {
            assert!(!is_right(&wrong.to_owned().into(), Some(&known)), "{wrong}");
        }
        assert!(!is_right(&secret, Some("")));
    }
}
