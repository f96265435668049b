//! The terms of the configuration on which another issuer is believed.

use std::{collections::BTreeMap, net::IpAddr};

use entity::{Permission, Permissions, id, organization};
use jsonwebtoken::Algorithm;
use reqwest::Url;
use serde::{Deserialize, Deserializer, de};

use crate::auth::claims::is_name;

/// The terms on which an issuer is believed.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct IssuerConfig {
    /// Its `iss`, exactly.
    #[serde(deserialize_with = "name")]
    pub issuer: String,
    /// Where its keys are.
    #[serde(deserialize_with = "address")]
    pub jwks: Url,
    /// What its tokens for us carry as their audience: one of these.
    pub audience: Texts,
    /// The claim that holds the audience: for issuers without `aud` one that names the client.
    #[serde(default = "aud")]
    pub audience_claim: String,
    /// The one algorithm of its signatures.
    pub algorithm: Signature,
    /// The `typ` of its access tokens.
    #[serde(default, rename = "type")]
    pub token_type: TokenType,
    /// Claims that its access tokens have, with these texts: what tells them from its other tokens.
    #[serde(default)]
    pub claims: BTreeMap<String, String>,
    /// The organizations that it may name, by slug or id; `*` for all of this server.
    organizations: Option<Texts>,
    /// The one organization that all its tokens are for, whatever they say.
    organization: Option<String>,
    /// The claim that names the organization.
    pub organization_claim: Option<String>,
    /// The scopes that it may give at most.
    scopes: Option<ScopeList>,
    /// The claims that list scopes: what any of them lists is granted.
    #[serde(default = "scope")]
    pub scope_claim: Texts,
    /// What each of its scopes begins with, before the scope that we know.
    #[serde(default)]
    pub scope_prefix: String,
    /// The claim that lists roles.
    pub role_claim: Option<String>,
    /// The scopes that each role stands for.
    #[serde(default)]
    pub role_scopes: BTreeMap<String, Scopes>,
    /// The claim that names the client, if there is one.
    #[serde(default = "client_id")]
    pub client_claim: String,
}

/// Which organizations an issuer may speak for.
#[derive(Clone, Copy, Debug)]
pub enum Bounds<'a> {
    /// One, named by the terms and not by the token.
    Only(&'a str),
    /// These, by slug or id.
    Listed(&'a [String]),
    /// Whichever there are.
    All,
}

/// One text or several.
#[derive(Clone, Debug)]
pub struct Texts(pub Vec<String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a text or a list of texts")]
        enum Given {
            One(String),
            Several(Vec<String>),
        }
        let texts = match Given::deserialize(deserializer)? {
            Given::One(text) => vec![text],
            Given::Several(texts) => texts,
        };
        if !texts.is_empty() && texts.iter().all(|text| is_name(text)) {
            return Ok(Self(texts));
        }
        Err(de::Error::custom("expected one text or more, each of 1 to 255 characters"))
    }
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
    /// Their header has no `typ`.
    #[serde(rename = "none")]
    Absent,
}

impl TokenType {
    /// Whether this is the `typ` of such a token's header.
    pub fn is(self, typ: Option<&str>) -> bool {
        let is_one_of =
            |known: &[&str]| typ.is_some_and(|typ| known.iter().any(|known| typ.eq_ignore_ascii_case(known)));
        match self {
            Self::AccessToken => is_one_of(&["at+jwt", "application/at+jwt"]),
            Self::Jwt => is_one_of(&["JWT"]),
            Self::Absent => typ.is_none(),
        }
    }
}

/// Scopes with a space between them, each one we know.
#[derive(Clone, Copy, Debug)]
pub struct Scopes(pub Permissions);

impl Scopes {
    fn parse(text: &str) -> Result<Self, String> {
        let known = |name| Permission::parse(name).ok_or_else(|| format!("there is no scope {name}"));
        text.split_whitespace().map(known).collect::<Result<_, _>>().map(Self)
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// Scopes as a text with spaces or as a list.
#[derive(Clone, Copy, Debug)]
struct ScopeList(Permissions);

impl<'de> Deserialize<'de> for ScopeList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Texts(texts) = Texts::deserialize(deserializer)?;
        Scopes::parse(&texts.join(" ")).map(|Scopes(known)| Self(known)).map_err(de::Error::custom)
    }
}

fn aud() -> String {
    "aud".to_owned()
}

fn client_id() -> String {
    "client_id".to_owned()
}

fn scope() -> Texts {
    Texts(vec!["scope".to_owned()])
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

impl IssuerConfig {
    /// Reads one issuer's terms from JSON, or says in a sentence what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let terms: Self = serde_json::from_str(text).map_err(|error| without_value(&error))?;
        if terms.role_claim.is_some() == terms.role_scopes.is_empty() {
            return Err("role-claim and role-scopes go together".to_owned());
        }
        if terms.scopes.is_none_or(|ScopeList(scopes)| scopes == Permissions::default()) {
            return Err("an issuer gives only the scopes its terms name: add scopes, such as scopes = \"map:read \
                        record:read\""
                .to_owned());
        }
        let listed = match (&terms.organizations, &terms.organization) {
            (None, None) => {
                return Err("an issuer speaks only for the organizations its terms name: add organizations, such as \
                            organizations = [\"acme\"], or organizations = \"*\" for every organization of this \
                            server"
                    .to_owned());
            }
            (Some(_), Some(_)) => return Err("organization and organizations exclude each other".to_owned()),
            (Some(Texts(listed)), None) => &listed[..],
            (None, Some(_)) if terms.organization_claim.is_some() => {
                return Err("organization and organization-claim exclude each other".to_owned());
            }
            (None, Some(only)) => std::slice::from_ref(only),
        };
        let is_all = listed == ["*"] && terms.organization.is_none();
        match listed.iter().find(|name| !is_all && !is_organization(name)) {
            Some(_) => Err("organizations holds slugs (a-z, 0-9 and -) and ids (org_…), or is \"*\" alone".to_owned()),
            None => Ok(terms),
        }
    }

    /// Which organizations its tokens may be for.
    pub fn bounds(&self) -> Bounds<'_> {
        match (&self.organization, &self.organizations) {
            (Some(only), _) => Bounds::Only(only),
            (None, Some(Texts(listed))) if *listed != ["*"] => Bounds::Listed(listed),
            (None, Some(_)) => Bounds::All,
            // `parse` lets none through without either.
            (None, None) => Bounds::Listed(&[]),
        }
    }

    /// What its tokens may allow at most.
    pub fn scopes(&self) -> Permissions {
        self.scopes.map_or_else(Permissions::default, |ScopeList(scopes)| scopes)
    }
}

fn is_organization(name: &str) -> bool {
    let is_slug = (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    is_slug || id::decode(name).is_some_and(|(prefix, _)| prefix == organization::NOUN.prefix)
}

/// What is wrong with a JSON text, without the value that is.
fn without_value(error: &serde_json::Error) -> String {
    let said = error.to_string();
    match said.split_once(", expected ") {
        Some((found, wanted)) if found.starts_with("invalid ") => format!("expected {wanted}"),
        _ => said,
    }
}
