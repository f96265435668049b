//! Reproducible random numbers, derived from a seed.

use std::{ops::Range, time::Duration};

/// A random number generator (`SplitMix64`).
#[derive(Clone)]
pub struct Dice(u64);

impl Dice {
    /// Returns the generator of this run, with the seed in `RAPPORT_TEST_SEED` or a new one. Prints the seed.
    pub fn of_this_run() -> Self {
        let given = std::env::var_os("RAPPORT_TEST_SEED");
        let given = given.map(|text| text.to_str().and_then(|text| text.parse().ok()).expect("a number"));
        let seed = given.unwrap_or_else(|| std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0));
        println!("RAPPORT_TEST_SEED={seed}");
        Self(seed)
    }

    /// Returns a new generator that is independent of this one.
    pub fn fork(&mut self) -> Self {
        Self(self.draw())
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number in the range, which must not be empty.
    pub fn number(&mut self, range: Range<u64>) -> u64 {
        range.start + self.draw() % (range.end - range.start)
    }

    /// Returns true with a probability of 1 in `sides`.
    pub fn one_in(&mut self, sides: u64) -> bool {
        self.number(0..sides) == 0
    }

    /// Returns a random element; `None` if there is none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(usize::try_from(self.number(0..from.len().max(1) as u64)).expect("a place fits"))
    }

    /// Shuffles the items.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, usize::try_from(self.number(0..last as u64 + 1)).expect("a place fits"));
        }
    }

    /// Sleeps for a random time of at most `milliseconds`.
    pub async fn moment(&mut self, milliseconds: u64) {
        tokio::time::sleep(Duration::from_micros(self.number(0..milliseconds * 1_000 + 1))).await;
    }
}
