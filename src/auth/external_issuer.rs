//! Tokens of external issuers: any OpenID provider, accepted on the terms of the configuration.

mod terms;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use entity::{Permission, Permissions, id::OrganizationId};
use jsonwebtoken::Validation;
use serde_json::Value;

use super::{
    Actor, Departments, VerifiedToken,
    claims::{self, Claims, Times, flaw, is_name},
    jwks::Jwks,
};
use crate::{Error, Result, error::reason::Reason};

pub use self::terms::{Bounds, IssuerConfig, Scopes, Signature, Texts, TokenType};

/// Header members that change how a token is read or select another key; tokens with any of them are refused.
const REFUSED_MEMBERS: [&str; 8] = ["b64", "crit", "enc", "epk", "jku", "jwk", "x5u", "zip"];

/// An external issuer.
pub struct External {
    terms: IssuerConfig,
    jwks: Jwks,
    validation: Validation,
}

/// The claims of a verified token. The caller still has to check that the organization exists and that the issuer may
/// name it.
#[derive(Debug)]
pub struct Claimed {
    /// The organization's id or slug.
    pub organization: String,
    subject: String,
    client: Option<String>,
    permissions: Permissions,
    departments: Option<Departments>,
    times: Times,
    keys_until: i64,
}

impl Claimed {
    /// Returns the verified token, for the organization that was resolved from its claims.
    pub fn within(self, organization: OrganizationId) -> VerifiedToken {
        let Self { subject, client, permissions, departments, times, keys_until, .. } = self;
        let actor = Actor { organization, subject, client, permissions, expires: Some(times.until), departments };
        VerifiedToken { actor, issued: times.issued, expires: times.until, keys_until: Some(keys_until) }
    }
}

impl External {
    /// Creates an issuer with these terms.
    pub fn new(terms: IssuerConfig) -> Result<Self> {
        let algorithm = terms.algorithm.into();
        // jsonwebtoken checks the signature and the algorithm only; `read` checks the claims.
        let mut validation = Validation::new(algorithm);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        Ok(Self { jwks: Jwks::new(terms.jwks.clone(), algorithm)?, terms, validation })
    }

    /// The issuer's `iss`.
    pub fn issuer(&self) -> &str {
        &self.terms.issuer
    }

