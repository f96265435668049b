//! Who has spent their points: a bucket for each caller and one, five times as large, for each organization. Who has no
//! token is an address.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use entity::id::OrganizationId;
use governor::{
    NotUntil, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DefaultKeyedStateStore,
};

use crate::{auth::Actor, graphql::limits::Limits};

/// How many callers' points an organization has.
const ORGANIZATION: u32 = 5;
/// After so many charges, buckets that are full again are forgotten: memory is bounded by who called lately.
const SWEEP: u32 = 4_096;

type Buckets<K, C> = RateLimiter<K, DefaultKeyedStateStore<K>, C, StateInformationMiddleware>;

/// The buckets of this process.
pub struct Throttle<C: Clock = DefaultClock> {
    callers: Buckets<(OrganizationId, String), C>,
    organizations: Buckets<OrganizationId, C>,
    strangers: Buckets<Option<IpAddr>, C>,
    clock: C,
    /// What a caller's bucket holds when it is full.
    points: u32,
    charges: AtomicU32,
}

/// Why a request has to wait.
#[derive(Debug, PartialEq, Eq)]
pub struct Wait {
    /// Until there are points enough.
    pub time: Duration,
    /// Points there are now.
    pub remaining: u32,
}

impl Throttle {
    pub fn new(limits: &Limits) -> Self {
        Self::with_clock(limits, DefaultClock::default())
    }
}

impl<C: Clock + Clone> Throttle<C> {
    fn with_clock(limits: &Limits, clock: C) -> Self {
        let quota = |times: u32| {
            let points = |number: u32| NonZeroU32::new(number.saturating_mul(times)).unwrap_or(NonZeroU32::MIN);
            Quota::per_second(points(limits.points_per_second)).allow_burst(points(limits.points))
        };
        Self {
            callers: Buckets::new(quota(1), DefaultKeyedStateStore::default(), clock.clone()),
            organizations: Buckets::new(quota(ORGANIZATION), DefaultKeyedStateStore::default(), clock.clone()),
            strangers: Buckets::new(quota(1), DefaultKeyedStateStore::default(), clock.clone()),
            clock,
            points: limits.points,
            charges: AtomicU32::new(0),
        }
    }

    /// Takes the cost of a request from both buckets: at least 1, and no more than a full one holds. Answers the points
    /// that are left, where fewer are.
    ///
    /// The caller's is asked first: who has none left takes none from the organization.
    pub fn charge(&self, actor: &Actor, cost: u64) -> Result<u32, Wait> {
        let cost = self.begin(cost);
        let own = self.take(&self.callers, &(actor.organization, actor.subject.clone()), cost)?;
        let shared = self.take(&self.organizations, &actor.organization, cost)?;
        Ok(own.min(shared))
    }

    /// The same for a caller without a token, known by the address at the other end of the connection: what a header
    /// says of an address can be made up.
    pub fn charge_stranger(&self, address: Option<IpAddr>, cost: u64) -> Result<u32, Wait> {
        let cost = self.begin(cost);
        self.take(&self.strangers, &address.map(network), cost)
    }

    /// What to take.
    fn begin(&self, cost: u64) -> NonZeroU32 {
        if self.charges.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            self.forget();
        }
        let cost = u32::try_from(cost).unwrap_or(u32::MAX).min(self.points);
        NonZeroU32::new(cost).unwrap_or(NonZeroU32::MIN)
    }

    fn take<K>(&self, buckets: &Buckets<K, C>, key: &K, cost: NonZeroU32) -> Result<u32, Wait>
    where
        K: Clone + Eq + std::hash::Hash,
    {
        let taken = buckets.check_key_n(key, cost).expect("a full bucket holds the cost");
        match taken {
            Ok(state) => Ok(state.remaining_burst_capacity()),
            Err(refused) => Err(self.wait(&refused, cost)),
        }
    }

    fn wait(&self, refused: &NotUntil<C::Instant>, cost: NonZeroU32) -> Wait {
        let time = refused.wait_time_from(self.clock.now());
        let missing = time.as_nanos().div_ceil(refused.quota().replenish_interval().as_nanos().max(1));
        Wait { time, remaining: cost.get().saturating_sub(u32::try_from(missing).unwrap_or(u32::MAX)) }
    }

    fn forget(&self) {
        self.callers.retain_recent();
        self.callers.shrink_to_fit();
        self.organizations.retain_recent();
        self.organizations.shrink_to_fit();
        self.strangers.retain_recent();
        self.strangers.shrink_to_fit();
    }
}

