//! How much memory the bodies of all requests may take together.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::error_response::ErrorResponse;

/// What is counted at once, in bytes.
const UNIT: usize = 1_024;
/// Callers without a token share this part of it.
const ANONYMOUS_SHARE: usize = 8;

/// The memory for bodies, and for what is read out of them.
pub struct BodyMemory {
    known: Arc<Semaphore>,
    anonymous: Arc<Semaphore>,
}

impl BodyMemory {
    /// So many bytes.
    pub fn new(bytes: usize) -> Self {
        let units = (bytes / UNIT).clamp(ANONYMOUS_SHARE, Semaphore::MAX_PERMITS);
        let anonymous = units / ANONYMOUS_SHARE;
        Self { known: Arc::new(Semaphore::new(units - anonymous)), anonymous: Arc::new(Semaphore::new(anonymous)) }
    }

    /// Room for one request, none of it taken yet.
    pub fn room(&self, is_known_caller: bool) -> Room {
        let all = if is_known_caller { &self.known } else { &self.anonymous };
        Room { all: Arc::clone(all), held: None, taken: 0 }
    }

    /// Bytes that can still be taken, by callers with a token and by those without.
    #[cfg(test)]
    pub fn free(&self) -> (usize, usize) {
        (self.known.available_permits() * UNIT, self.anonymous.available_permits() * UNIT)
    }
}

/// What one request has taken. It is given back with this value.
pub struct Room {
    all: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    taken: usize,
}

impl Room {
    /// Takes so many bytes more, or none if there are not enough.
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

/// The bodies of other requests take all there is.
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
