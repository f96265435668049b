//! Rate limits: a bucket for each caller and one, five times as large, for each organization. Introspection is paid
//! from separate buckets, which also exist for requests without a token, one per client address.

use std::{fmt::Write as _, net::IpAddr, time::Duration};

use entity::id::OrganizationId;

use super::token_buckets::{Buckets, Clock, Level, Monotonic, Quota};
pub use crate::http::limits::token_buckets::Wait;
use crate::{auth::Actor, graphql::documents::limits::Limits, http::request::client_address::network};

/// Capacity and refill rate of an organization's bucket, as a multiple of a caller's.
const ORGANIZATION: u32 = 5;

/// The rate limiter of this process.
pub struct RateLimiter<C = Monotonic> {
    callers: Buckets<(OrganizationId, String)>,
    organizations: Buckets<OrganizationId>,
    schema: Buckets<IntrospectionKey>,
    clock: C,
    caller: Quota,
    questions: Quota,
}

/// The key of an introspection bucket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum IntrospectionKey {
    Caller(OrganizationId, String),
    Address(Option<IpAddr>),
}

/// The quota of an API client, where it differs from the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnQuota {
    /// Capacity of the bucket.
    pub points: Option<u32>,
    /// Points refilled per second.
    pub per_second: Option<u32>,
}

/// Points reserved for a request in progress. If [`RateLimiter::settle`] is not called, they stay spent.
#[derive(Debug)]
pub struct Reserved {
    caller: (OrganizationId, String),
    quota: Quota,
    points: u32,
}

/// Points reserved for an introspection request.
#[derive(Debug)]
pub struct ReservedIntrospection {
    who: IntrospectionKey,
    points: u32,
}

/// The state of the buckets that a caller's requests are paid from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// Quota and level of the caller's bucket.
    pub caller: (Quota, Level),
    /// Quota and level of the organization's bucket.
    pub organization: (Quota, Level),
}

impl Balance {
    /// Points that can be spent now: the lower of the two levels.
    pub fn remaining(&self) -> u32 {
        self.caller.1.remaining.min(self.organization.1.remaining)
    }

    /// The values of `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers).
    pub fn headers(&self) -> [String; 2] {
        let both = [("caller", self.caller), ("organization", self.organization)];
        let (mut policies, mut levels) = (String::with_capacity(96), String::with_capacity(64));
        for (name, (quota, level)) in both {
            let comma = if policies.is_empty() { "" } else { ", " };
            let full_in = level.full_in.as_secs() + u64::from(level.full_in.subsec_nanos() > 0);
            let (points, window) = (quota.points, quota.window());
            // Writing to a string cannot fail.
            let _ = write!(policies, "{comma}\"{name}\";q={points};qu=\"points\";w={window}");
            let _ = write!(levels, "{comma}\"{name}\";r={};t={full_in}", level.remaining);
        }
        [policies, levels]
    }
}

impl RateLimiter {
    pub fn new(limits: &Limits) -> Self {
        Self::with_clock(limits, Monotonic::default())
    }
}

impl<C: Clock> RateLimiter<C> {
    pub(in crate::http) fn with_clock(limits: &Limits, clock: C) -> Self {
        Self {
            callers: Buckets::default(),
            organizations: Buckets::default(),
            schema: Buckets::default(),
            clock,
            caller: Quota { points: limits.points, per_second: limits.points_per_second },
            questions: Quota {
                points: limits.introspection_points,
                per_second: limits.introspection_points_per_second,
            },
        }
    }

    /// Reserves `cost` points in both buckets, at least 1 and at most the capacity of the caller's bucket. `Err` if
    /// either bucket has too few points; neither is then charged. `own` overrides the default quota.
    pub fn reserve(&self, actor: &Actor, own: OwnQuota, cost: u64) -> Result<Reserved, Wait> {
        let (quota, now) = (self.quota(own), self.clock.passed());
        let points = u32::try_from(cost).unwrap_or(u32::MAX).clamp(1, quota.points);
        let caller = (actor.organization, actor.subject.clone());
        self.callers.take(&caller, quota, points, now)?;
        let shared = self.organizations.take(&actor.organization, self.organization(), points, now);
        if let Err(wait) = shared {
            self.callers.settle(&caller, quota, (points, 0), now);
            return Err(wait);
        }
        Ok(Reserved { caller, quota, points })
    }

    /// Corrects the reserved points to `due` in both buckets. Returns `due`, capped at `u32::MAX`.
    pub fn settle(&self, reserved: &Reserved, due: u64) -> u32 {
        let now = self.clock.passed();
        let due = u32::try_from(due).unwrap_or(u32::MAX);
        let change = (reserved.points, due);
        self.callers.settle(&reserved.caller, reserved.quota, change, now);
        self.organizations.settle(&reserved.caller.0, self.organization(), change, now);
        due
    }