/// Whose address it is: one customer of a provider has 2^64 of version 6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() & !u128::from(u64::MAX))),
        four @ IpAddr::V4(_) => four,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use entity::{Permissions, id::OrganizationId};
    use governor::clock::FakeRelativeClock;

    use super::{SWEEP, Throttle, Wait};
    use crate::{auth::Actor, graphql::limits::Limits};

    fn throttle() -> (Throttle<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let limits = Limits { points: 1_000, points_per_second: 100, ..Limits::DEFAULT };
        (Throttle::with_clock(&limits, clock.clone()), clock)
    }

    fn caller(organization: OrganizationId, subject: impl Into<String>) -> Actor {
        Actor { organization, subject: subject.into(), client: None, permissions: Permissions::default() }
    }

    fn organization() -> OrganizationId {
        OrganizationId(entity::id::new())
    }

    #[test]
    fn points_are_spent_and_come_back_with_time() {
        let (throttle, clock) = throttle();
        let mia = caller(organization(), "mia");
        assert_eq!(throttle.charge(&mia, 600), Ok(400));
        assert_eq!(throttle.charge(&mia, 600), Err(Wait { time: Duration::from_secs(2), remaining: 400 }));
        clock.advance(Duration::from_secs(1));
        assert_eq!(throttle.charge(&mia, 600), Err(Wait { time: Duration::from_secs(1), remaining: 500 }));
        clock.advance(Duration::from_secs(1));
        assert_eq!(throttle.charge(&mia, 600), Ok(0));
        clock.advance(Duration::from_hours(1));
        assert_eq!(throttle.charge(&mia, 600), Ok(400));
    }

    #[test]
    fn one_caller_spends_nothing_of_another() {
        let (throttle, _) = throttle();
        let (ours, theirs) = (organization(), organization());
        assert_eq!(throttle.charge(&caller(ours, "mia"), 1_000), Ok(0));
        assert_eq!(throttle.charge(&caller(ours, "noa"), 1_000), Ok(0));
        assert_eq!(throttle.charge(&caller(theirs, "mia"), 1_000), Ok(0));
    }

    #[test]
    fn an_organization_spends_five_times_as_much_however_many_call_for_it() {
        let (throttle, clock) = throttle();
        let ours = organization();
        for at in 0..5 {
            throttle.charge(&caller(ours, at.to_string()), 1_000).unwrap();
        }
        let sixth = caller(ours, "sixth");
        assert_eq!(throttle.charge(&sixth, 500), Err(Wait { time: Duration::from_secs(1), remaining: 0 }));
        clock.advance(Duration::from_secs(1));
        assert_eq!(throttle.charge(&sixth, 100), Ok(400));
    }

    #[test]
    fn who_is_refused_takes_nothing_from_the_organization() {
        let (throttle, _) = throttle();
        let ours = organization();
        throttle.charge(&caller(ours, "greedy"), 1_000).unwrap();
        for _ in 0..100 {
            throttle.charge(&caller(ours, "greedy"), 1_000).unwrap_err();
        }
        assert_eq!(throttle.charge(&caller(ours, "modest"), 10), Ok(990));
    }

    #[test]
    fn a_request_for_nothing_costs_a_point_and_none_costs_more_than_a_full_bucket() {
        let (throttle, _) = throttle();
        assert_eq!(throttle.charge(&caller(organization(), "mia"), 0), Ok(999));
        assert_eq!(throttle.charge(&caller(organization(), "mia"), u64::MAX), Ok(0));
    }

    #[test]
    fn an_address_without_a_token_spends_its_own_points_and_a_network_of_version_6_is_one() {
        let (throttle, clock) = throttle();
        let charge = |address: &str| throttle.charge_stranger(Some(address.parse().unwrap()), 1_000);
        let later = Err(Wait { time: Duration::from_secs(10), remaining: 0 });
        assert_eq!(charge("192.0.2.1"), Ok(0));
        assert_eq!(charge("192.0.2.1"), later);
        assert_eq!(charge("::ffff:192.0.2.1"), later);
        assert_eq!(charge("192.0.2.2"), Ok(0));
        assert_eq!(charge("2001:db8::1"), Ok(0));
        assert_eq!(charge("2001:db8::ffff:1"), later);
        assert_eq!(charge("2001:db8:0:1::1"), Ok(0));
        assert_eq!(throttle.charge_stranger(None, 1_000), Ok(0));
        assert_eq!(throttle.charge(&caller(organization(), "mia"), 1_000), Ok(0));
        clock.advance(Duration::from_secs(10));
        assert_eq!(charge("192.0.2.1"), Ok(0));
    }

    #[test]
    fn who_has_not_called_lately_is_forgotten() {
        let (throttle, clock) = throttle();
        let ours = organization();
        for at in 0..SWEEP - 1 {
            let _ = throttle.charge(&caller(ours, at.to_string()), 1);
        }
        throttle.strangers.check_key(&None).unwrap();
        assert!(throttle.callers.len() > 4_000);
        clock.advance(Duration::from_hours(1));
        throttle.charge(&caller(ours, "last"), 1).unwrap();
        assert_eq!((throttle.callers.len(), throttle.organizations.len(), throttle.strangers.len()), (1, 1, 0));
    }
}
