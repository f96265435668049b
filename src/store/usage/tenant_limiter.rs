//! A semaphore for each organization, so that none can take all of a shared resource.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use entity::id::OrganizationId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Above this many organizations, those that hold no permit are removed.
const MAX_REMEMBERED: usize = 1_024;

/// A permit, released on drop.
pub type Permit = OwnedSemaphorePermit;

/// The semaphores of all organizations. Waiters of one organization are served in order of arrival.
#[derive(Debug)]
pub struct TenantLimiter {
    each: usize,
    organizations: Mutex<HashMap<Option<OrganizationId>, Arc<Semaphore>>>,
}

impl TenantLimiter {
    /// Creates a limiter with `each` permits per organization, at least one.
    pub fn new(each: usize) -> Self {
        Self { each: each.max(1), organizations: Mutex::default() }
    }

    /// Waits for a permit. Callers of unknown organization share one semaphore.
    pub async fn take(&self, organization: Option<OrganizationId>) -> Permit {
        let share = self.of(organization);
        share.acquire_owned().await.expect("a share is never closed")
    }

    fn of(&self, organization: Option<OrganizationId>) -> Arc<Semaphore> {
        let mut known = self.organizations.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_REMEMBERED {
            // A holder or waiter keeps a reference to the semaphore.
            known.retain(|_, share| Arc::strong_count(share) > 1);
        }
        Arc::clone(known.entry(organization).or_insert_with(|| Arc::new(Semaphore::new(self.each))))
    }
}

#[cfg(test)]
mod tests {
    use entity::id::{self, OrganizationId};
    use futures_util::FutureExt as _;

    use super::{MAX_REMEMBERED, TenantLimiter};

    #[tokio::test]
    async fn one_organization_takes_nothing_of_another() {
        let (shares, ours, theirs) =
            (TenantLimiter::new(2), Some(OrganizationId(id::new())), Some(OrganizationId(id::new())));
        let (first, _second) = (shares.take(ours).await, shares.take(ours).await);
        assert!(shares.take(ours).now_or_never().is_none());
        assert!(shares.take(theirs).now_or_never().is_some() && shares.take(None).now_or_never().is_some());
        drop(first);
        assert!(shares.take(ours).now_or_never().is_some());
    }

    #[tokio::test]
    async fn who_holds_something_is_not_forgotten_and_who_holds_nothing_is() {
        let (shares, ours) = (TenantLimiter::new(1), Some(OrganizationId(id::new())));
        let _held = shares.take(ours).await;
        for _ in 0..3 * MAX_REMEMBERED {
            drop(shares.take(Some(OrganizationId(id::new()))).await);
        }
        assert!(shares.take(ours).now_or_never().is_none());
        assert!(shares.organizations.lock().unwrap().len() <= MAX_REMEMBERED + 1);
    }
}
