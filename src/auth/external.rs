//! Tokens of other issuers: any OpenID provider, believed on the terms of the configuration.

use std::{collections::BTreeMap, net::IpAddr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use entity::{Permission, Permissions, id::OrganizationId};
use jsonwebtoken::{Algorithm, Validation};
use reqwest::Url;
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use super::{
    Actor, Proof,
    claims::{self, Audience, Claims, Times, is_name},
    jwks::Jwks,
};
use crate::{Error, Result};

/// Members of a header that say how else to read a token, or with whose key: no token of ours needs them.
const REFUSED_MEMBERS: [&str; 8] = ["b64", "crit", "enc", "epk", "jku", "jwk", "x5u", "zip"];

/// The terms on which an issuer is believed.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Terms {
    /// Its `iss`, exactly.
    #[serde(deserialize_with = "name")]
    pub issuer: String,
    /// Where its keys are.
    #[serde(deserialize_with = "address")]
    pub jwks: Url,
    /// The `aud` that its tokens for us carry.
    #[serde(deserialize_with = "name")]
    pub audience: String,
    /// The one algorithm of its signatures.
    pub algorithm: Signature,
    /// The `typ` of its access tokens.
    #[serde(default, rename = "type")]
    pub token_type: TokenType,
    /// The claim that names the organization.
    #[serde(default = "org")]
    pub organization_claim: String,
    /// The claim that lists scopes.
    #[serde(default = "scope")]
    pub scope_claim: String,
    /// The claim that lists roles.
    pub role_claim: Option<String>,
    /// The scopes that each role stands for.
    #[serde(default)]
    pub role_scopes: BTreeMap<String, Scopes>,
}

/// How an issuer signs.
#[derive(Clone, Copy, Debug, Deserialize)]
pub enum Signature {
    /// ECDSA on P-256.
    ES256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// RSA, PKCS#1.
    RS256,
    /// RSA, PSS.
    PS256,
}

impl From<Signature> for Algorithm {
    fn from(signature: Signature) -> Self {
        match signature {
            Signature::ES256 => Self::ES256,
            Signature::EdDsa => Self::EdDSA,
            Signature::RS256 => Self::RS256,
            Signature::PS256 => Self::PS256,
        }
    }
}

/// What an issuer calls its access tokens.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub enum TokenType {
    /// As RFC 9068 says: no ID token can be taken for one.
    #[default]
    #[serde(rename = "at+jwt")]
    AccessToken,
    /// As issuers do that do not tell access tokens from others.
    #[serde(rename = "JWT")]
    Jwt,
}

/// Scopes with a space between them, each one we know.
#[derive(Clone, Copy, Debug)]
pub struct Scopes(pub Permissions);

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known =
            |name| Permission::parse(name).ok_or_else(|| de::Error::custom(format!("there is no scope {name}")));
        text.split_whitespace().map(known).collect::<Result<_, _>>().map(Self)
    }
}

fn org() -> String {
    "org".to_owned()
}

fn scope() -> String {
    "scope".to_owned()
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if is_name(&text) { Ok(text) } else { Err(de::Error::custom("a name has 1 to 255 characters")) }
}

/// An address whose answers nobody on the way can change.
fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    let url: Url = String::deserialize(deserializer)?.parse().map_err(de::Error::custom)?;
    let host = url.host_str().unwrap_or_default();
    let is_loopback = host == "localhost"
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback);
    if is_safe && !host.is_empty() && url.username().is_empty() && url.password().is_none() {
        return Ok(url);
    }
    Err(de::Error::custom("jwks is an https address, or an http one on this machine, without a password"))
}

impl Terms {
    /// Reads one issuer's terms from JSON, or says in a sentence what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let terms: Self = serde_json::from_str(text).map_err(|error| without_value(&error))?;
        if terms.role_claim.is_some() == terms.role_scopes.is_empty() {
            return Err("role-claim and role-scopes go together".to_owned());
        }
        Ok(terms)
    }
}

/// What is wrong with a JSON text, without the value that is.
fn without_value(error: &serde_json::Error) -> String {
    let said = error.to_string();
    match said.split_once(", expected ") {
        Some((found, wanted)) if found.starts_with("invalid ") => format!("expected {wanted}"),
        _ => said,
    }
}

/// An issuer of other tokens than ours.
pub struct External {
    terms: Terms,
    jwks: Jwks,
    validation: Validation,
}

/// What a genuine token claims; whether there is such an organization is still to be seen.
#[derive(Debug)]
pub struct Claimed {
    /// The organization's id or slug.
    pub organization: String,
    subject: String,
    client: Option<String>,
    permissions: Permissions,
    times: Times,
    keys_until: i64,
}

impl Claimed {
    /// What it proves, in the organization it named.
    pub fn within(self, organization: OrganizationId) -> Proof {
        let Self { subject, client, permissions, times, keys_until, .. } = self;
        let actor = Actor { organization, subject, client, permissions };
        Proof { actor, issued: times.issued, expires: times.until, keys_until: Some(keys_until) }
    }
}

