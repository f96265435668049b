//! Limits the memory that all request bodies take together.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::error_response::ErrorResponse;

/// Granularity of the accounting, in bytes.
const UNIT: usize = 1_024;
/// Requests without a token share one part in this many of the memory.
const ANONYMOUS_SHARE: usize = 8;

/// The memory budget for request bodies and the values parsed from them.
pub struct BodyMemory {
    known: Arc<Semaphore>,
    anonymous: Arc<Semaphore>,
}

impl BodyMemory {
    /// Creates a budget of `bytes` bytes.
    pub fn new(bytes: usize) -> Self {
        let units = (bytes / UNIT).clamp(ANONYMOUS_SHARE, Semaphore::MAX_PERMITS);
        let anonymous = units / ANONYMOUS_SHARE;
        Self { known: Arc::new(Semaphore::new(units - anonymous)), anonymous: Arc::new(Semaphore::new(anonymous)) }
    }

    /// Returns a reservation for one request, initially empty.
    pub fn room(&self, is_known_caller: bool) -> Room {
        let all = if is_known_caller { &self.known } else { &self.anonymous };
        Room { all: Arc::clone(all), held: None, taken: 0 }
    }

    /// Returns the bytes still available to requests with a token and to those without.
    #[cfg(test)]
    pub fn free(&self) -> (usize, usize) {
        (self.known.available_permits() * UNIT, self.anonymous.available_permits() * UNIT)
    }
}

/// The memory reserved for one request; released on drop.
pub struct Room {
    all: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    taken: usize,
}

impl Room {
    /// Reserves `bytes` more bytes. If they are not available, returns `Err` and reserves nothing.
    pub fn take(&mut self, bytes: usize) -> Result<(), Full> {
        let taken = self.taken.saturating_add(bytes);
        let held = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = taken.div_ceil(UNIT).saturating_sub(held);
        if missing > 0 {
            let missing = u32::try_from(missing).map_err(|_| Full)?;
            let more = Arc::clone(&self.all).try_acquire_many_owned(missing).map_err(|_| Full)?;
            match &mut self.held {
                Some(held) => held.merge(more),
                None => self.held = Some(more),
            }
        }
        self.taken = taken;
        Ok(())
    }
}

impl Room {
    /// Releases all memory.
    pub fn free(&mut self) {
        (self.held, self.taken) = (None, 0);
    }
}

/// The error when the memory for request bodies is exhausted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl From<Full> for ErrorResponse {
    fn from(Full: Full) -> Self {
        Self::overloaded("the memory for request bodies is exhausted; try again").closing()
    }
}

#[cfg(test)]
mod tests {
    use super::{BodyMemory, Full};

    #[test]
    fn all_requests_together_take_no_more_than_there_is_and_strangers_take_nothing_of_others() {
        let memory = BodyMemory::new(8 * 1_024 * 1_024);
        let (mut one, mut other, mut stranger) = (memory.room(true), memory.room(true), memory.room(false));
        assert_eq!(one.take(7 * 1_024 * 1_024 - 2_000), Ok(()));
        assert_eq!(other.take(2_000), Err(Full));
        assert_eq!(other.take(1_000), Ok(()));
        assert_eq!(one.take(1), Ok(()));
        assert_eq!(stranger.take(1_024 * 1_024), Ok(()));
        assert_eq!((stranger.take(1), memory.room(false).take(1)), (Err(Full), Err(Full)));
        drop((one, stranger));
        assert_eq!(memory.free(), (7 * 1_024 * 1_024 - 1_024, 1_024 * 1_024));
    }
}
