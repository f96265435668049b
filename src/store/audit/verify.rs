//! Recomputes a chain and reports the first row that differs from what was sealed.

use std::fmt;

use entity::id::OrganizationId;

use super::{Head, Seal, Sealed, chain::digest_of};
use crate::{Result, store::Store};

/// The result of recomputing an organization's chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditReport {
    /// Number of events that match their seals.
    pub sealed: i64,
    /// Number of events that no seal covers yet.
    pub unsealed: i64,
    /// The newest seal, if there is any.
    pub head: Option<Head>,
}

/// The first mismatch between the chain and the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditFailure {
    /// An event is missing.
    Missing(i64),
    /// An event exists where there was none.
    Added(i64, String),
    /// An event was changed or moved.
    Changed(i64, String),
    /// One of the events of a range was changed.
    Range(i64, i64),
    /// The hash of a seal does not match its contents and the previous seal.
    Seal(i64, i64),
    /// The seal that starts at this event is missing.
    SealMissing(i64),
    /// The record of the newest seal was changed or is missing.
    Head,
    /// The organization's sequence counts fewer events than were sealed.
    Sequence(i64),
    /// The events of this range lead to a different seal than the one kept outside the database.
    Rewritten(i64, i64),
    /// No seal has the hash that was kept outside the database.
    Unknown(String),
}

impl fmt::Display for AuditFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(sequence) => write!(f, "event {sequence} is missing"),
            Self::Added(sequence, name) => write!(f, "event {sequence} ({name}) was added past the server"),
            Self::Changed(sequence, name) => write!(f, "event {sequence} ({name}) is not as it was sealed"),
            Self::Range(first, last) => write!(f, "one of the events {first} to {last} is not as it was sealed"),
            Self::Seal(first, last) => {
                write!(f, "the seal over the events {first} to {last}, or the one before, was changed")
            }
            Self::SealMissing(first) => write!(f, "the seal that starts at event {first} is missing"),
            Self::Head => write!(f, "the record of the newest seal is not as it was written"),
            Self::Sequence(last) => write!(f, "the organization counts {last} events, and more were sealed"),
            Self::Rewritten(first, last) => {
                write!(f, "one of the events {first} to {last} is gone or not as it was when the head was kept")
            }
            Self::Unknown(hash) => write!(f, "no seal has the hash {hash}: events that it covered are gone or changed"),
        }
    }
}

/// State of the traversal of a chain.
struct Walk<'a> {
    store: &'a Store,
    organization: OrganizationId,
    /// The first event that must still exist: earlier events may have been pruned.
    kept_from: i64,
    /// The event at which the next seal must start.
    next: i64,
    /// Hash of the previous seal.
    previous: String,
    /// Heads kept outside the database that were not found yet.
    kept: Vec<Head>,
    /// The last event covered by a head that was found.
    agreed: i64,
}

impl Store {
    /// Recomputes an organization's chain, and checks that it contains the heads `kept` outside the database.
    pub async fn verify(
        &self,
        organization: OrganizationId,
        kept: Vec<Head>,
        kept_from: i64,
    ) -> Result<std::result::Result<AuditReport, AuditFailure>> {
        // Read first: events and seals that are written during the traversal come after these.
        let Some((sequence, hash)) = self.head(organization).await? else { return Ok(Err(AuditFailure::Head)) };
        let head = (sequence > 0).then_some(Head { sequence: Some(sequence), hash });
        let last = self.last_sequence(organization).await?;
        let previous = String::new();
        let mut walk = Walk { store: self, organization, kept_from, next: 1, previous, kept, agreed: 0 };
        if let Some(trouble) = walk.seals(head.as_ref()).await? {
            return Ok(Err(trouble));
        }
        let sealed = walk.next - 1;
        let rest = walk.rest(last).await?;
        Ok(rest.map_or(Ok(AuditReport { sealed, unsealed: (last - sealed).max(0), head }), Err))
    }
}

