//! Event types: which changes an endpoint receives.

use std::collections::BTreeSet;

use entity::{ChangeNoun, Noun, Permission, Permissions, event::EventOperation, noun::StringEnum};

use crate::{auth::Actor, store::paging::feed::FeedChange};

/// The event type of all changes.
const ALL: &str = "*";

/// Returns the event type of a change.
pub(super) fn event_type(noun: &Noun, operation: EventOperation) -> String {
    format!("{}.{}", noun.name, operation.name())
}

/// An event type that a caller names.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventType {
    /// The noun; `None` for every noun.
    noun: Option<&'static Noun>,
    /// The operation; `None` for every operation.
    operation: Option<EventOperation>,
}

impl EventType {
    /// Parses `*`, the name of a noun, or the names of a noun and an operation.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text == ALL {
            return Some(Self { noun: None, operation: None });
        }
        let (noun, operation) = match text.split_once('.') {
            Some((noun, operation)) => (noun, Some(EventOperation::parse(operation)?)),
            None => (text, None),
        };
        let noun = ChangeNoun::all().map(ChangeNoun::noun).find(|known| known.name == noun)?;
        Some(Self { noun: Some(noun), operation })
    }

    /// Returns the scope that is missing for it, if one is.
    pub(super) fn missing(self, actor: &Actor) -> Option<Permission> {
        let read = self.noun.and_then(|noun| noun.read)?;
        actor.require(read).is_err().then_some(read)
    }

    /// Returns the noun and the operation of an example.
    pub(super) fn example(self) -> Option<(&'static Noun, EventOperation)> {
        Some((self.noun?, self.operation.unwrap_or(EventOperation::Updated)))
    }

    /// Returns whether it includes changes of this kind.
    pub(super) fn includes(self, noun: &Noun, operation: EventOperation) -> bool {
        self.noun.is_none_or(|known| known.table == noun.table) && self.operation.is_none_or(|known| known == operation)
    }
}

/// The changes that an endpoint receives.
#[derive(Debug)]
pub(super) struct Subscription {
    types: Vec<EventType>,
    scopes: Permissions,
}

impl Subscription {
    /// Reads the columns of an endpoint. Types that no longer exist are left out.
    pub(super) fn of(event_types: &str, scopes: &str) -> Self {
        Self {
            types: names(event_types).iter().filter_map(|name| EventType::parse(name)).collect(),
            scopes: names(scopes).iter().filter_map(|name| Permission::parse(name)).collect(),
        }
    }

    /// Returns the nouns of which it receives changes.
    pub(super) fn nouns(&self) -> Vec<&'static Noun> {
        let is_readable = |noun: &Noun| noun.read.is_none_or(|scope| self.scopes.holds(scope));
        let is_wanted =
            |noun: &Noun| self.types.iter().any(|known| known.noun.is_none_or(|wanted| wanted.table == noun.table));
        ChangeNoun::all().map(ChangeNoun::noun).filter(|noun| is_readable(noun) && is_wanted(noun)).collect()
    }

    /// Returns whether it receives a change of one of its nouns.
    pub(super) fn takes(&self, change: &FeedChange) -> bool {
        self.types.iter().any(|known| known.includes(change.noun, change.operation))
    }
}

/// Parses the JSON list in a column; empty if it is invalid.
pub(super) fn names(column: &str) -> BTreeSet<String> {
    serde_json::from_str(column).unwrap_or_default()
}
