//! Token buckets, one per key: points are reserved in advance, settled afterwards, and refill over time.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Number of shards that the keys are spread over to reduce lock contention.
const SHARDS: usize = 16;
/// Number of keys at which a shard first removes the keys whose buckets are full again.
const SWEEP: usize = 256;

/// A source of monotonic time.
pub trait Clock {
    /// Time since a fixed moment.
    fn passed(&self) -> Duration;
}

/// The monotonic clock of this process ([`Instant`]), counted from its creation.
#[derive(Clone, Copy)]
pub struct Monotonic(Instant);

impl Default for Monotonic {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for Monotonic {
    fn passed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The capacity and the refill rate of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Points of a full bucket, at least 1.
    pub points: u32,
    /// Points added per second, at least 1.
    pub per_second: u32,
}

impl Quota {
    /// Returns this quota with both fields multiplied by `times`.
    pub const fn times(self, times: u32) -> Self {
        Self { points: self.points.saturating_mul(times), per_second: self.per_second.saturating_mul(times) }
    }

    /// Time in which `points` are refilled, in nanoseconds.
    fn nanos(self, points: u64) -> u128 {
        u128::from(points) * 1_000_000_000 / u128::from(self.per_second.max(1))
    }

    /// Points refilled in `nanos` nanoseconds, rounded up.
    fn points_in(self, nanos: u128) -> u64 {
        u64::try_from((nanos * u128::from(self.per_second.max(1))).div_ceil(1_000_000_000)).unwrap_or(u64::MAX)
    }

    /// Time in which an empty bucket fills, in seconds, rounded up.
    pub const fn window(self) -> u32 {
        self.points.div_ceil(if self.per_second == 0 { 1 } else { self.per_second })
    }
}

/// The state of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Points that can be spent now.
    pub remaining: u32,
    /// Time until the bucket is full again.
    pub full_in: Duration,
}

/// The error when a bucket holds too few points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Time until the bucket holds enough points.
    pub time: Duration,
    /// Points in the bucket now.
    pub remaining: u32,
}

/// The buckets of one kind of key. For each bucket that is not full, stores the time at which it will be (GCRA).
pub struct Buckets<K> {
    shards: [Mutex<Shard<K>>; SHARDS],
    hasher: RandomState,
}

struct Shard<K> {
    full_at: HashMap<K, u128>,
    /// Number of keys at which the next sweep removes the keys of full buckets.
    most: usize,
}

impl<K> Default for Buckets<K> {
    fn default() -> Self {
        let shard = || Mutex::new(Shard { full_at: HashMap::new(), most: SWEEP });
        Self { shards: std::array::from_fn(|_| shard()), hasher: RandomState::new() }
    }
}

impl<K: Clone + Eq + Hash> Buckets<K> {
    /// Takes `points`, or the capacity if that is less, out of a bucket, or `Err` if the bucket holds fewer.
    pub fn take(&self, key: &K, quota: Quota, points: u32, now: Duration) -> Result<Level, Wait> {
        let (now, points) = (now.as_nanos(), points.min(quota.points));
        let mut shard = self.shard(key);
        let full_at = shard.full_at.get(key).copied().unwrap_or(now).max(now);
        let (filled, most) = (full_at + quota.nanos(points.into()), now + quota.nanos(quota.points.into()));
        if filled > most {
            let time = Duration::from_nanos(u64::try_from(filled - most).unwrap_or(u64::MAX));
            return Err(Wait { time, remaining: level(full_at, quota, now).remaining });
        }
        shard.put(key, filled, now);
        Ok(level(filled, quota, now))
    }

    /// Corrects the charge for a request from `taken` to `due` points. `due` may exceed the points in the bucket: the
    /// balance then becomes negative, by at most the capacity.
    pub fn settle(&self, key: &K, quota: Quota, (taken, due): (u32, u32), now: Duration) -> Level {
        let now = now.as_nanos();
        let mut shard = self.shard(key);
        let full_at = shard.full_at.get(key).copied().unwrap_or(now).max(now);
        let settled = if due >= taken {
            let most = now + quota.nanos(2 * u64::from(quota.points));
            (full_at + quota.nanos((due - taken).into())).min(most.max(full_at))
        } else {
            full_at.saturating_sub(quota.nanos((taken - due).into())).max(now)
        };
        shard.put(key, settled, now);
        level(settled, quota, now)
    }

    /// Returns the state of a bucket.
    pub fn level(&self, key: &K, quota: Quota, now: Duration) -> Level {
        let now = now.as_nanos();
        level(self.shard(key).full_at.get(key).copied().unwrap_or(now), quota, now)
    }

