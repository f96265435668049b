//! Who is let near the database: so many requests at once and no more, in all and of one organization.

use std::{sync::Arc, time::Duration};

use entity::id::OrganizationId;
use tokio::sync::Semaphore;

use crate::store::share::{Held, Shares};

/// Requests under way for each connection: while some compute, others ask the database.
const PER_CONNECTION: usize = 4;
/// How long a request waits to be let in. Whoever waits longer is better off somewhere else, or later.
const PATIENCE: Duration = Duration::from_millis(80);

/// The places of this process.
pub struct Admission {
    all: Arc<Semaphore>,
    shares: Shares,
}

impl Admission {
    /// Places for a database with so many connections.
    pub fn new(connections: u32) -> Self {
        let places = connections as usize * PER_CONNECTION;
        Self { all: Arc::new(Semaphore::new(places)), shares: Shares::new(places / 2) }
    }

    /// A place, to be held until the request's work has ended. None if there is none soon. An organization has at most
    /// half of all places, and those who are not known yet share as one.
    pub async fn enter(&self, organization: Option<OrganizationId>) -> Option<[Held; 2]> {
        // Who waits for the own share takes no place from others.
        let enter = async {
            let share = self.shares.take(organization).await;
            Some([share, Arc::clone(&self.all).acquire_owned().await.ok()?])
        };
        tokio::time::timeout(PATIENCE, enter).await.ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use entity::id::{self, OrganizationId};

    use super::{Admission, PER_CONNECTION};

    fn organization() -> OrganizationId {
        OrganizationId(id::new())
    }

    #[tokio::test]
    async fn an_organization_gets_half_the_places_and_all_together_get_all() {
        let (admission, greedy) = (Admission::new(2), Some(organization()));
        let mut held = Vec::new();
        for _ in 0..PER_CONNECTION {
            held.push(admission.enter(greedy).await.unwrap());
        }
        assert!(admission.enter(greedy).await.is_none());
        for _ in 0..PER_CONNECTION {
            held.push(admission.enter(Some(organization())).await.unwrap());
        }
        assert!(admission.enter(Some(organization())).await.is_none());
        held.pop();
        assert!(admission.enter(greedy).await.is_none());
        assert!(admission.enter(Some(organization())).await.is_some());
        held.clear();
        assert!(admission.enter(greedy).await.is_some());
    }

    #[tokio::test]
    async fn who_was_refused_takes_no_place() {
        let (admission, greedy) = (Admission::new(1), Some(organization()));
        let held = [admission.enter(greedy).await, admission.enter(greedy).await];
        for _ in 0..3 {
            assert!(admission.enter(greedy).await.is_none());
        }
        drop(held);
        assert!(admission.enter(greedy).await.is_some());
    }
}
