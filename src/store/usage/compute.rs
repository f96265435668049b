//! Computations for a caller: off the threads that answer others, so many at once, in turns of the organizations.

use std::{sync::Arc, thread::available_parallelism, time::Instant};

use super::{
    fair_queue::{FairQueue, QueueGuard, Shared},
    meter::Meter,
    tenant_limiter::Permit,
};
use crate::{
    Error, Result,
    store::{Connection, Scope, operation::connect},
};

/// Points for each millisecond of a computation.
const POINTS: u64 = 10;

/// A place to compute at.
#[derive(Debug)]
pub struct ComputePermit;

impl Shared for ComputePermit {}

/// As many as leave half of the processor to others.
pub(in crate::store) fn compute_queue() -> Arc<FairQueue<ComputePermit>> {
    let count = available_parallelism().map_or(1, |count| count.get().div_ceil(2));
    FairQueue::new((0..count).map(|_| ComputePermit).collect())
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
        let turn = self.store.compute_queue.take(Some(self.organization()));
        let turn = tokio::time::timeout(connect::turn(self.store.backend()), turn).await;
        let turn: QueueGuard<ComputePermit> = turn.map_err(|_| Error::Unavailable)?;
        let (meter, permits) = (Arc::clone(&self.meter), self.permits.clone());
        let watch = self.meter.watch();
        let task = tokio::task::spawn_blocking(move || {
            let started = Instant::now();
            let done = meter.check().and_then(|()| work(&meter));
            meter.charge(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_mul(POINTS));
            // Given back only now, even if nobody waits any more.
            drop((turn, permits));
            done
        });
        let done = task.await;
        watch.done();
        match done {
            Ok(done) => done,
            Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
            Err(_) => Err(Error::Unavailable),
        }
    }
}