    /// Returns the number of keys in memory.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).full_at.len()).sum()
    }

    fn shard(&self, key: &K) -> MutexGuard<'_, Shard<K>> {
        let at = self.hasher.hash_one(key) % SHARDS as u64;
        let shard = &self.shards[usize::try_from(at).unwrap_or(0)];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + Eq + Hash> Shard<K> {
    fn put(&mut self, key: &K, full_at: u128, now: u128) {
        if let Some(known) = self.full_at.get_mut(key) {
            *known = full_at;
            return;
        }
        if self.full_at.len() >= self.most {
            self.full_at.retain(|_, full_at| *full_at > now);
            self.full_at.shrink_to(SWEEP);
            // A sweep over n keys follows at least n/2 insertions, so its amortized cost per insertion is constant.
            self.most = SWEEP.max(2 * self.full_at.len());
        }
        self.full_at.insert(key.clone(), full_at);
    }
}

fn level(full_at: u128, quota: Quota, now: u128) -> Level {
    let missing = full_at.saturating_sub(now);
    let spent = u32::try_from(quota.points_in(missing)).unwrap_or(u32::MAX);
    let full_in = Duration::from_nanos(u64::try_from(missing).unwrap_or(u64::MAX));
    Level { remaining: quota.points.saturating_sub(spent), full_in }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Buckets, Level, Quota, SHARDS, SWEEP, Wait};

    const QUOTA: Quota = Quota { points: 1_000, per_second: 100 };

    fn seconds(number: u64) -> Duration {
        Duration::from_secs(number)
    }

    #[test]
    fn points_are_spent_and_come_back_with_time() {
        let buckets = Buckets::default();
        let take = |points, at| buckets.take(&"mia", QUOTA, points, seconds(at)).map(|level| level.remaining);
        assert_eq!(take(600, 5), Ok(400));
        assert_eq!(take(600, 5), Err(Wait { time: seconds(2), remaining: 400 }));
        assert_eq!(take(600, 6), Err(Wait { time: seconds(1), remaining: 500 }));
        assert_eq!(take(600, 7), Ok(0));
        assert_eq!(take(u32::MAX, 9_000), Ok(0));
        assert_eq!(buckets.level(&"mia", QUOTA, seconds(9_001)), Level { remaining: 100, full_in: seconds(9) });
    }

    #[test]
    fn what_was_taken_is_settled_to_what_is_due() {
        let buckets = Buckets::default();
        let level = |at| buckets.level(&"mia", QUOTA, seconds(at)).remaining;
        buckets.take(&"mia", QUOTA, 600, seconds(0)).unwrap();
        assert_eq!(buckets.settle(&"mia", QUOTA, (600, 10), seconds(0)).remaining, 990);
        // More than the bucket holds: its balance becomes negative, by at most the capacity.
        buckets.take(&"mia", QUOTA, 900, seconds(0)).unwrap();
        assert_eq!(buckets.settle(&"mia", QUOTA, (900, 1_500), seconds(0)).remaining, 0);
        assert_eq!((level(5), level(6)), (0, 90));
        assert_eq!(buckets.take(&"mia", QUOTA, 1, seconds(1)).unwrap_err().time, Duration::from_millis(4_110));
        buckets.settle(&"mia", QUOTA, (0, u32::MAX), seconds(10));
        assert_eq!((level(20), level(30)), (0, 1_000));
        // Points refilled in the meantime are not added twice.
        buckets.take(&"mia", QUOTA, 500, seconds(100)).unwrap();
        assert_eq!(
            buckets.settle(&"mia", QUOTA, (500, 0), seconds(104)),
            Level { remaining: 1_000, full_in: seconds(0) }
        );
    }

    #[test]
    fn a_quota_of_any_size_is_exact() {
        let quota = Quota { points: 500_000_000, per_second: 499_999_999 };
        let buckets = Buckets::default();
        assert_eq!(buckets.take(&1, quota, 499_999_999, seconds(0)).unwrap().remaining, 1);
        assert_eq!(buckets.level(&1, quota, seconds(1)).remaining, 500_000_000);
        assert_eq!((quota.window(), QUOTA.window(), QUOTA.times(5).points), (2, 10, 5_000));
    }

    #[test]
    fn who_has_not_called_lately_is_forgotten() {
        let buckets = Buckets::default();
        let many = u32::try_from(SHARDS * SWEEP).unwrap();
        for key in 0..many {
            buckets.take(&key, QUOTA, 1, seconds(0)).unwrap();
        }
        assert!(buckets.len() > SHARDS * SWEEP * 9 / 10);
        for key in many..3 * many {
            buckets.take(&key, QUOTA, 1, seconds(10)).unwrap();
        }
        assert!(buckets.len() < 3 * SHARDS * SWEEP * 9 / 10, "{}", buckets.len());
        for key in 0..3 * many {
            buckets.take(&key, QUOTA, 1, seconds(20)).unwrap();
        }
        assert!(buckets.len() <= 3 * SHARDS * SWEEP, "{}", buckets.len());
    }
}