impl Walk<'_> {
    /// Checks all seals.
    async fn seals(&mut self, head: Option<&Head>) -> Result<Option<AuditFailure>> {
        let mut is_head_met = head.is_none();
        loop {
            let seals = self.store.seals(self.organization, self.next).await?;
            if seals.is_empty() {
                break;
            }
            for seal in seals {
                if let Some(trouble) = self.seal(&seal).await? {
                    return Ok(Some(trouble));
                }
                is_head_met |= head.is_some_and(|head| head.sequence == Some(seal.last) && head.hash == seal.hash);
            }
        }
        if let Some(kept) = self.kept.first() {
            return Ok(Some(match kept.sequence {
                Some(sequence) => AuditFailure::Rewritten(self.agreed + 1, sequence),
                None => AuditFailure::Unknown(kept.hash.clone()),
            }));
        }
        let is_short = head.is_some_and(|head| head.sequence >= Some(self.next));
        Ok(match (is_head_met, is_short) {
            (true, _) => None,
            (false, true) => Some(AuditFailure::SealMissing(self.next)),
            (false, false) => Some(AuditFailure::Head),
        })
    }

    async fn seal(&mut self, seal: &Seal) -> Result<Option<AuditFailure>> {
        if seal.first != self.next {
            return Ok(Some(AuditFailure::SealMissing(self.next)));
        }
        if seal.last < seal.first || seal.computed(self.organization, &self.previous) != seal.hash {
            return Ok(Some(AuditFailure::Seal(seal.first, seal.last)));
        }
        if let Some(trouble) = self.events(seal).await? {
            return Ok(Some(trouble));
        }
        let others = self.kept.iter().filter(|kept| kept.hash != seal.hash);
        let passed = others.filter_map(|kept| kept.sequence).filter(|sequence| *sequence <= seal.last).min();
        if let Some(sequence) = passed {
            return Ok(Some(AuditFailure::Rewritten(self.agreed + 1, sequence)));
        }
        let open = self.kept.len();
        self.kept.retain(|kept| kept.hash != seal.hash);
        if self.kept.len() < open {
            self.agreed = seal.last;
        }
        self.next = seal.last + 1;
        self.previous.clone_from(&seal.hash);
        Ok(None)
    }

    /// Compares the events that a seal covers with the seal.
    async fn events(&self, seal: &Seal) -> Result<Option<AuditFailure>> {
        let start = seal.first.max(self.kept_from);
        if seal.last < start {
            return Ok(None);
        }
        // No event may exist before the first sequence.
        let after = if start == 1 { i64::MIN } else { start - 1 };
        let events = self.store.sealed(self.organization, after, seal.last).await?;
        if let Some(trouble) = gap(start, seal.last, &events) {
            return Ok(Some(trouble));
        }
        let changed = events.iter().find(|event| seal.leaf(event.sequence) != Some(&event.leaf()));
        if let Some(event) = changed {
            return Ok(Some(AuditFailure::Changed(event.sequence, event.name.clone())));
        }
        let is_whole = start == seal.first;
        Ok((is_whole && digest_of(&events) != seal.digest).then_some(AuditFailure::Range(seal.first, seal.last)))
    }

    /// Checks that no event is missing among those that no seal covers.
    async fn rest(&self, last: i64) -> Result<Option<AuditFailure>> {
        if last < self.next - 1 {
            return Ok(Some(AuditFailure::Sequence(last)));
        }
        let mut from = self.next.max(self.kept_from);
        while from <= last {
            let after = if from == 1 { i64::MIN } else { from - 1 };
            let to = last.min(from + BATCH - 1);
            let events = self.store.sealed(self.organization, after, to).await?;
            if let Some(trouble) = gap(from, to, &events) {
                return Ok(Some(trouble));
            }
            from = to + 1;
        }
        Ok(None)
    }
}

/// Number of events per read after the last seal.
const BATCH: i64 = 500;

/// Returns the first sequence from `first` to `last` that is missing in `events`, or the first event outside that
/// range.
fn gap(first: i64, last: i64, events: &[Sealed]) -> Option<AuditFailure> {
    let mut found = events.iter();
    for sequence in first..=last {
        match found.next() {
            Some(event) if event.sequence == sequence => {}
            Some(event) if event.sequence < sequence => {
                return Some(AuditFailure::Added(event.sequence, event.name.clone()));
            }
            _ => return Some(AuditFailure::Missing(sequence)),
        }
    }
    None
}
