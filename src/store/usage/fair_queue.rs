//! A queue for a few shared resources: the waiting organization that has used them least is served next.
//!
//! This is start-time fair queueing. Each organization has an account of the time it has used. An organization that
//! begins to wait starts from the account of the one being served, so that an idle organization saves up no turns.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use entity::id::OrganizationId;
use tokio::sync::oneshot;

/// Above this many organizations, those without waiters whose account is behind are removed.
const MAX_REMEMBERED: usize = 1_024;

/// Who takes a turn; `None` is the server itself.
pub type Owner = Option<OrganizationId>;

/// A shared resource.
pub trait Shared: Send + Sized + 'static {
    /// Finishes pending work, such as a group commit, when nobody waits; must release the guard in the end.
    fn settle(turn: QueueGuard<Self>) {
        turn.release();
    }
}

impl Shared for () {}

/// The queue for a set of equal resources.
pub struct FairQueue<T: Shared> {
    state: Mutex<State<T>>,
}

struct State<T: Shared> {
    free: Vec<T>,
    /// Account of the organization served last at the start of its turn, in microseconds.
    now: u64,
    accounts: HashMap<Owner, Account<T>>,
    /// Waiting organizations, in order of arrival.
    waiting: Vec<Owner>,
}

struct Account<T: Shared> {
    /// Time used, in microseconds, on the shared virtual clock.
    used: u64,
    /// Moving average of the length of its turns, in microseconds.
    usual: u64,
    waiting: VecDeque<oneshot::Sender<QueueGuard<T>>>,
}

/// Exclusive use of a resource. Dropping it starts the next turn.
pub struct QueueGuard<T: Shared> {
    thing: Option<T>,
    turns: Arc<FairQueue<T>>,
    owner: Owner,
    since: Instant,
    /// Whether its time is charged to its owner.
    is_booked: bool,
}

impl<T: Shared> FairQueue<T> {
    /// Creates a queue for these resources, each used by one owner at a time.
    pub fn new(things: Vec<T>) -> Arc<Self> {
        let state = State { free: things, now: 0, accounts: HashMap::new(), waiting: Vec::new() };
        Arc::new(Self { state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn. Waiters of one organization are served in order of arrival.
    pub async fn take(self: &Arc<Self>, owner: Owner) -> QueueGuard<T> {
        let waits = {
            let mut state = self.state();
            state.open(owner);
            if let Some(thing) = state.free.pop() {
                state.serve(owner);
                return self.turn(thing, owner);
            }
            state.wait(owner)
        };
        waits.await.expect("whoever waits is served as long as there are turns")
    }

    /// Estimates how long the next turn will take, from the last ones of the same organization. `None` if nobody waits.
    pub fn next(&self) -> Option<Duration> {
        let state = self.state();
        let place = state.first()?;
        Some(Duration::from_micros(state.accounts[&state.waiting[place]].usual))
    }

    fn turn(self: &Arc<Self>, thing: T, owner: Owner) -> QueueGuard<T> {
        QueueGuard { thing: Some(thing), turns: Arc::clone(self), owner, since: Instant::now(), is_booked: false }
    }

    /// Hands a resource to the next waiter. Returns it if nobody waits.
    fn pass(self: &Arc<Self>, mut thing: T, is_settled: bool) -> Option<T> {
        loop {
            let (owner, next) = {
                let mut state = self.state();
                let Some((owner, next)) = state.next() else {
                    if is_settled {
                        state.free.push(thing);
                        return None;
                    }
                    return Some(thing);
                };
                (owner, next)
            };
            let Err(mut left) = next.send(self.turn(thing, owner)) else { return None };
            // The waiter was dropped.
            thing = left.thing.take()?;
        }
    }
}

impl<T: Shared> State<T> {
    fn open(&mut self, owner: Owner) {
        if self.accounts.len() >= MAX_REMEMBERED {
            let now = self.now;
            self.accounts.retain(|_, account| !account.waiting.is_empty() || account.used > now);
        }
        let now = self.now;
        let account =
            self.accounts.entry(owner).or_insert_with(|| Account { used: now, usual: 0, waiting: VecDeque::new() });
        if account.waiting.is_empty() {
            account.used = account.used.max(now);
        }
    }

    fn wait(&mut self, owner: Owner) -> oneshot::Receiver<QueueGuard<T>> {
        let (sender, receiver) = oneshot::channel();
        let account = self.accounts.get_mut(&owner).expect("it was opened");
        if account.waiting.is_empty() {
            self.waiting.push(owner);
        }
        account.waiting.push_back(sender);
        receiver
    }

    /// Index of the next organization among those that wait.
    fn first(&self) -> Option<usize> {
        (0..self.waiting.len()).min_by_key(|place| self.accounts[&self.waiting[*place]].used)
    }

    fn next(&mut self) -> Option<(Owner, oneshot::Sender<QueueGuard<T>>)> {
        let place = self.first()?;
        let owner = self.waiting[place];
        let account = self.accounts.get_mut(&owner)?;
        let next = account.waiting.pop_front()?;
        if account.waiting.is_empty() {
            self.waiting.remove(place);
        }
        self.serve(owner);
        Some((owner, next))
    }

    fn serve(&mut self, owner: Owner) {
        self.now = self.now.max(self.accounts[&owner].used);
    }
}

impl<T: Shared> QueueGuard<T> {
    /// The queue.
    pub fn turns(&self) -> &Arc<FairQueue<T>> {
        &self.turns
    }

    /// Ends the turn without [`Shared::settle`].
    pub fn release(mut self) {
        self.end(true);
    }

    fn end(&mut self, is_settled: bool) {
        let Some(thing) = self.thing.take() else { return };
        self.account_for();
        if let Some(thing) = self.turns.pass(thing, is_settled) {
            // Settling finishes the work of several organizations, so none is charged.
            let mut turn = self.turns.turn(thing, self.owner);
            turn.is_booked = true;
            T::settle(turn);
        }
    }

    /// Charges the time so far to the owner; later time is not charged.
    pub fn account_for(&mut self) {
        if std::mem::replace(&mut self.is_booked, true) {
            return;
        }
        let took = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX).max(1);
        let mut state = self.turns.state();
        if let Some(account) = state.accounts.get_mut(&self.owner) {
            account.used = account.used.saturating_add(took);
            account.usual = (account.usual * 3 + took) / 4;
        }
    }
}

impl<T: Shared> Deref for QueueGuard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.thing.as_ref().expect("it is there until the turn ends")
    }
}

