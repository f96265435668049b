//! Which runtime it is that sockets, timers and tasks belong to.

use std::{future::poll_fn, pin::pin};

use tokio::runtime::Handle;

/// Runs on this thread, but what it opens and starts belongs to that runtime.
pub async fn within<F: Future>(runtime: &Handle, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        let _entered = runtime.enter();
        future.as_mut().poll(context)
    })
    .await
}
