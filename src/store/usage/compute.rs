//! Work that takes long and waits for nothing, kept off the threads that answer: so much of it at once and no more, in turns
//! of the organizations.

use std::{
    sync::Arc,
    thread::available_parallelism,
    time::{Duration, Instant},
};

use entity::id::OrganizationId;
use tokio::runtime::Handle;

use super::{
    fair_queue::{FairQueue, Shared},
    meter::Meter,
    tenant_limiter::Permit,
};
use crate::{
    Error, Result, runtime,
    store::{Connection, Scope},
};

/// Points for each millisecond of a computation.
const POINTS: u64 = 10;

/// A place to compute at.
#[derive(Debug)]
struct ComputePermit;

impl Shared for ComputePermit {}

/// Places for such work.
#[derive(Clone, Debug)]
pub struct ComputePool {
    permits: Arc<FairQueue<ComputePermit>>,
    patience: Duration,
    home: Handle,
}

impl ComputePool {
    /// So many places, each of which is waited for no longer than that. `home` has the threads.
    pub fn new(places: usize, patience: Duration, home: Handle) -> Self {
        Self { permits: FairQueue::new((0..places.max(1)).map(|_| ComputePermit).collect()), patience, home }
    }

    /// As many as leave half of the processor to others.
    pub(in crate::store) fn half(patience: Duration) -> Self {
        let places = available_parallelism().map_or(1, |count| count.get().div_ceil(2));
        Self::new(places, patience, Handle::current())
    }

    /// Does the work elsewhere, for an organization or for nobody known. None if there is no place for it soon.
    pub async fn run<T: Send + 'static>(
        &self,
        organization: Option<OrganizationId>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let turn = self.permits.take(organization);
        let turn = runtime::on_own(tokio::time::timeout(self.patience, turn)).await.ok()?;
        let task = self.home.spawn_blocking(move || {
            // Given back only when it is done, even if nobody waits any more.
            let _turn = turn;
            work()
        });
        match task.await {
            Ok(done) => Some(done),
            // As if it had happened here: the edge answers for it.
            Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
            Err(_) => None,
        }
    }

    /// Runs to its end a future that waits for nothing. None if there is no place for it soon.
    pub async fn finish<T: Send + 'static>(
        &self,
        organization: Option<OrganizationId>,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let home = self.home.clone();
        self.run(organization, move || home.block_on(work)).await
    }
}

impl Scope {
    /// The same, holding on to something until the last of the request's work: a mutation may outlive the request.
    #[must_use]
    pub fn with_permits(mut self, permits: impl IntoIterator<Item = Permit>) -> Self {
        self.permits.extend(permits.into_iter().map(Arc::new));
        self
    }
}

impl<C: Connection> Scope<C> {
    /// Computes something whose cost grows with what the caller has sent or asked for. If it `is_long`, nobody else of the
    /// thread waits for it. When the caller does not wait any more, [`Meter::is_abandoned`] says so to the computation, which should then
    /// end by [`Meter::check`].
    pub async fn compute<T: Send + 'static>(
        &self,
        is_long: bool,
        work: impl FnOnce(&Meter) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if !is_long {
            return work(&self.meter);
        }
        let (meter, permits) = (Arc::clone(&self.meter), self.permits.clone());
        let work = move || {
            let started = Instant::now();
            let done = meter.check().and_then(|()| work(&meter));
            meter.charge(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_mul(POINTS));
            drop(permits);
            done
        };
        let watch = self.meter.watch();
        let done = self.store.compute.run(Some(self.organization()), work).await;
        watch.done();
        done.unwrap_or(Err(Error::Unavailable))
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use entity::id::{self, OrganizationId};
    use tokio::runtime::Handle;

    use super::ComputePool;

    #[tokio::test]
    async fn no_more_is_done_at_once_than_there_are_places() {
        let compute = ComputePool::new(1, Duration::from_millis(20), Handle::current());
        let here = std::thread::current().id();
        assert_ne!(compute.run(None, || std::thread::current().id()).await, Some(here));
        let (go, wait) = mpsc::channel::<()>();
        let first = compute.run(None, move || wait.recv().is_ok());
        let second = async {
            let refused = compute.run(Some(OrganizationId(id::new())), || ()).await;
            go.send(()).unwrap();
            refused
        };
        assert_eq!(futures_util::join!(first, second), (Some(true), None));
        assert_eq!(compute.finish(None, async { 7 }).await, Some(7));
    }
}