    /// The organizations that the issuer may name.
    pub fn bounds(&self) -> Bounds<'_> {
        self.terms.bounds()
    }

    /// Verifies `token` and returns its claims. Err is [`Error::Unauthenticated`], or [`Error::Unavailable`] if the
    /// issuer's keys cannot be fetched.
    pub async fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claimed> {
        let id = self.key_id(token).map_err(Error::Unauthenticated)?;
        let (key, until) = self.jwks.key(&id, now).await?;
        let genuine = jsonwebtoken::decode::<Claims>(token, &key, &self.validation);
        let claims = genuine.map_err(|error| Error::Unauthenticated(flaw(&error)))?.claims;
        self.read(&claims, until.timestamp(), now).map_err(Error::Unauthenticated)
    }

    /// Checks the header of a token and returns its `kid`.
    fn key_id(&self, token: &str) -> std::result::Result<String, Reason> {
        if token.len() > claims::MAX_BYTES {
            return Err(Reason::TooLong);
        }
        let header = token.split('.').next().and_then(|header| URL_SAFE_NO_PAD.decode(header).ok());
        let header: Option<Claims> = header.and_then(|header| serde_json::from_slice(&header).ok());
        let header = header.ok_or(Reason::Malformed)?;
        let typ = match header.0.get("typ") {
            None => None,
            Some(typ) => Some(typ.as_str().ok_or(Reason::Header)?),
        };
        let algorithm = jsonwebtoken::decode_header(token).map_err(|_| Reason::Header)?.alg;
        let is_wanted = self.terms.token_type.is(typ) && self.validation.algorithms == [algorithm];
        if !is_wanted || REFUSED_MEMBERS.iter().any(|member| header.0.contains_key(*member)) {
            return Err(Reason::Header);
        }
        header.text("kid").map(str::to_owned).ok_or(Reason::UnknownKey)
    }

    fn read(&self, claims: &Claims, keys_until: i64, now: DateTime<Utc>) -> std::result::Result<Claimed, Reason> {
        if claims.text("iss") != Some(self.terms.issuer.as_str()) {
            return Err(Reason::UnknownIssuer);
        }
        if is_for_something_else(claims)
            || self.terms.claims.iter().any(|(path, wanted)| claims.at(path).and_then(Value::as_str) != Some(wanted))
        {
            return Err(Reason::OtherKind);
        }
        let audience = claims.at(&self.terms.audience_claim).and_then(texts).ok_or(Reason::Audience)?;
        if !self.terms.audience.0.iter().any(|ours| audience.contains(&ours.as_str())) {
            return Err(Reason::Audience);
        }
        let date = |name| claims.seconds(name).ok_or(Reason::Claim(name));
        let (issued, until) = (date("iat")?, date("exp")?);
        let from = if claims.0.contains_key("nbf") { date("nbf")? } else { issued };
        let times = Times { from, issued, until };
        times.check(now)?;
        let optional = |path: &str, name| match claims.at(path) {
            None => Ok(None),
            Some(value) => value.as_str().filter(|text| is_name(text)).map(Some).ok_or(Reason::Claim(name)),
        };
        optional("jti", "jti")?;
        let client = optional(&self.terms.client_claim, "that names the client")?.map(str::to_owned);
        let subject = claims.text("sub").filter(|subject| is_name(subject)).ok_or(Reason::Claim("sub"))?;
        // A claim that narrows what the caller sees must not be ignored.
        let departments = claims.at(&self.terms.departments_claim).map(Departments::of_claim);
        let wrong = Reason::Claim("that lists the departments");
        let departments = departments.map(|listed| listed.ok_or(wrong)).transpose()?;
        Ok(Claimed {
            organization: self.organization(claims)?,
            // A subject is unique only within its issuer: two issuers may use the same subject for different people.
            subject: format!("{}|{subject}", self.terms.issuer),
            client,
            permissions: self.permissions(claims).ok_or(Reason::Claim("that lists the scopes"))?,
            departments,
            times,
            keys_until,
        })
    }

    /// Returns the organization that the token names: the claim is a text, a list of one text, or an object with one
    /// member whose value is an object and whose name is the organization.
    fn organization(&self, claims: &Claims) -> std::result::Result<String, Reason> {
        if let Bounds::Only(only) = self.terms.bounds() {
            return Ok(only.to_owned());
        }
        let path = self.terms.organization_claim.as_deref().unwrap_or("org");
        let named = match claims.at(path) {
            Some(Value::Object(members)) => match members.iter().collect::<Vec<_>>()[..] {
                [(name, Value::Object(_))] => Some(name.as_str()),
                _ => None,
            },
            Some(value) => texts(value).and_then(|names| <[&str; 1]>::try_from(names).ok()).map(|[name]| name),
            None => None,
        };
        named.map(str::to_owned).ok_or(Reason::Claim("that names the organization"))
    }

    /// Returns the union of the scopes and of the scopes of the roles, limited to the scopes of the terms. Returns
    /// `None` if the token has neither claim. Unknown scopes grant nothing.
    fn permissions(&self, claims: &Claims) -> Option<Permissions> {
        let mut granted = Permissions::default();
        let lists: Vec<&Value> = self.terms.scope_claim.0.iter().filter_map(|path| claims.at(path)).collect();
        for list in &lists {
            let names = match list {
                Value::String(text) => text.split(' ').collect(),
                list => texts(list)?,
            };
            let known = names.iter().filter_map(|name| Permission::parse(name.strip_prefix(&self.terms.scope_prefix)?));
            granted = known.fold(granted, Permissions::with);
        }
        let roles = self.terms.role_claim.as_deref().and_then(|claim| claims.at(claim));
        if lists.is_empty() && roles.is_none() {
            return None;
        }
        for role in roles.map_or(Some(Vec::new()), texts)? {
            if let Some(Scopes(scopes)) = self.terms.role_scopes.get(role) {
                granted = scopes.iter().fold(granted, Permissions::with);
            }
        }
        Some(granted.and(self.terms.scopes()))
    }
}

/// Returns whether the claims mark a token as an ID, refresh or logout token: the header type of those may be JWT as
/// well.
fn is_for_something_else(claims: &Claims) -> bool {
    let is_other = |name, wanted| {
        let value: Option<&Value> = claims.0.get(name);
        value.is_some_and(|value| !value.as_str().is_some_and(|value| value.eq_ignore_ascii_case(wanted)))
    };
    ["at_hash", "c_hash", "events"].iter().any(|member| claims.0.contains_key(*member))
        || is_other("typ", "bearer")
        || is_other("token_use", "access")
}

/// Returns a text as a list of one, or a list of texts; `None` for any other value.
fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(items) => items.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
