//! Revocations: genuine tokens that are refused, as stored in the database that all servers share.

use std::collections::{HashMap, HashSet};

use entity::id::OrganizationId;

use super::{VerifiedToken, claims::LEEWAY};
use crate::error::reason::Reason;

entity::string_enum! {
    /// What a revocation applies to.
    Revocation as "TokenWithdrawal" {
        /// Every token of an organization, until the organization is resumed.
        Organization = "ORGANIZATION",
        /// Every token of an API client, permanently.
        Client = "CLIENT",
        /// The tokens issued to a subject before the revocation.
        Subject = "SUBJECT",
    }
}

/// The revocations as of the last read.
#[derive(Debug, Default)]
pub struct RevokedTokens {
    organizations: HashSet<OrganizationId>,
    deleted: HashSet<OrganizationId>,
    clients: HashMap<OrganizationId, HashSet<String>>,
    /// By subject: the epoch second of the revocation; tokens issued until then are refused.
    subjects: HashMap<OrganizationId, HashMap<String, i64>>,
}

impl RevokedTokens {
    /// Adds a revocation of the client id or subject `subject`, made at the epoch second `at`.
    pub fn add(&mut self, kind: Revocation, organization: OrganizationId, subject: String, at: i64) {
        match kind {
            Revocation::Organization => drop(self.organizations.insert(organization)),
            Revocation::Client => drop(self.clients.entry(organization).or_default().insert(subject)),
            Revocation::Subject => drop(self.subjects.entry(organization).or_default().insert(subject, at)),
        }
    }

    /// Adds organizations that were deleted.
    pub fn add_deleted(&mut self, organizations: impl IntoIterator<Item = OrganizationId>) {
        self.deleted.extend(organizations);
    }

    /// Returns the reason for which a verified token is refused, or `None` if the token is accepted.
    ///
    /// The issuer's clock may be ahead by the leeway, so a token issued before the revocation may have an `iat` after
    /// it. Tokens of a revoked subject are therefore accepted only if they were issued later than the revocation plus
    /// the leeway.
    pub fn refuses(&self, proof: &VerifiedToken) -> Option<Reason> {
        let actor = &proof.actor;
        let clients = self.clients.get(&actor.organization);
        let subjects = self.subjects.get(&actor.organization);
        let is_held = |until: &i64| proof.issued <= until.saturating_add(LEEWAY.num_seconds());
        if self.deleted.contains(&actor.organization) {
            Some(Reason::Deleted)
        } else if self.organizations.contains(&actor.organization) {
            Some(Reason::Suspended)
        } else if actor.client.as_ref().is_some_and(|client| clients.is_some_and(|known| known.contains(client))) {
            Some(Reason::ClientRevoked)
        } else if subjects.and_then(|known| known.get(&actor.subject)).is_some_and(is_held) {
            Some(Reason::Revoked)
        } else {
            None
        }
    }
}