impl External {
    /// An issuer on these terms.
    pub fn new(terms: Terms) -> Result<Self> {
        let algorithm = terms.algorithm.into();
        // It checks signature and algorithm; we read the claims ourselves.
        let mut validation = Validation::new(algorithm);
        validation.validate_exp = false;
        validation.validate_aud = false;
        Ok(Self { jwks: Jwks::new(terms.jwks.clone(), algorithm)?, terms, validation })
    }

    /// Its `iss`.
    pub fn issuer(&self) -> &str {
        &self.terms.issuer
    }

    /// What `token` claims. Everything that is wrong with it is the same [`Error::Unauthenticated`];
    /// [`Error::Unavailable`] says that the issuer's keys cannot be had.
    pub async fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claimed> {
        let id = self.key_id(token).ok_or(Error::Unauthenticated)?;
        let (key, until) = self.jwks.key(&id, now).await?;
        let genuine = jsonwebtoken::decode::<Claims>(token, &key, &self.validation);
        let claims = genuine.map_err(|_| Error::Unauthenticated)?.claims;
        self.read(&claims, until.timestamp(), now).ok_or(Error::Unauthenticated)
    }

    /// The `kid` of a token whose header is as it must be.
    fn key_id(&self, token: &str) -> Option<String> {
        if token.len() > claims::MOST_BYTES {
            return None;
        }
        let header: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next()?).ok()?).ok()?;
        if REFUSED_MEMBERS.iter().any(|member| header.0.contains_key(*member)) {
            return None;
        }
        let typ = header.text("typ")?.to_ascii_lowercase();
        let is_wanted = match self.terms.token_type {
            TokenType::AccessToken => typ == "at+jwt" || typ == "application/at+jwt",
            TokenType::Jwt => typ == "jwt",
        };
        let algorithm = jsonwebtoken::decode_header(token).ok()?.alg;
        (is_wanted && self.validation.algorithms == [algorithm]).then(|| header.text("kid").map(str::to_owned))?
    }

    fn read(&self, claims: &Claims, keys_until: i64, now: DateTime<Utc>) -> Option<Claimed> {
        let audience: Audience = serde_json::from_value(claims.0.get("aud")?.clone()).ok()?;
        let is_ours = claims.text("iss")? == self.terms.issuer && audience.has(&self.terms.audience);
        let (issued, until) = (claims.seconds("iat")?, claims.seconds("exp")?);
        let from = if claims.0.contains_key("nbf") { claims.seconds("nbf")? } else { issued };
        let times = Times { from, issued, until };
        let optional = |member| match claims.0.get(member) {
            None => Some(None),
            Some(value) => value.as_str().filter(|text| is_name(text)).map(Some),
        };
        optional("jti")?;
        let client = optional("client_id")?.map(str::to_owned);
        let subject = claims.text("sub").filter(|subject| is_name(subject))?;
        // A claim that narrows is never ignored: until it is honoured, it is refused.
        let is_narrowed = claims.0.contains_key("departments");
        if !is_ours || is_narrowed || is_for_something_else(claims) || !times.hold(now) {
            return None;
        }
        let [organization] = texts(claims.at(&self.terms.organization_claim)?)?[..] else { return None };
        Some(Claimed {
            organization: organization.to_owned(),
            // A subject is somebody only at its issuer: two may call two people by one name.
            subject: format!("{}|{subject}", self.terms.issuer),
            client,
            permissions: self.permissions(claims)?,
            times,
            keys_until,
        })
    }

    /// What the scopes and the roles allow together. A token must say one of them.
    fn permissions(&self, claims: &Claims) -> Option<Permissions> {
        let mut granted = Permissions::default();
        let scope = claims.at(&self.terms.scope_claim);
        match scope {
            Some(Value::String(text)) => granted = claims::permissions(&claims::scope_names(text)?),
            Some(list) => {
                let names = texts(list).filter(|names| claims::are_scopes(names))?;
                granted = claims::permissions(&names);
            }
            None => {}
        }
        let roles = self.terms.role_claim.as_deref().and_then(|claim| claims.at(claim));
        if scope.is_none() && roles.is_none() {
            return None;
        }
        for role in roles.map_or(Some(Vec::new()), texts)? {
            if let Some(Scopes(scopes)) = self.terms.role_scopes.get(role) {
                granted = scopes.iter().fold(granted, Permissions::with);
            }
        }
        Some(granted)
    }
}

/// Whether a token says by its claims that it is an ID, refresh or logout token: those may be called JWT as well.
fn is_for_something_else(claims: &Claims) -> bool {
    let typ = claims.0.get("typ");
    ["at_hash", "c_hash", "events"].iter().any(|member| claims.0.contains_key(*member))
        || typ.is_some_and(|typ| !typ.as_str().is_some_and(|typ| typ.eq_ignore_ascii_case("bearer")))
}

/// A text, or a list of nothing but texts.
fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(items) => items.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
