//! The hash chain of seals over an organization's events. Recomputing it detects changes that bypassed the API.
//!
//! A worker seals ranges of events, so writes need no additional statement. A seal includes the hash of the seal before
//! it, so a copy of the newest hash, kept elsewhere, proves that no event up to it was changed.

mod chain;
mod seal;
mod verify;

use entity::{event, id, noun_named};
use sea_orm::prelude::Uuid;

pub use self::verify::{AuditFailure, AuditReport};

/// A seal as kept outside the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Sequence of the last event that the seal covers; `None` if only the hash was kept.
    pub sequence: Option<i64>,
    /// Hash of the seal.
    pub hash: String,
}

/// A seal: describes a range of events, and has the hash of that description and of the previous seal.
#[derive(Clone, Debug)]
struct Seal {
    first: i64,
    last: i64,
    /// The first digits of each event's hash, to identify the event that was changed.
    leaves: String,
    /// Hash of the hashes of the events.
    digest: String,
    /// Time of creation, in epoch milliseconds.
    sealed_at: i64,
    hash: String,
}

/// An event as the chain hashes it.
#[derive(Clone, Debug)]
struct Sealed {
    sequence: i64,
    /// Human-readable name of the event.
    name: String,
    /// SHA-256 of the canonical bytes.
    hash: [u8; 32],
}

/// Formats the name of an event for messages.
fn name(entry: Uuid, noun: &str, row: Uuid, operation: &str) -> String {
    let row = id::encode(noun_named(noun).map_or("row", |noun| noun.prefix), row);
    format!("{}: {operation} {row}", id::encode(event::NOUN.prefix, entry))
}
