//! Selects the tokio runtime that sockets, timers and tasks belong to.

use std::{cell::RefCell, future::poll_fn, pin::pin};

use tokio::runtime::Handle;

thread_local! {
    /// This thread's own runtime while [`enter`] polls a future in the context of another.
    static OWN: RefCell<Option<Handle>> = const { RefCell::new(None) };
}

/// Polls `future` on this thread, but in the context of `runtime`: its sockets, timers and tasks belong to `runtime`.
pub async fn enter<F: Future>(runtime: &Handle, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        let before = OWN.replace(Handle::try_current().ok());
        let _restored = Restored(before);
        let _entered = runtime.enter();
        future.as_mut().poll(context)
    })
    .await
}

/// Inside [`enter`], polls `future` in the context of this thread's own runtime, so that its timers are not delayed
/// while the other runtime is busy.
pub async fn on_own<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        let own = OWN.with_borrow(Clone::clone);
        let _entered = own.as_ref().map(Handle::enter);
        future.as_mut().poll(context)
    })
    .await
}

/// Restores the previous value on drop, including during unwinding.
struct Restored(Option<Handle>);

impl Drop for Restored {
    fn drop(&mut self) {
        OWN.set(self.0.take());
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::{Builder, Handle};

    use super::{enter, on_own};

    #[test]
    fn what_is_on_its_own_is_not_within() {
        let own = Builder::new_current_thread().build().unwrap();
        let home = Builder::new_current_thread().build().unwrap();
        let id = async || Handle::current().id();
        own.block_on(async {
            let here = id().await;
            let inside = enter(home.handle(), async { (id().await, on_own(id()).await, id().await) }).await;
            assert_eq!(inside, (home.handle().id(), here, home.handle().id()));
            assert_eq!((on_own(id()).await, id().await), (here, here));
        });
    }
}
