//! Subscriptions over HTTP: event streams ([`sse`]) and sockets ([`socket`]).
//!
//! A stream is [`running::Subscription`]: it waits until the [`watcher`] sees changes, and then runs a step of its operation.
//! It is asked for the next event only when the client has room for it, so that nothing is queued.

mod operation;
mod protocol;
pub(super) mod running;
pub(super) mod socket;
pub(super) mod sse;
pub(super) mod watcher;
mod wire;

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use entity::id::OrganizationId;
use metrics::gauge;

use self::watcher::Watcher;
use super::metrics::STREAMS;
use crate::{auth::Actor, store::Store};

/// Maximum number of streams of one caller on this server, and of its sockets.
const MOST_OF_CALLER: usize = 100;
/// Maximum number of streams of one organization on this server, and of its sockets.
const MOST_OF_ORGANIZATION: usize = 5_000;

/// The streams of this server.
pub(super) struct Streams {
    pub watcher: Watcher,
    subscriptions: Arc<Open>,
    sockets: Arc<Open>,
}

/// Counts what is open.
#[derive(Default)]
struct Open(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    of_callers: HashMap<(OrganizationId, String), usize>,
    of_organizations: HashMap<OrganizationId, usize>,
}

/// What a caller has open; counted until dropped.
pub(super) struct Slot {
    open: Arc<Open>,
    caller: (OrganizationId, String),
    is_stream: bool,
}

impl Streams {
    pub fn new(store: Store) -> Self {
        Self { watcher: Watcher::new(store), subscriptions: Arc::default(), sockets: Arc::default() }
    }

    /// Counts another stream of a caller; `None` if it has as many as it may.
    fn stream(&self, actor: &Actor) -> Option<Slot> {
        let slot = Open::enter(&self.subscriptions, actor, true)?;
        gauge!(STREAMS).increment(1.0);
        Some(slot)
    }

    /// Counts another socket of a caller; `None` if it has as many as it may.
    fn socket(&self, actor: &Actor) -> Option<Slot> {
        Open::enter(&self.sockets, actor, false)
    }
}

impl Open {
    fn enter(open: &Arc<Self>, actor: &Actor, is_stream: bool) -> Option<Slot> {
        let caller = (actor.organization, actor.subject.clone());
        let mut counts = open.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Counts { of_callers, of_organizations } = &mut *counts;
        let has_room = of_callers.get(&caller).is_none_or(|count| *count < MOST_OF_CALLER)
            && of_organizations.get(&caller.0).is_none_or(|count| *count < MOST_OF_ORGANIZATION);
        if !has_room {
            return None;
        }
        *of_callers.entry(caller.clone()).or_default() += 1;
        *of_organizations.entry(caller.0).or_default() += 1;
        drop(counts);
        Some(Slot { open: Arc::clone(open), caller, is_stream })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = self.open.0.lock().unwrap_or_else(PoisonError::into_inner);
        leave(&mut counts.of_callers, &self.caller);
        leave(&mut counts.of_organizations, &self.caller.0);
        if self.is_stream {
            gauge!(STREAMS).decrement(1.0);
        }
    }
}

/// Counts one less, and forgets who has none.
fn leave<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
