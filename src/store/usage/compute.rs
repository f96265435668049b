//! A bounded pool for CPU-bound work, off the threads that serve requests; organizations take turns.

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

/// A permit to compute.
#[derive(Debug)]
struct ComputePermit;

impl Shared for ComputePermit {}

/// The pool.
#[derive(Clone, Debug)]
pub struct ComputePool {
    permits: Arc<FairQueue<ComputePermit>>,
    max_wait: Duration,
    home: Handle,
}

impl ComputePool {
    /// Creates a pool of `places` permits on the blocking threads of `home`; a caller waits at most `max_wait` for one.
    pub fn new(places: usize, max_wait: Duration, home: Handle) -> Self {
        Self { permits: FairQueue::new((0..places.max(1)).map(|_| ComputePermit).collect()), max_wait, home }
    }

    /// Creates a pool for half of the processors.
    pub(in crate::store) fn half(max_wait: Duration) -> Self {
        let places = available_parallelism().map_or(1, |count| count.get().div_ceil(2));
        Self::new(places, max_wait, Handle::current())
    }

    /// Runs work on a blocking thread, on behalf of an organization if it is known. `None` if no permit became free in
    /// time.
    pub async fn run<T: Send + 'static>(
        &self,
        organization: Option<OrganizationId>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let turn = self.permits.take(organization);
        let turn = runtime::on_own(tokio::time::timeout(self.max_wait, turn)).await.ok()?;
        let task = self.home.spawn_blocking(move || {
            // Held until the work ends, even if the caller has gone.
            let _turn = turn;
            work()
        });
        match task.await {
            Ok(done) => Some(done),
            // The HTTP layer turns the panic into a response.
            Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
            Err(_) => None,
        }
    }

    /// Runs a CPU-bound future to completion. `None` if no permit became free in time.
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
    /// Adds permits that are held until the last work of the request ends: a mutation may outlive its request.
    #[must_use]
    pub fn with_permits(mut self, permits: impl IntoIterator<Item = Permit>) -> Self {
        self.permits.extend(permits.into_iter().map(Arc::new));
        self
    }
}

impl<C: Connection> Scope<C> {
    /// Computes something whose cost grows with the caller's input, on a blocking thread if it `is_long`. If the caller
    /// goes away, [`Meter::check`] returns an error to the computation, which should call it now and then.
    /// [`Error::Unavailable`] if no permit became free in time.
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
