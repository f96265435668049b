//! Whose tokens are refused although they are genuine: what all servers on one database agree on.

use std::collections::{HashMap, HashSet};

use entity::{api_client, id, id::OrganizationId};
use uuid::Uuid;

use super::Proof;

/// What was withdrawn, as it was last read.
#[derive(Debug, Default)]
pub struct Withdrawn {
    organizations: HashSet<OrganizationId>,
    clients: HashSet<(OrganizationId, Uuid)>,
    /// By organization and subject, the second until which tokens were issued in vain.
    cut_offs: HashMap<OrganizationId, HashMap<String, i64>>,
}

/// One thing that was withdrawn.
#[derive(Debug)]
pub enum Withdrawal {
    /// An organization is suspended.
    Organization(OrganizationId),
    /// An API client is revoked.
    Client(OrganizationId, Uuid),
    /// Tokens a subject was issued up to this second are refused.
    CutOff(OrganizationId, String, i64),
}

impl FromIterator<Withdrawal> for Withdrawn {
    fn from_iter<I: IntoIterator<Item = Withdrawal>>(withdrawals: I) -> Self {
        let mut all = Self::default();
        for withdrawal in withdrawals {
            match withdrawal {
                Withdrawal::Organization(organization) => drop(all.organizations.insert(organization)),
                Withdrawal::Client(organization, client) => drop(all.clients.insert((organization, client))),
                Withdrawal::CutOff(organization, subject, until) => {
                    all.cut_offs.entry(organization).or_default().insert(subject, until);
                }
            }
        }
        all
    }
}

impl Withdrawn {
    /// Whether the bearer of a genuine token is refused.
    pub fn refuses(&self, proof: &Proof) -> bool {
        let organization = proof.actor.organization;
        let client = proof.actor.client.as_deref().and_then(id::decode);
        let client = client.filter(|(prefix, _)| *prefix == api_client::NOUN.prefix).map(|(_, id)| id);
        let until = self.cut_offs.get(&organization).and_then(|subjects| subjects.get(&proof.actor.subject));
        self.organizations.contains(&organization)
            || client.is_some_and(|client| self.clients.contains(&(organization, client)))
            || until.is_some_and(|until| proof.issued <= *until)
    }
}
