//! Who is calling, and how they prove it.

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

impl Actor {
    /// Refuses unless the caller's token carries the scope.
    pub fn require(&self, permission: Permission) -> Result<()> {
        if self.permissions.holds(permission) { Ok(()) } else { Err(Error::Forbidden(permission)) }
    }
}
