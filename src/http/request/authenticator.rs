//! Authentication: verifies tokens of the built-in issuer and of external ones, and checks them for revocation.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::OrganizationId;

use crate::{
    Error, Result,
    auth::{
        Actor, VerifiedToken,
        claims::{self, MAX_BYTES},
        external_issuer::{Bounds, External},
        token_cache::{TokenCache, fingerprint},
        tokens::Tokens,
    },
    error::reason::Reason,
    http::{
        limits::rate_limit::OwnQuota,
        revocation_cache::{RevocationCache, away},
    },
    store::Store,
};

/// Verifies access tokens.
pub struct Authenticator {
    /// The built-in issuer, if it is configured.
    pub(in crate::http) tokens: Option<Tokens>,
    externals: Vec<External>,
    pub(in crate::http) store: Store,
    proofs: TokenCache,
    pub(in crate::http) revocation_cache: RevocationCache,
    pub(in crate::http) client_life: TimeDelta,
}

impl Authenticator {
    /// Creates an authenticator that accepts tokens of these issuers.
    pub fn new(store: Store, tokens: Option<Tokens>, externals: Vec<External>) -> Self {
        Self {
            tokens,
            externals,
            revocation_cache: RevocationCache::new(store.clone()),
            store,
            proofs: TokenCache::default(),
            client_life: TimeDelta::hours(1),
        }
    }

    /// Sets the lifetime of tokens for API clients.
    #[must_use]
    pub fn with_client_life(self, client_life: TimeDelta) -> Self {
        Self { client_life, ..self }
    }

    /// Returns the public keys of the built-in issuer as a JWK set.
    pub fn jwks(&self) -> String {
        self.tokens.as_ref().map_or_else(|| "{\"keys\":[]}".to_owned(), |tokens| tokens.jwks().to_owned())
    }

    /// Returns the names of the external issuers.
    pub(in crate::http) fn external_issuers(&self) -> Vec<&str> {
        self.externals.iter().map(External::issuer).collect()
    }

    /// Returns the actor that `token` authenticates; [`Error::Unavailable`] if that cannot be determined at the moment.
    pub async fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Actor> {
        if token.len() > MAX_BYTES {
            return Err(Error::Unauthenticated(Reason::TooLong));
        }
        let fingerprint = fingerprint(token);
        let proof = if let Some(proof) = self.proofs.get(&fingerprint, now) {
            proof
        } else {
            let proof = Arc::new(self.prove(token, now).await?);
            self.proofs.put(fingerprint, &proof, now);
            proof
        };
        self.admits(&proof, now).await?;
        Ok(proof.actor.clone())
    }

    /// Returns an error if the token has been revoked.
    pub(in crate::http) async fn admits(&self, proof: &VerifiedToken, now: DateTime<Utc>) -> Result<()> {
        let refused = self.revocation_cache.revocations(now).await?.refuses(proof);
        refused.map_or(Ok(()), |reason| Err(Error::Unauthenticated(reason)))
    }

    async fn prove(&self, token: &str, now: DateTime<Utc>) -> Result<VerifiedToken> {
        let issuer = claims::issuer(token).map_err(Error::Unauthenticated)?;
        if let Some(tokens) = self.tokens.as_ref().filter(|tokens| tokens.is_own(&issuer)) {
            return tokens.verify(token, now);
        }
        let external = self.externals.iter().find(|external| external.issuer() == issuer);
        let external = external.ok_or(Error::Unauthenticated(Reason::UnknownIssuer))?;
        let claimed = external.verify(token, now).await?;
        let organization = self.allowed(external, &claimed.organization).await.map_err(|error| away(&error))?;
        Ok(claimed.within(organization.ok_or(Error::Unauthenticated(Reason::Organization))?))
    }

    /// Returns the organization with that id or slug, if it exists and the issuer may name it.
    async fn allowed(&self, issuer: &External, name: &str) -> Result<Option<OrganizationId>> {
        let Some(named) = self.store.organization_named(name).await? else { return Ok(None) };
        let Bounds::Listed(listed) = issuer.bounds() else { return Ok(Some(named)) };
        for known in listed {
            // The issuer's configuration may list the slug while the token carries the id.
            if known == name || self.store.organization_named(known).await? == Some(named) {
                return Ok(Some(named));
            }
        }
        Ok(None)
    }

    /// Returns the caller's own quota, which overrides the default one where it is set.
    pub(in crate::http) fn own_quota(&self, actor: &Actor) -> OwnQuota {
        let client = actor.client.as_deref();
        client.map(|client| self.revocation_cache.own_quota(actor.organization, client)).unwrap_or_default()
    }

    /// Returns whether the caller may send trusted documents only.
    pub(in crate::http) fn is_trusted_documents_only(&self, actor: &Actor) -> bool {
        let client = actor.client.as_deref();
        client.is_some_and(|client| self.revocation_cache.is_trusted_documents_only(actor.organization, client))
    }

    /// Polls the revocations now.
    pub async fn poll(&self, now: DateTime<Utc>) -> Result<()> {
        self.revocation_cache.poll(now).await
    }
}
