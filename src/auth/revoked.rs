//! Whose tokens are refused although they are genuine: what all servers on one database agree on.

use std::collections::{HashMap, HashSet};

use entity::id::OrganizationId;

use super::{VerifiedToken, claims::LEEWAY};
use crate::error::reason::Reason;

entity::string_enum! {
    /// What was withdrawn.
    Revocation as "TokenWithdrawal" {
        /// Every token of an organization, until it is resumed.
        Organization = "ORGANIZATION",
        /// Every token of an API client, for good.
        Client = "CLIENT",
        /// The tokens a subject had been issued.
        Subject = "SUBJECT",
    }
}

/// What was withdrawn, as it was last read.
#[derive(Debug, Default)]
pub struct RevokedTokens {
    organizations: HashSet<OrganizationId>,
    clients: HashMap<OrganizationId, HashSet<String>>,
    /// The second until which a subject's tokens were issued in vain.
    subjects: HashMap<OrganizationId, HashMap<String, i64>>,
}

impl RevokedTokens {
    /// Adds what was withdrawn: the client's id or the subject, and the second in which it was.
    pub fn add(&mut self, kind: Revocation, organization: OrganizationId, subject: String, at: i64) {
        match kind {
            Revocation::Organization => drop(self.organizations.insert(organization)),
            Revocation::Client => drop(self.clients.entry(organization).or_default().insert(subject)),
            Revocation::Subject => drop(self.subjects.entry(organization).or_default().insert(subject, at)),
        }
    }

    /// Why the bearer of a genuine token is refused, if they are.
    ///
    /// A token may have been issued by a clock that is ahead by the leeway, so that its `iat` lies behind the withdrawal
    /// although it was held before. A new token of a revoked subject is good from the leeway on.
    pub fn refuses(&self, proof: &VerifiedToken) -> Option<Reason> {
        let actor = &proof.actor;
        let clients = self.clients.get(&actor.organization);
        let subjects = self.subjects.get(&actor.organization);
        let is_held = |until: &i64| proof.issued <= until.saturating_add(LEEWAY.num_seconds());
        if self.organizations.contains(&actor.organization) {
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