    /// Returns the state of a caller's buckets.
    pub fn balance(&self, actor: &Actor, own: OwnQuota) -> Balance {
        let (quota, now) = (self.quota(own), self.clock.passed());
        let caller = self.callers.level(&(actor.organization, actor.subject.clone()), quota, now);
        let organization = self.organizations.level(&actor.organization, self.organization(), now);
        Balance { caller: (quota, caller), organization: (self.organization(), organization) }
    }

    /// Reserves `cost` points for introspection, from the caller's introspection bucket or, without a token, from that
    /// of the address.
    pub fn reserve_introspection(
        &self,
        actor: Option<&Actor>,
        address: Option<IpAddr>,
        cost: u64,
    ) -> Result<ReservedIntrospection, Wait> {
        let who = actor.map_or_else(
            || IntrospectionKey::Address(address.map(network)),
            |actor| IntrospectionKey::Caller(actor.organization, actor.subject.clone()),
        );
        let points = u32::try_from(cost).unwrap_or(u32::MAX).clamp(1, self.questions.points);
        self.schema.take(&who, self.questions, points, self.clock.passed())?;
        Ok(ReservedIntrospection { who, points })
    }

    /// Corrects the points reserved for introspection to `due`.
    pub fn settle_introspection(&self, asked: &ReservedIntrospection, due: u64) {
        let due = u32::try_from(due).unwrap_or(u32::MAX);
        self.schema.settle(&asked.who, self.questions, (asked.points, due), self.clock.passed());
    }

    /// The quota of a caller. A client's own quota is capped at that of its organization.
    fn quota(&self, own: OwnQuota) -> Quota {
        let (usual, most) = (self.caller, self.organization());
        let within = |own: Option<u32>, usual: u32, most: u32| own.unwrap_or(usual).clamp(1, most);
        Quota {
            points: within(own.points, usual.points, most.points),
            per_second: within(own.per_second, usual.per_second, most.per_second),
        }
    }

    const fn organization(&self) -> Quota {
        self.caller.times(ORGANIZATION)
    }
}

