//! Admission control: limits the number of concurrent requests that use the database, in total and per organization.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use entity::id::OrganizationId;
use futures_util::FutureExt as _;
use tokio::sync::Semaphore;

use crate::{
    runtime,
    store::usage::tenant_limiter::{Permit, TenantLimiter},
};

/// Concurrent requests per connection: while some compute, others use the database.
const PER_CONNECTION: usize = 4;
/// Maximum time a request waits for admission. After that, another replica or a later retry serves it better.
const TIMEOUT: Duration = Duration::from_millis(80);

/// The admission permits of this process.
pub struct Admission {
    all: Arc<Semaphore>,
    shares: TenantLimiter,
    /// Maximum number of requests of one organization that wait for a permit.
    most_waiting: usize,
    waiting: Mutex<HashMap<Option<OrganizationId>, usize>>,
}

impl Admission {
    /// Creates permits for a database with `connections` connections.
    pub fn new(connections: u32) -> Self {
        let places = connections as usize * PER_CONNECTION;
        let all = Arc::new(Semaphore::new(places));
        Self { all, shares: TenantLimiter::new(places / 2), most_waiting: places / 2, waiting: Mutex::default() }
    }

    /// Waits for a permit, which the caller holds until the request's work ends. Returns `None` if no permit becomes
    /// free within `TIMEOUT`, or if as many requests of the organization already wait as may run. An organization
    /// gets at most half of all permits; requests not yet authenticated share the limit of one organization.
    pub async fn enter(&self, organization: Option<OrganizationId>) -> Option<[Permit; 2]> {
        // A request waits for its organization's share first, so that it holds no global permit meanwhile.
        let enter = async {
            let share = self.shares.take(organization).await;
            Some([share, Arc::clone(&self.all).acquire_owned().await.ok()?])
        };
        let mut enter = pin!(enter);
        if let Some(entered) = enter.as_mut().now_or_never() {
            return entered;
        }
        let _waiting = self.wait(organization)?;
        // Use this thread's timer: the other runtime may be busy with the very work that delays admission.
        runtime::on_own(tokio::time::timeout(TIMEOUT, enter)).await.ok().flatten()
    }

    fn wait(&self, organization: Option<OrganizationId>) -> Option<Waiting<'_>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.entry(organization).or_default();
        (*count < self.most_waiting).then(|| {
            *count += 1;
            Waiting { admission: self, organization }
        })
    }
}

/// A request that waits for a permit; decrements the count of waiters on drop.
struct Waiting<'a> {
    admission: &'a Admission,
    organization: Option<OrganizationId>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut waiting = self.admission.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = waiting.get_mut(&self.organization) {
            *count -= 1;
            if *count == 0 {
                waiting.remove(&self.organization);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use entity::id::{self, OrganizationId};
    use futures_util::FutureExt as _;

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
    async fn as_many_wait_as_may_work_and_the_next_is_refused_at_once() {
        let (admission, greedy) = (Admission::new(2), Some(organization()));
        let mut held = Vec::new();
        for _ in 0..PER_CONNECTION {
            held.push(admission.enter(greedy).await.unwrap());
        }
        let mut waiting: Vec<_> = (0..PER_CONNECTION).map(|_| Box::pin(admission.enter(greedy))).collect();
        for enter in &mut waiting {
            assert!(enter.now_or_never().is_none());
        }
        assert!(matches!(admission.enter(greedy).now_or_never(), Some(None)));
        // Only this organization's queue is full: requests of other organizations are admitted.
        assert!(matches!(admission.enter(Some(organization())).now_or_never(), Some(Some(_))));
        held.pop();
        assert!(matches!(waiting.remove(0).now_or_never(), Some(Some(_))));
        drop(waiting);
        assert!(admission.waiting.lock().unwrap().is_empty());
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
