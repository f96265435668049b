//! Sees new changes of the organizations that have streams, with one statement for all of them. A server with no streams
//! asks nothing, and writers notify nobody: on PostgreSQL, NOTIFY takes a lock of the whole instance at commit.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use entity::id::OrganizationId;
use tokio::{
    runtime::Handle,
    sync::watch,
    time::{MissedTickBehavior, interval, timeout},
};

use crate::store::Store;

/// Interval of looking for changes.
const INTERVAL: Duration = Duration::from_millis(250);
/// Maximum time of looking once.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The watcher of this server, shared between its clones.
#[derive(Clone)]
pub(in crate::http) struct Watcher(Arc<Inner>);

struct Inner {
    store: Store,
    /// The runtime of the task, which outlives those of the worker threads.
    home: Handle,
    watched: Mutex<Watched>,
}

#[derive(Default)]
struct Watched {
    /// The sequence of the newest change of each organization, as last seen.
    heads: HashMap<OrganizationId, watch::Sender<i64>>,
    is_running: bool,
}

/// The changes of an organization, watched until dropped.
pub(in crate::http) struct Watch {
    watcher: Watcher,
    organization: OrganizationId,
    head: watch::Receiver<i64>,
}

impl Watcher {
    pub fn new(store: Store) -> Self {
        Self(Arc::new(Inner { store, home: Handle::current(), watched: Mutex::default() }))
    }

    /// Watches an organization. What was committed before is not told.
    pub fn watch(&self, organization: OrganizationId) -> Watch {
        let mut watched = self.0.watched();
        let head = watched.heads.entry(organization).or_insert_with(|| watch::channel(-1).0).subscribe();
        if !watched.is_running {
            watched.is_running = true;
            self.0.home.spawn(Arc::clone(&self.0).run());
        }
        Watch { watcher: self.clone(), organization, head }
    }
}

impl Watch {
    /// Waits for a change after those that [`Watch::seen`] has marked.
    pub async fn changed(&mut self) {
        // The sender is kept while somebody watches.
        let _ = self.head.changed().await;
    }

    /// Marks all changes until now as seen. Called before they are read, so that none is missed.
    pub fn seen(&mut self) {
        self.head.mark_unchanged();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watched = self.watcher.0.watched();
        // This receiver is still counted.
        if watched.heads.get(&self.organization).is_some_and(|head| head.receiver_count() <= 1) {
            watched.heads.remove(&self.organization);
        }
    }
}

impl Inner {
    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks for changes until nobody watches.
    async fn run(self: Arc<Self>) {
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_logged = false;
        while let Some(organizations) = self.wanted() {
            match timeout(TIMEOUT, self.store.heads(&organizations)).await {
                Ok(Ok(heads)) => {
                    is_logged = false;
                    self.tell(heads);
                }
                Ok(Err(error)) if !is_logged => {
                    is_logged = true;
                    tracing::warn!(%error, "cannot look for changes; further failures are not logged");
                }
                _ => {}
            }
            ticks.tick().await;
        }
    }

    /// Returns the organizations to look at; `None` if the task ends.
    fn wanted(&self) -> Option<Vec<OrganizationId>> {
        let mut watched = self.watched();
        watched.is_running = !watched.heads.is_empty();
        watched.is_running.then(|| watched.heads.keys().copied().collect())
    }

    fn tell(&self, heads: Vec<(OrganizationId, i64)>) {
        let watched = self.watched();
        for (organization, head) in heads {
            if let Some(known) = watched.heads.get(&organization) {
                known.send_if_modified(|known| std::mem::replace(known, head) != head);
            }
        }
    }
}