impl<T: Shared> DerefMut for QueueGuard<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.thing.as_mut().expect("it is there until the turn ends")
    }
}

impl<T: Shared> Drop for QueueGuard<T> {
    fn drop(&mut self) {
        self.end(false);
    }
}

impl<T: Shared> fmt::Debug for FairQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turns").finish_non_exhaustive()
    }
}

impl<T: Shared> fmt::Debug for QueueGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").field("owner", &self.owner).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use entity::id::{self, OrganizationId};
    use futures_util::{FutureExt, future::BoxFuture};

    use super::{FairQueue, Owner, QueueGuard};

    type Waiting = BoxFuture<'static, QueueGuard<()>>;

    fn organization() -> OrganizationId {
        OrganizationId(id::new())
    }

    /// Registers a waiter.
    fn wait(turns: &std::sync::Arc<FairQueue<()>>, owner: impl Into<Owner>) -> Waiting {
        let owner = owner.into();
        let turns = std::sync::Arc::clone(turns);
        let mut waiting = async move { turns.take(owner).await }.boxed();
        assert!((&mut waiting).now_or_never().is_none(), "nothing is free");
        waiting
    }

    #[test]
    fn who_has_used_less_comes_before_all_that_wait_longer() {
        let (turns, greedy, modest) = (FairQueue::new(vec![()]), organization(), organization());
        let first = turns.take(Some(greedy)).now_or_never().unwrap();
        let mut queue: Vec<Waiting> = (0..5).map(|_| wait(&turns, greedy)).collect();
        let other = wait(&turns, modest);
        drop(first);
        assert!(queue.iter_mut().all(|waiting| waiting.now_or_never().is_none()));
        drop(other.now_or_never().expect("the modest one is second"));
        for waiting in queue {
            drop(waiting.now_or_never().expect("then the others, in the order of arrival"));
        }
    }

    #[test]
    fn turns_go_round_among_those_that_use_as_much() {
        let (turns, owners) = (FairQueue::new(vec![()]), [organization(), organization(), organization()]);
        let held = turns.take(None).now_or_never().unwrap();
        // The first organization queues three turns before the others arrive.
        let order = [0, 0, 0, 1, 2];
        let mut queue: Vec<(usize, Option<Waiting>)> =
            order.iter().map(|place| (*place, Some(wait(&turns, owners[*place])))).collect();
        drop(held);
        let mut served = Vec::new();
        while served.len() < order.len() {
            for (owner, waiting) in &mut queue {
                let Some(turn) = waiting.as_mut().and_then(FutureExt::now_or_never) else { continue };
                *waiting = None;
                served.push(*owner);
                drop(turn);
                break;
            }
        }
        assert_eq!(served[0], 0);
        assert_eq!(served[1..3].iter().collect::<std::collections::BTreeSet<_>>().len(), 2, "{served:?}");
        assert!(!served[1..3].contains(&0), "{served:?}");
    }

    #[test]
    fn nobody_saves_up_turns_by_staying_away() {
        let (turns, busy, idle) = (FairQueue::new(vec![()]), organization(), organization());
        for _ in 0..100 {
            drop(turns.take(Some(busy)).now_or_never().unwrap());
        }
        let held = turns.take(Some(busy)).now_or_never().unwrap();
        let mut first = wait(&turns, busy);
        let idles = [wait(&turns, idle), wait(&turns, idle)];
        drop(held);
        let [one, two] = idles;
        let mut turn = one.now_or_never().expect("it has used nothing lately");
        // Simulates a turn longer than the last one of the other organization.
        let state = || turns.state.lock().unwrap();
        state().accounts.get_mut(&Some(idle)).unwrap().used += 1_000_000;
        turn.account_for();
        drop(turn);
        assert!((&mut first).now_or_never().is_some(), "it is the busy one's turn");
        drop(first);
        assert!(two.now_or_never().is_some());
    }

    #[test]
    fn who_gives_up_waiting_keeps_nobody_waiting() {
        let (turns, ours) = (FairQueue::new(vec![()]), organization());
        let held = turns.take(Some(ours)).now_or_never().unwrap();
        let (gone, other) = (wait(&turns, ours), wait(&turns, ours));
        drop(gone);
        drop(held);
        drop(other.now_or_never().expect("the next one is served"));
        let held = turns.take(Some(ours)).now_or_never().unwrap();
        // Dropped after the turn was granted and before it was polled.
        let gone = wait(&turns, ours);
        drop(held);
        drop(gone);
        assert!(turns.take(Some(ours)).now_or_never().is_some());
    }
}
