//! A bounded pool for CPU-bound work, off the threads that serve requests; organizations take turns.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
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

/// One computation of a request: charged to the request, and cancelled on its own.
#[derive(Debug)]
pub struct Computation {
    meter: Arc<Meter>,
    is_cancelled: Arc<AtomicBool>,
}

/// Cancels a computation on drop.
struct CancelOnDrop(Arc<AtomicBool>);

impl Computation {
    fn new(meter: &Arc<Meter>) -> Self {
        Self { meter: Arc::clone(meter), is_cancelled: Arc::default() }
    }

    /// Returns the meter of the request.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// [`Error::Timeout`] if nobody waits for the result any more. Long loops call this and stop.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled.load(Ordering::Relaxed) { Err(Error::Timeout) } else { Ok(()) }
    }

    fn cancel_on_drop(&self) -> CancelOnDrop {
        CancelOnDrop(Arc::clone(&self.is_cancelled))
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
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
    /// Computes something whose cost grows with the caller's input, on a blocking thread if it `is_long`. If nobody waits
    /// for the result any more, [`Computation::check`] returns an error to the computation, which should call it now and
    /// then. [`Error::Unavailable`] if no permit became free in time.
    pub async fn compute<T: Send + 'static>(
        &self,
        is_long: bool,
        work: impl FnOnce(&Computation) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let computation = Computation::new(&self.meter);
        if !is_long {
            return work(&computation);
        }
        let permits = self.permits.clone();
        let _cancel = computation.cancel_on_drop();
        let work = move || {
            let started = Instant::now();
            let done = computation.check().and_then(|()| work(&computation));
            let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            computation.meter.charge(millis.saturating_mul(POINTS));
            drop(permits);
            done
        };
        let done = self.store.compute.run(Some(self.organization()), work).await;
        done.unwrap_or(Err(Error::Unavailable))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, mpsc},
        time::Duration,
    };

    use entity::id::{self, OrganizationId};
    use tokio::runtime::Handle;

    use super::{Computation, ComputePool};
    use crate::Error;

    #[test]
    fn a_computation_that_is_cancelled_does_not_cancel_others_of_its_request() {
        let meter = Arc::default();
        let (one, other) = (Computation::new(&meter), Computation::new(&meter));
        drop(one.cancel_on_drop());
        assert!(matches!(one.check(), Err(Error::Timeout)));
        assert!(other.check().is_ok());
    }

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
