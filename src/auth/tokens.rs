//! The built-in issuer: signs access tokens (RFC 9068) and verifies them.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{Permissions, id::OrganizationId, organization};
use jsonwebtoken::{Header, Validation, jwk::JwkSet};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Actor, Departments, VerifiedToken,
    claims::{Audience, MAX_BYTES, Times, date, flaw, is_name, permissions, present, scope, scope_names},
    key::SigningKey,
};
use crate::{Error, Result, error::reason::Reason};

/// The `iss` of tokens where none is set.
pub const DEFAULT_ISSUER: &str = "rapport";
/// The `aud` of tokens for this server.
pub const AUDIENCE: &str = "rapport";
/// The header type of access tokens (RFC 9068), which distinguishes them from ID and logout tokens.
const TYPE: &str = "at+jwt";
/// Signs and verifies access tokens with one key.
#[derive(Clone)]
pub struct Tokens {
    pub(super) key: SigningKey,
    issuer: String,
    /// Whether tokens whose `iss` is [`DEFAULT_ISSUER`] are accepted, too.
    accepts_default: bool,
    pub(super) header: Header,
    pub(super) validation: Validation,
    jwks: String,
}

impl Tokens {
    /// Creates an issuer with the `iss` value `issuer`. Err unless a test token can be signed and verified.
    pub fn new(key: SigningKey, issuer: impl Into<String>) -> Result<Self> {
        let mut header = Header::new(key.algorithm);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(key.id.clone());

        // jsonwebtoken checks the signature and the algorithm only. Its checks of claims accept missing claims and
        // wrong types, and read the system clock, so `Claims` checks the claims.
        let mut validation = Validation::new(key.algorithm);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();

        let jwks = serde_json::to_string(&JwkSet { keys: vec![key.jwk.clone()] })
            .map_err(|error| Error::internal(error.to_string()))?;
        let tokens = Self { key, issuer: issuer.into(), accepts_default: false, header, validation, jwks };
        tokens.test_itself()?;
        Ok(tokens)
    }

    /// Also accepts tokens whose `iss` is [`DEFAULT_ISSUER`]: those of commands that are not told the issuer.
    #[must_use]
    pub fn accepting_default(self) -> Self {
        Self { accepts_default: true, ..self }
    }

    /// Returns whether tokens with this `iss` are its own.
    pub fn is_own(&self, issuer: &str) -> bool {
        issuer == self.issuer || (self.accepts_default && issuer == DEFAULT_ISSUER)
    }

    /// Issues a token for `actor` with the lifetime `life`, at most [`MAX_LIFETIME`](super::claims::MAX_LIFETIME).
    pub fn issue(&self, actor: &Actor, life: TimeDelta, now: DateTime<Utc>) -> Result<SecretString> {
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: Audience::One(AUDIENCE.to_owned()),
            sub: actor.subject.clone(),
            exp: now.timestamp() + life.num_seconds(),
            iat: now.timestamp(),
            nbf: now.timestamp(),
            jti: entity::id::new().to_string(),
            org: entity::id::encode(organization::NOUN.prefix, actor.organization.into()),
            scope: scope(actor.permissions),
            client_id: actor.client.clone(),
            departments: actor.departments.as_ref().and_then(|narrowed| serde_json::to_value(narrowed).ok()),
        };
        // An issued token must pass verification.
        claims
            .clone()
            .actor(self, now)
            .map_err(|_| Error::BadInput("a token has a subject and lives for 1 second to 24 hours".to_owned()))?;
        let token = jsonwebtoken::encode(&self.header, &claims, &self.key.private);
        token.map(SecretString::from).map_err(|error| Error::internal(error.to_string()))
    }

    /// Verifies `token`. Err is [`Error::Unauthenticated`].
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<VerifiedToken> {
        let proof = self.read(token).and_then(|claims| {
            let (issued, expires) = (claims.iat, claims.exp);
            Ok(VerifiedToken { actor: claims.actor(self, now)?, issued, expires, keys_until: None })
        });
        proof.map_err(Error::Unauthenticated)
    }

    /// The `iss` of its tokens.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The public key as a JSON Web Key Set.
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// Verifies the signature and returns the claims.
    fn read(&self, token: &str) -> std::result::Result<Claims, Reason> {
        if token.len() > MAX_BYTES {
            return Err(Reason::TooLong);
        }
        // The header must equal the one this issuer writes: the same algorithm, type and key, and no `crit`, `b64`,
        // `zip` or `jku`.
        if jsonwebtoken::decode_header(token).map_err(|error| flaw(&error))? != self.header {
            return Err(Reason::Header);
        }
        let read = jsonwebtoken::decode::<Claims>(token, &self.key.public, &self.validation);
        Ok(read.map_err(|error| flaw(&error))?.claims)
    }

    /// Signs and verifies a test token. The first use also selects the cryptographic backend, which should not happen
    /// during the first request.
    fn test_itself(&self) -> Result<()> {
        let actor = Actor {
            organization: OrganizationId(entity::id::new()),
            subject: "self-test".to_owned(),
            client: None,
            permissions: Permissions::default(),
            expires: None,
            departments: None,
        };
        let now = DateTime::UNIX_EPOCH;
        let token = self.issue(&actor, TimeDelta::seconds(1), now)?;
        self.verify(token.expose_secret(), now)
            .map(|_| ())
            .map_err(|_| Error::internal("the signing key does not verify its own signature"))
    }
}

/// The claims of an access token. Typed, so that serde refuses wrong types, missing members and duplicate members.
#[derive(Clone, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    sub: String,
    #[serde(deserialize_with = "date")]
    exp: i64,
    #[serde(deserialize_with = "date")]
    iat: i64,
    #[serde(default, deserialize_with = "date")]
    nbf: i64,
    jti: String,
    org: String,
    scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    departments: Option<Value>,
}

impl Claims {
    /// Returns the actor that the claims describe. Err if any claim is not valid at `now`.
    fn actor(self, tokens: &Tokens, now: DateTime<Utc>) -> std::result::Result<Actor, Reason> {
        let holds = |is_good: bool, otherwise| if is_good { Ok(()) } else { Err(otherwise) };
        holds(tokens.is_own(&self.iss), Reason::UnknownIssuer)?;
        holds(self.aud.has(AUDIENCE), Reason::Audience)?;
        Times { from: self.nbf, issued: self.iat, until: self.exp }.check(now)?;
        holds(is_name(&self.sub), Reason::Claim("sub"))?;
        holds(is_name(&self.jti), Reason::Claim("jti"))?;
        holds(self.client_id.as_deref().is_none_or(is_name), Reason::Claim("client_id"))?;
        let departments = self.departments.as_ref().map(Departments::of_claim);
        holds(departments != Some(None), Reason::Claim("departments"))?;
        let organization = entity::id::decode(&self.org).filter(|(prefix, _)| *prefix == organization::NOUN.prefix);
        Ok(Actor {
            organization: OrganizationId(organization.ok_or(Reason::Claim("org"))?.1),
            subject: self.sub,
            client: self.client_id,
            permissions: permissions(&scope_names(&self.scope).ok_or(Reason::Claim("scope"))?),
            expires: Some(self.exp),
            departments: departments.flatten(),
        })
    }
}

#[cfg(test)]
mod signatures;
#[cfg(test)]
mod tests;