impl Wait {
    /// Time until the bucket holds enough points, in seconds, rounded up.
    pub fn seconds(&self) -> u64 {
        self.time.as_secs() + u64::from(self.time > Duration::from_secs(self.time.as_secs()))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicU64, Ordering},
        },
        time::Duration,
    };

    use entity::{Permissions, id::OrganizationId};

    use super::{Clock, OwnQuota, Quota, RateLimiter, Wait};
    use crate::{auth::Actor, graphql::documents::limits::Limits};

    /// A clock that the test advances, in seconds.
    #[derive(Clone, Default)]
    struct ManualClock(Arc<AtomicU64>);

    impl ManualClock {
        fn advance(&self, seconds: u64) {
            self.0.fetch_add(seconds, Ordering::Relaxed);
        }
    }

    impl Clock for ManualClock {
        fn passed(&self) -> Duration {
            Duration::from_secs(self.0.load(Ordering::Relaxed))
        }
    }

    fn rate_limiter() -> (RateLimiter<ManualClock>, ManualClock) {
        let clock = ManualClock::default();
        let limits = Limits {
            points: 1_000,
            points_per_second: 100,
            introspection_points: 500,
            introspection_points_per_second: 10,
            ..Limits::DEFAULT
        };
        (RateLimiter::with_clock(&limits, clock.clone()), clock)
    }

    fn caller(organization: OrganizationId, subject: impl Into<String>) -> Actor {
        Actor {
            organization,
            subject: subject.into(),
            client: None,
            permissions: Permissions::default(),
            expires: None,
            departments: None,
        }
    }

    fn organization() -> OrganizationId {
        OrganizationId(entity::id::new())
    }

    /// Spends `points` and returns what the caller has left.
    fn spend(rate_limiter: &RateLimiter<ManualClock>, actor: &Actor, points: u64) -> Result<u32, Wait> {
        rate_limiter
            .reserve(actor, OwnQuota::default(), points)
            .map(|_| rate_limiter.balance(actor, OwnQuota::default()).remaining())
    }

    #[test]
    fn one_caller_spends_nothing_of_another() {
        let (rate_limiter, _) = rate_limiter();
        let (ours, theirs) = (organization(), organization());
        for actor in [caller(ours, "mia"), caller(ours, "noa"), caller(theirs, "mia")] {
            assert_eq!(spend(&rate_limiter, &actor, 1_000), Ok(0));
        }
        assert_eq!(spend(&rate_limiter, &caller(ours, "mia"), 600).unwrap_err().time, Duration::from_secs(6));
    }

    #[test]
    fn an_organization_spends_five_times_as_much_however_many_call_for_it() {
        let (rate_limiter, clock) = rate_limiter();
        let ours = organization();
        for at in 0..5 {
            spend(&rate_limiter, &caller(ours, at.to_string()), 1_000).unwrap();
        }
        let sixth = caller(ours, "sixth");
        assert_eq!(spend(&rate_limiter, &sixth, 500), Err(Wait { time: Duration::from_secs(1), remaining: 0 }));
        // When the organization's bucket refuses, the caller's bucket is not charged.
        assert_eq!(rate_limiter.balance(&sixth, OwnQuota::default()).caller.1.remaining, 1_000);
        clock.advance(1);
        assert_eq!(spend(&rate_limiter, &sixth, 100), Ok(400));
    }

    #[test]
    fn who_is_refused_takes_nothing_from_the_organization() {
        let (rate_limiter, _) = rate_limiter();
        let ours = organization();
        spend(&rate_limiter, &caller(ours, "greedy"), 1_000).unwrap();
        for _ in 0..100 {
            spend(&rate_limiter, &caller(ours, "greedy"), 1_000).unwrap_err();
        }
        assert_eq!(spend(&rate_limiter, &caller(ours, "modest"), 10), Ok(990));
    }

    #[test]
    fn what_is_due_is_settled_in_both_buckets() {
        let (rate_limiter, clock) = rate_limiter();
        let mia = caller(organization(), "mia");
        let left = |rate_limiter: &RateLimiter<ManualClock>| {
            let balance = rate_limiter.balance(&mia, OwnQuota::default());
            (balance.caller.1.remaining, balance.organization.1.remaining)
        };
        let reserved = rate_limiter.reserve(&mia, OwnQuota::default(), 900).unwrap();
        assert_eq!(left(&rate_limiter), (100, 4_100));
        assert_eq!(rate_limiter.settle(&reserved, 3), 3);
        assert_eq!(left(&rate_limiter), (997, 4_997));
        let reserved = rate_limiter.reserve(&mia, OwnQuota::default(), 7).unwrap();
        rate_limiter.settle(&reserved, 1_500);
        assert_eq!(left(&rate_limiter), (0, 3_497));
        clock.advance(6);
        assert_eq!(left(&rate_limiter), (97, 5_000));
    }

    #[test]
    fn a_request_for_nothing_costs_a_point_and_none_costs_more_than_a_full_bucket() {
        let (rate_limiter, _) = rate_limiter();
        assert_eq!(spend(&rate_limiter, &caller(organization(), "mia"), 0), Ok(999));
        assert_eq!(spend(&rate_limiter, &caller(organization(), "mia"), u64::MAX), Ok(0));
    }

    #[test]
    fn a_client_has_a_quota_of_its_own_within_that_of_its_organization() {
        let (rate_limiter, _) = rate_limiter();
        let crm = caller(organization(), "client_1");
        let own = |points, per_second| OwnQuota { points: Some(points), per_second: Some(per_second) };
        assert_eq!(
            rate_limiter.balance(&crm, own(3_000, 200)).headers()[0],
            "\"caller\";q=3000;qu=\"points\";w=15, \
            \"organization\";q=5000;qu=\"points\";w=10"
        );
        rate_limiter.reserve(&crm, own(3_000, 200), 2_500).unwrap();
        assert_eq!(
            rate_limiter.balance(&crm, own(3_000, 200)).headers()[1],
            "\"caller\";r=500;t=13, \"organization\";r=2500;t=5"
        );
        assert!(rate_limiter.reserve(&crm, own(3_000, 200), 501).is_err());
        let small = caller(organization(), "client_2");
        rate_limiter.reserve(&small, own(5, 1), 100).unwrap();
        assert!(rate_limiter.reserve(&small, own(5, 1), 1).is_err());
        assert_eq!(rate_limiter.balance(&small, own(u32::MAX, 0)).caller.0, Quota { points: 5_000, per_second: 1 });
    }

    #[test]
    fn questions_about_the_schema_have_buckets_of_their_own_and_a_network_of_version_6_is_one() {
        let (rate_limiter, clock) = rate_limiter();
        let ask = |address: &str| {
            rate_limiter.reserve_introspection(None, Some(address.parse().unwrap()), 500).map_err(|wait| wait.seconds())
        };
        assert!(ask("192.0.2.1").is_ok());
        assert_eq!(ask("192.0.2.1").unwrap_err(), 50);
        assert_eq!(ask("::ffff:192.0.2.1").unwrap_err(), 50);
        assert!(ask("192.0.2.2").is_ok() && ask("2001:db8::1").is_ok());
        assert_eq!(ask("2001:db8::ffff:1").unwrap_err(), 50);
        assert!(ask("2001:db8:0:1::1").is_ok());
        assert!(rate_limiter.reserve_introspection(None, None, 500).is_ok());
        let mia = caller(organization(), "mia");
        let asked =
            rate_limiter.reserve_introspection(Some(&mia), Some("192.0.2.1".parse().unwrap()), u64::MAX).unwrap();
        assert_eq!(rate_limiter.balance(&mia, OwnQuota::default()).remaining(), 1_000);
        assert!(rate_limiter.reserve_introspection(Some(&mia), None, 1).is_err());
        rate_limiter.settle_introspection(&asked, 100);
        assert!(rate_limiter.reserve_introspection(Some(&mia), None, 400).is_ok());
        clock.advance(50);
        assert!(ask("192.0.2.1").is_ok());
    }
}
