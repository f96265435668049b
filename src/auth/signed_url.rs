//! Signed URLs: give access to one resource where no header can be sent, such as an image in a page.
//!
//! A signed URL names an organization, a subject, one resource, the scopes it needs and an expiry, and carries nothing else. It
//! is signed with the key of the built-in issuer under its own type, so that a token is not accepted as a signature and
//! a signature not as a token. It is revoked with its subject, client or organization, as tokens are.
//!
//! A URL without expiry is possible, for feeds that calendars subscribe to: its resource must then name a row that can
//! be revoked, and its handler must check for revocations of any age, because [`Store::revocations`] returns only
//! recent ones.
//!
//! [`Store::revocations`]: crate::store::Store::revocations

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{Permission, Permissions, id::OrganizationId, organization};
use jsonwebtoken::Header;
use serde::{Deserialize, Serialize};

use super::{
    Actor, Departments, VerifiedToken,
    claims::{MAX_BYTES, Times, date, flaw},
    tokens::Tokens,
};
use crate::{Error, Result, error::reason::Reason};

/// Maximum lifetime of a URL that expires.
pub const MAX_URL_LIFETIME: TimeDelta = TimeDelta::days(7);
/// The query parameter that holds the signature.
pub const PARAMETER: &str = "signature";
const AUDIENCE: &str = "rapport-address";
const TYPE: &str = "rapport-address+jwt";

/// Signs URLs and verifies their signatures.
#[derive(Clone)]
pub struct UrlSigner {
    pub(super) tokens: Tokens,
    header: Header,
    public_url: String,
}

impl fmt::Debug for UrlSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Omits the key.
        f.debug_struct("Addresses").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

/// The access that a signed URL gives.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    /// The resource: path and query on this server, without the signature.
    pub resource: &'a str,
    /// The only scopes of the request made with the URL.
    pub scopes: Permissions,
    /// The lifetime; `None` if the URL is valid until it is revoked.
    pub life: Option<TimeDelta>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    aud: String,
    org: String,
    sub: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    res: String,
    scope: String,
    #[serde(deserialize_with = "date")]
    iat: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    departments: Option<Departments>,
}

impl UrlSigner {
    /// Creates a signer with the key of `tokens`. URLs begin with `public_url`, or with the path if it is `None`.
    pub fn new(tokens: Tokens, public_url: Option<&str>) -> Self {
        let mut header = tokens.header.clone();
        header.typ = Some(TYPE.to_owned());
        Self { tokens, header, public_url: public_url.unwrap_or_default().trim_end_matches('/').to_owned() }
    }

    /// Returns a URL that gives the access `grant` on behalf of `actor`. Err if the actor lacks a scope, or if the
    /// lifetime is out of range.
    pub fn sign(&self, actor: &Actor, grant: Grant<'_>, now: DateTime<Utc>) -> Result<String> {
        grant.scopes.iter().try_for_each(|scope| actor.require(scope))?;
        let life = grant.life.map(|life| life.num_seconds());
        if life.is_some_and(|life| !(1..=MAX_URL_LIFETIME.num_seconds()).contains(&life)) {
            return Err(Error::BadInput("a signed address lives for 1 second to 7 days".to_owned()));
        }
        let claims = Claims {
            iss: self.tokens.issuer().to_owned(),
            aud: AUDIENCE.to_owned(),
            org: entity::id::encode(organization::NOUN.prefix, actor.organization.into()),
            sub: actor.subject.clone(),
            client_id: actor.client.clone(),
            res: grant.resource.to_owned(),
            scope: grant.scopes.iter().map(Permission::name).collect::<Vec<_>>().join(" "),
            iat: now.timestamp(),
            exp: life.map(|life| now.timestamp() + life),
            departments: actor.departments.clone(),
        };
        let signature = jsonwebtoken::encode(&self.header, &claims, &self.tokens.key.private)
            .map_err(|error| Error::internal(error.to_string()))?;
        let join = if grant.resource.contains('?') { '&' } else { '?' };
        Ok(format!("{}{}{join}{PARAMETER}={signature}", self.public_url, grant.resource))
    }

    /// Verifies `signature` for `resource`, and returns the subject with the scopes of the signature. The caller has to
    /// check for revocations.
    pub fn verify(&self, signature: &str, resource: &str, now: DateTime<Utc>) -> Result<VerifiedToken, Reason> {
        if signature.len() > MAX_BYTES {
            return Err(Reason::TooLong);
        }
        if jsonwebtoken::decode_header(signature).map_err(|error| flaw(&error))? != self.header {
            return Err(Reason::Header);
        }
        let read = jsonwebtoken::decode::<Claims>(signature, &self.tokens.key.public, &self.tokens.validation);
        let claims = read.map_err(|error| flaw(&error))?.claims;
        if !self.tokens.is_own(&claims.iss) || claims.aud != AUDIENCE {
            return Err(Reason::Audience);
        }
        if claims.res != resource {
            return Err(Reason::Resource);
        }
        let until = claims.exp.unwrap_or_else(|| claims.iat.saturating_add(TimeDelta::MAX.num_seconds()));
        let longest = if claims.exp.is_some() { MAX_URL_LIFETIME } else { TimeDelta::MAX };
        Times { from: claims.iat, issued: claims.iat, until }.within(now, longest)?;
        let organization = entity::id::decode(&claims.org).filter(|(prefix, _)| *prefix == organization::NOUN.prefix);
        let (_, organization) = organization.ok_or(Reason::Claim("org"))?;
        let scopes: Option<Permissions> = claims.scope.split(' ').map(Permission::parse).collect();
        let actor = Actor {
            organization: OrganizationId(organization),
            subject: claims.sub,
            client: claims.client_id,
            permissions: scopes.ok_or(Reason::Claim("scope"))?,
            expires: Some(until),
            departments: claims.departments,
        };
        Ok(VerifiedToken { actor, issued: claims.iat, expires: until, keys_until: None })
    }
}

#[cfg(test)]
mod tests;
