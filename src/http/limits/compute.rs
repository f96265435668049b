//! Work that takes long and waits for nothing, kept off the threads that answer: so much of it at once and no more.

use std::{sync::Arc, time::Duration};

use tokio::{runtime::Handle, sync::Semaphore};

use crate::runtime;

/// How long such work waits to begin.
const TIMEOUT: Duration = Duration::from_millis(80);

/// The places for such work.
pub struct ComputePool {
    places: Arc<Semaphore>,
    home: Handle,
}

impl ComputePool {
    /// So many places. `home` has the threads.
    pub fn new(places: usize, home: Handle) -> Self {
        Self { places: Arc::new(Semaphore::new(places.max(1))), home }
    }

    /// Does the work elsewhere. None if there is no place for it soon.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let place = Arc::clone(&self.places).acquire_owned();
        let place = runtime::on_own(tokio::time::timeout(TIMEOUT, place)).await.ok()?.ok()?;
        let task = self.home.spawn_blocking(move || {
            let _place = place;
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
    pub async fn finish<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
        let home = self.home.clone();
        self.run(move || home.block_on(work)).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::runtime::Handle;

    use super::ComputePool;

    #[tokio::test]
    async fn no_more_is_done_at_once_than_there_are_places() {
        let compute = ComputePool::new(1, Handle::current());
        let here = std::thread::current().id();
        assert_ne!(compute.run(|| std::thread::current().id()).await, Some(here));
        let (go, wait) = mpsc::channel::<()>();
        let first = compute.run(move || wait.recv().is_ok());
        let second = async {
            let refused = compute.run(|| ()).await;
            go.send(()).unwrap();
            refused
        };
        assert_eq!(futures_util::join!(first, second), (Some(true), None));
        assert_eq!(compute.finish(async { 7 }).await, Some(7));
    }
}
