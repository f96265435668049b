//! Who is calling, and how they prove it.

pub mod claims;
pub mod external_issuer;
mod jwks;
pub mod key;
pub mod revoked;
pub mod secret;
pub mod signed_url;
pub mod token_cache;
pub mod tokens;

use entity::{Permission, Permissions, id::OrganizationId};

use crate::{Error, Result};

/// The caller, proven by a token.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The one organization they act in.
    pub organization: OrganizationId,
    /// Who they are: the token's `sub`.
    pub subject: String,
    /// The API client that speaks for them: the token's `client_id`.
    pub client: Option<String>,
    /// What they may do: the token's `scope`.
    pub permissions: Permissions,
}

/// What a token proved.
#[derive(Clone, Debug)]
pub struct VerifiedToken {
    /// The caller.
    pub actor: Actor,
    /// When the token was issued, in seconds.
    pub issued: i64,
    /// When it ends, in seconds.
    pub expires: i64,
    /// Until when the key that it was judged by counts without being asked for again, in seconds; ours always does.
    pub keys_until: Option<i64>,
}

impl Actor {
    /// Whoever sits at the machine, in one organization: they may do everything.
    pub fn operator(organization: OrganizationId) -> Self {
        let permissions = Permission::ALL.into_iter().collect();
        Self { organization, subject: "operator".to_owned(), client: None, permissions }
    }

    /// Refuses unless the caller's token carries the scope.
    pub fn require(&self, permission: Permission) -> Result<()> {
        if self.permissions.holds(permission) { Ok(()) } else { Err(Error::Forbidden(permission)) }
    }
}
