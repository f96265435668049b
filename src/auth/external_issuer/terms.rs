//! The configured terms on which tokens of an external issuer are accepted.

use std::{collections::BTreeMap, net::IpAddr};

use entity::{Permission, Permissions, id, organization};
use jsonwebtoken::Algorithm;
use reqwest::Url;
use serde::{Deserialize, Deserializer, de};

use crate::auth::claims::is_name;

/// The terms on which an issuer's tokens are accepted.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct IssuerConfig {
    /// The issuer's `iss`, compared exactly.
    #[serde(deserialize_with = "name")]
    pub issuer: String,
    /// The URL of the issuer's JSON Web Key Set.
    #[serde(deserialize_with = "address")]
    pub jwks: Url,
    /// The accepted audiences: a token must carry one of them.
    pub audience: Texts,
    /// The claim that holds the audience; for issuers without `aud`, the claim that names the client.
    #[serde(default = "aud")]
    pub audience_claim: String,
    /// The only accepted signature algorithm.
    pub algorithm: Signature,
    /// The header `typ` of the issuer's access tokens.
    #[serde(default, rename = "type")]
    pub token_type: TokenType,
    /// Claims that access tokens must have with these values; they distinguish access tokens from the issuer's other
    /// tokens.
    #[serde(default)]
    pub claims: BTreeMap<String, String>,
    /// The organizations that the issuer may name, by slug or id; `*` for all of this server.
    organizations: Option<Texts>,
    /// The one organization that all tokens of the issuer are for, whatever they claim.
    organization: Option<String>,
    /// The claim that names the organization.
    pub organization_claim: Option<String>,
    /// The scopes that the issuer may grant at most.
    scopes: Option<ScopeList>,
    /// The claims that list scopes; their scopes are added up.
    #[serde(default = "scope")]
    pub scope_claim: Texts,
    /// The prefix that the issuer puts before each scope name.
    #[serde(default)]
    pub scope_prefix: String,
    /// The claim that lists roles.
    pub role_claim: Option<String>,
    /// The scopes of each role.
    #[serde(default)]
    pub role_scopes: BTreeMap<String, Scopes>,
    /// The claim that names the client; a token may lack it.
    #[serde(default = "client_id")]
    pub client_claim: String,
    /// The claim that lists ids of departments, to which it narrows what the caller sees; a token may lack it.
    #[serde(default = "departments")]
    pub departments_claim: String,
}

/// The organizations that an issuer may name.
#[derive(Clone, Copy, Debug)]
pub enum Bounds<'a> {
    /// One organization, named by the configuration and not by the token.
    Only(&'a str),
    /// These organizations, by slug or id.
    Listed(&'a [String]),
    /// All organizations.
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

/// Signature algorithm of an issuer.
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

/// The header `typ` of an issuer's access tokens.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub enum TokenType {
    /// As in RFC 9068: an ID token cannot be mistaken for an access token.
    #[default]
    #[serde(rename = "at+jwt")]
    AccessToken,
    /// For issuers that do not distinguish access tokens from other tokens.
    #[serde(rename = "JWT")]
    Jwt,
    /// The header has no `typ`.
    #[serde(rename = "none")]
    Absent,
}

impl TokenType {
    /// Returns whether `typ` is the header value of this type.
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

/// Scope names separated by spaces; each must be a known scope.
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

fn departments() -> String {
    "departments".to_owned()
}

fn scope() -> Texts {
    Texts(vec!["scope".to_owned()])
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if is_name(&text) { Ok(text) } else { Err(de::Error::custom("a name has 1 to 255 characters")) }
}

/// Deserializes a URL whose responses cannot be changed in transit: HTTPS, or HTTP on the loopback interface.
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
    /// Parses the terms of one issuer from JSON. Err is a sentence that names the mistake.
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

    /// Returns the organizations that tokens of the issuer may be for.
    pub fn bounds(&self) -> Bounds<'_> {
        match (&self.organization, &self.organizations) {
            (Some(only), _) => Bounds::Only(only),
            (None, Some(Texts(listed))) if *listed != ["*"] => Bounds::Listed(listed),
            (None, Some(_)) => Bounds::All,
            // `parse` refuses terms that have neither.
            (None, None) => Bounds::Listed(&[]),
        }
    }

    /// Returns the scopes that tokens of the issuer may grant at most.
    pub fn scopes(&self) -> Permissions {
        self.scopes.map_or_else(Permissions::default, |ScopeList(scopes)| scopes)
    }
}

fn is_organization(name: &str) -> bool {
    let is_slug = (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    is_slug || id::decode(name).is_some_and(|(prefix, _)| prefix == organization::NOUN.prefix)
}

/// Formats a JSON error without the offending value.
fn without_value(error: &serde_json::Error) -> String {
    let said = error.to_string();
    match said.split_once(", expected ") {
        Some((found, wanted)) if found.starts_with("invalid ") => format!("expected {wanted}"),
        _ => said,
    }
}
