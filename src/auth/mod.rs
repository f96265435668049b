//! Authentication: the caller's identity, and the tokens and signatures that prove it.

pub mod claims;
pub mod departments;
pub mod derived;
pub mod external_issuer;
mod jwks;
pub mod key;
pub mod revoked;
pub mod secret;
pub mod signed_url;
pub mod token_cache;
pub mod tokens;

use entity::{Permission, Permissions, id::OrganizationId};

pub use self::departments::Departments;
use crate::{Error, Result};

/// The authenticated caller.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The organization that the caller acts in.
    pub organization: OrganizationId,
    /// The caller's identity: the token's `sub`.
    pub subject: String,
    /// The API client that acts for the caller: the token's `client_id`.
    pub client: Option<String>,
    /// The caller's permissions: the token's `scope`.
    pub permissions: Permissions,
    /// Expiry of the token (`exp`), in epoch seconds; `None` without a token, as in commands on the server.
    pub expires: Option<i64>,
    /// The departments that the caller is narrowed to: the token's `departments`; `None` if it has none, and for all.
    pub departments: Option<Departments>,
}

/// The verified contents of a token.
#[derive(Clone, Debug)]
pub struct VerifiedToken {
    /// The caller.
    pub actor: Actor,
    /// Time of issue (`iat`), in epoch seconds.
    pub issued: i64,
    /// Expiry (`exp`), in epoch seconds.
    pub expires: i64,
    /// Until when the cached verification key may be used without fetching the key set again, in epoch seconds; `None`
    /// for tokens of the built-in issuer, whose key does not change.
    pub keys_until: Option<i64>,
}

impl Actor {
    /// Returns an actor with every permission in one organization, for commands run on the server itself.
    pub fn operator(organization: OrganizationId) -> Self {
        let permissions = Permission::ALL.into_iter().collect();
        Self {
            organization,
            subject: "operator".to_owned(),
            client: None,
            permissions,
            expires: None,
            departments: None,
        }
    }

    /// Err if the caller is narrowed to departments.
    pub fn require_whole_organization(&self) -> Result<()> {
        if self.departments.is_none() { Ok(()) } else { Err(Error::Narrowed) }
    }

    /// Err if the caller's token lacks the scope.
    pub fn require(&self, permission: Permission) -> Result<()> {
        if self.permissions.holds(permission) { Ok(()) } else { Err(Error::Forbidden(permission)) }
    }
}
