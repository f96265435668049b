//! The chain of seals over an organization's events: a change past the API is found by computing it again.
//!
//! A worker seals events in ranges, so a write costs no statement more. A seal is computed from the seal before it,
//! so whoever keeps the newest one elsewhere can tell whether any event up to it is still as it was.

mod chain;
mod seal;
mod verify;

use entity::{event, id, noun_named};
use sea_orm::prelude::Uuid;

pub use self::verify::{AuditFailure, AuditReport};

/// A seal as somebody keeps it elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Sequence of the last event under it; `None` where only the hash was kept.
    pub sequence: Option<i64>,
    /// Its hash.
    pub hash: String,
}

/// A seal: what it says of a range of events, and the hash of that and of the seal before it.
#[derive(Clone, Debug)]
struct Seal {
    first: i64,
    last: i64,
    /// The start of each event's hash, to name the one that was changed.
    leaves: String,
    /// Hash of the events' hashes.
    digest: String,
    /// When it was made, epoch milliseconds.
    sealed_at: i64,
    hash: String,
}

/// An event as it is sealed.
#[derive(Clone, Debug)]
struct Sealed {
    sequence: i64,
    /// Which event it is, for people.
    name: String,
    /// SHA-256 over its canonical bytes.
    hash: [u8; 32],
}

/// How an event is called in messages.
fn name(entry: Uuid, noun: &str, row: Uuid, operation: &str) -> String {
    let row = id::encode(noun_named(noun).map_or("row", |noun| noun.prefix), row);
    format!("{}: {operation} {row}", id::encode(event::NOUN.prefix, entry))
}
