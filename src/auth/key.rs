//! The signing key of the built-in issuer: read from a file, or generated beside the database.

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

/// Why the signing key could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file is missing or not readable.
    #[error("the signing key {} cannot be read", .0.display())]
    Unreadable(PathBuf, #[source] io::Error),
    /// The file does not hold a supported key.
    #[error("the signing key {} is neither an ES256 nor an EdDSA key in PKCS#8 form, PEM or DER", .0.display())]
    Unusable(PathBuf),
    /// A new key could not be written.
    #[error("the signing key {} cannot be created", .0.display())]
    NotMade(PathBuf, #[source] io::Error),
}

/// Location of the signing key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFile {
    /// A file provided by the operator; it must exist.
    Given(PathBuf),
    /// A file managed by this program beside the database; it is created if it does not exist.
    Own(PathBuf),
}

impl KeyFile {
    /// Reads the key; creates the file first if it is [`KeyFile::Own`].
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

/// An ES256 or `EdDSA` key pair, identified by the thumbprint of its public key (RFC 7638).
#[derive(Clone)]
pub struct SigningKey {
    pub(super) algorithm: Algorithm,
    pub(super) id: String,
    pub(super) private: EncodingKey,
    pub(super) public: DecodingKey,
    /// The public key as published in the JSON Web Key Set.
    pub(super) jwk: Jwk,
}

impl SigningKey {
    fn read(path: &Path) -> Result<Self, KeyError> {
        let bytes = fs::read(path).map_err(|source| KeyError::Unreadable(path.to_owned(), source))?;
        Self::parse(&bytes).ok_or_else(|| KeyError::Unusable(path.to_owned()))
    }

    /// Parses PKCS#8 in PEM or DER. Returns `None` unless the key is a P-256 or an Ed25519 key.
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

/// Creates an ES256 key at `path` with mode 0600, unless the file exists. The file appears atomically: the key is
/// written to a temporary file that is then linked to `path`. If several processes create the file at once, the first
/// one wins.
fn make(path: &Path) -> io::Result<()> {
    if path.try_exists()? {
        return Ok(());
    }
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
        .map_err(io::Error::other)?;
    // The temporary name is random, so that a file left by a killed process is not in the way.
    let mut chance = [0; 8];
    rand::fill(&mut chance).map_err(io::Error::other)?;
    let unfinished = path.with_added_extension(format!("{:016x}.new", u64::from_ne_bytes(chance)));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    // Links instead of renaming: a rename would replace a key that another process has just created.
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

/// Encodes DER as PEM, in lines of 64 characters (RFC 7468).
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
            // Leftover of a process that was killed while it created a key.
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
