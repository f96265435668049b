//! Signatures of messages, by Standard Webhooks 1.0.0.

use aws_lc_rs::{
    hmac,
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use entity::{
    id::{OrganizationId, WebhookEndpointId},
    webhook_endpoint::WebhookSignature,
};
use secrecy::SecretString;

use crate::{
    Error, Result,
    auth::{derived::DerivedSecret, signed_url::UrlSigner},
};

/// What the secrets of endpoints are derived for.
const PURPOSE: &[u8] = b"webhook";

/// A key with which messages to an endpoint are signed.
pub(super) enum SigningKey {
    /// For `v1`.
    Hmac(Box<[u8]>),
    /// For `v1a`.
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// Returns the key of an endpoint with this number.
    pub(super) fn of(
        signer: &UrlSigner,
        (organization, endpoint): (OrganizationId, WebhookEndpointId),
        signature: WebhookSignature,
        number: i64,
    ) -> Result<Self> {
        let scheme = match signature {
            WebhookSignature::HmacSha256 => b"v1_",
            WebhookSignature::Ed25519 => b"v1a",
        };
        let number = number.to_be_bytes();
        let parts: [&[u8]; 5] = [PURPOSE, scheme, organization.0.as_bytes(), endpoint.0.as_bytes(), &number];
        Self::parse(&signer.derive_secret(&parts)?, signature)
    }

    fn parse(secret: &DerivedSecret, signature: WebhookSignature) -> Result<Self> {
        Ok(match signature {
            WebhookSignature::HmacSha256 => Self::Hmac(secret.bytes().as_slice().into()),
            WebhookSignature::Ed25519 => Self::Ed25519(pair(secret.bytes())?),
        })
    }

    /// Returns what a receiver verifies signatures with: the secret itself, or the public key.
    pub(super) fn verifier(&self) -> SecretString {
        let text = match self {
            Self::Hmac(secret) => format!("whsec_{}", STANDARD.encode(secret)),
            Self::Ed25519(pair) => format!("whpk_{}", STANDARD.encode(pair.public_key())),
        };
        text.into()
    }

    /// Returns the signature of a message, sent at a Unix time.
    pub(super) fn sign(&self, message: &str, timestamp: i64, body: &str) -> String {
        let signed = format!("{message}.{timestamp}.{body}");
        match self {
            Self::Hmac(secret) => {
                let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
                format!("v1,{}", STANDARD.encode(tag))
            }
            Self::Ed25519(pair) => format!("v1a,{}", STANDARD.encode(pair.sign(signed.as_bytes()))),
        }
    }
}

/// Returns the key pair of a seed.
fn pair(seed: &[u8]) -> Result<Ed25519KeyPair> {
    Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| Error::internal("a seed is no key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIMESTAMP: i64 = 1_614_265_330;
    const BODY: &str = r#"{"test": 2432232314}"#;

    #[test]
    fn the_published_vector_of_v1_is_signed_alike() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = SigningKey::Hmac(secret.into()).sign(MESSAGE, TIMESTAMP, BODY);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn the_published_vector_of_v1a_is_signed_alike() {
        // The seed and the public key, one after the other.
        let key = "6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
        let bytes = STANDARD.decode(key).unwrap();
        let key = SigningKey::Ed25519(pair(&bytes[..32]).unwrap());
        let signature = key.sign(MESSAGE, TIMESTAMP, BODY);
        let expected = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";
        assert_eq!(signature, expected);
        let public = format!("whpk_{}", STANDARD.encode(&bytes[32..]));
        assert_eq!(secrecy::ExposeSecret::expose_secret(&key.verifier()), public);
    }
}
