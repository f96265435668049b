//! The key the built-in issuer signs with: read from a file, or made beside the database.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    rand::{self, SystemRandom},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey,
    jwk::{Jwk, PublicKeyUse, ThumbprintHash},
};

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file is away or closed to us.
    #[error("the signing key {} cannot be read", .0.display())]
    Unreadable(PathBuf, #[source] io::Error),
    /// The file does not hold a key we can use.
    #[error("the signing key {} is neither an ES256 nor an EdDSA key in PKCS#8 form, PEM or DER", .0.display())]
    Unusable(PathBuf),
    /// A new key could not be kept.
    #[error("the signing key {} cannot be made", .0.display())]
    NotMade(PathBuf, #[source] io::Error),
}

/// Where the key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFile {
    /// A file somebody keeps: it must be there.
    Given(PathBuf),
    /// A file of our own beside the database: made if it is not there.
    Own(PathBuf),
}

impl KeyFile {
    /// Reads the key, or makes it where that is allowed.
    pub fn open(&self) -> Result<SigningKey, KeyError> {
        match self {
            Self::Given(path) => SigningKey::read(path),
            Self::Own(path) => {
                make(path).map_err(|source| KeyError::NotMade(path.clone(), source))?;
                SigningKey::read(path)
            }
        }
    }
}

/// An ES256 or `EdDSA` key pair, named by the thumbprint of its public half (RFC 7638).
#[derive(Clone)]
pub struct SigningKey {
    pub(super) algorithm: Algorithm,
    pub(super) id: String,
    pub(super) private: EncodingKey,
    pub(super) public: DecodingKey,
    /// The public half as others read it.
    pub(super) jwk: Jwk,
}

impl SigningKey {
    fn read(path: &Path) -> Result<Self, KeyError> {
        let bytes = fs::read(path).map_err(|source| KeyError::Unreadable(path.to_owned(), source))?;
        Self::parse(&bytes).ok_or_else(|| KeyError::Unusable(path.to_owned()))
    }

    /// Reads PKCS#8 as PEM or DER. `None` unless it is a P-256 or an Ed25519 key.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let pem = EncodingKey::from_ec_pem(bytes).or_else(|_| EncodingKey::from_ed_pem(bytes)).ok();
        let der = pem.as_ref().map_or(bytes, EncodingKey::as_bytes);
        let (algorithm, private, public) =
            if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der) {
                let public = DecodingKey::from_ec_der(pair.public_key().as_ref());
                (Algorithm::ES256, EncodingKey::from_ec_der(der), public)
            } else {
                let pair = Ed25519KeyPair::from_pkcs8(der).ok()?;
                let public = DecodingKey::from_ed_der(pair.public_key().as_ref());
                (Algorithm::EdDSA, EncodingKey::from_ed_der(der), public)
            };
        let mut jwk = Jwk::from_decoding_key(&public, Some(algorithm)).ok()?;
        let id = jwk.thumbprint(ThumbprintHash::SHA256).ok()?;
        jwk.common.key_id = Some(id.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        Some(Self { algorithm, id, private, public, jwk })
    }
}

/// Makes an ES256 key at `path` that only its owner can read, unless there is a file already. The file is there whole
/// or not at all: it gets its name when the key is in it, and of several that make one at once the first is kept.
fn make(path: &Path) -> io::Result<()> {
    if path.try_exists()? {
        return Ok(());
    }
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
        .map_err(io::Error::other)?;
    // Named by chance: what a killed process left behind stands in nobody's way.
    let mut chance = [0; 8];
    rand::fill(&mut chance).map_err(io::Error::other)?;
    let unfinished = path.with_added_extension(format!("{:016x}.new", u64::from_ne_bytes(chance)));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    // A link and not a renaming, which would put our key in the place of another's.
    let named = file
        .write_all(pem(key.as_ref()).as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::hard_link(&unfinished, path))
        .or_else(|error| if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) });
    fs::remove_file(&unfinished)?;
    named?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Writes DER as PEM, in lines of 64 characters (RFC 7468).
fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\n");
    format!("-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n")
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, os::unix::fs::PermissionsExt};

    use aws_lc_rs::signature::ECDSA_P384_SHA384_FIXED_SIGNING;

    use super::*;

    fn p256() -> Vec<u8> {
        EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap().to_pkcs8v1().unwrap().as_ref().to_vec()
    }

    fn ed25519() -> Vec<u8> {
        Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap().as_ref().to_vec()
    }

    #[test]
    fn both_algorithms_are_read_from_pem_and_der() {
        for (der, algorithm) in [(p256(), Algorithm::ES256), (ed25519(), Algorithm::EdDSA)] {
            let from_der = SigningKey::parse(&der).unwrap();
            let from_pem = SigningKey::parse(pem(&der).as_bytes()).unwrap();
            assert_eq!((from_der.algorithm, &from_der.id), (algorithm, &from_pem.id));
        }
    }

    #[test]
    fn the_published_half_is_public() {
        for der in [p256(), ed25519()] {
            let key = SigningKey::parse(&der).unwrap();
            let published = serde_json::to_value(&key.jwk).unwrap();
            let members: Vec<_> = published.as_object().unwrap().keys().map(String::as_str).collect();
            assert!(members.iter().all(|member| ["alg", "crv", "kid", "kty", "use", "x", "y"].contains(member)));
            assert_eq!((&published["use"], &published["kid"]), (&"sig".into(), &key.id.clone().into()));
        }
    }

    #[test]
    fn other_keys_are_refused() {
        let p384 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap().to_pkcs8v1().unwrap();
        let mut truncated = p256();
        truncated.truncate(40);
        for bytes in [p384.as_ref(), &truncated, b"", b"secret", b"-----BEGIN PRIVATE KEY-----\n"] {
            assert!(SigningKey::parse(bytes).is_none());
        }
    }

    #[test]
    fn our_own_key_is_made_once_and_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::Own(folder.path().join("rapport.key"));
        let first = file.open().unwrap();
        assert_eq!(file.open().unwrap().id, first.id);
        let mode = fs::metadata(folder.path().join("rapport.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn of_many_that_make_a_key_at_once_all_use_the_same_and_none_sees_half_of_it() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            // What a process that was killed while it made one leaves behind.
            fs::write(folder.path().join("rapport.key.0123456789abcdef.new"), "").unwrap();
            let file = KeyFile::Own(folder.path().join("rapport.key"));
            let ids: Vec<_> = std::thread::scope(|scope| {
                let open = || scope.spawn(|| file.open().map(|key| key.id).map_err(|error| error.to_string()));
                let opened: Vec<_> = (0..16).map(|_| open()).collect();
                opened.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert!(ids.iter().all(|id| id.is_ok() && *id == ids[0]), "{ids:?}");
            let left: BTreeSet<_> =
                fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            assert_eq!(left, BTreeSet::from(["rapport.key".into(), "rapport.key.0123456789abcdef.new".into()]));
        }
    }

    #[test]
    fn a_given_key_is_never_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rapport.key");
        assert!(matches!(KeyFile::Given(path.clone()).open(), Err(KeyError::Unreadable(..))));
        assert!(!path.exists());
        fs::write(&path, "not a key").unwrap();
        assert!(matches!(KeyFile::Given(path).open(), Err(KeyError::Unusable(_))));
    }
}
