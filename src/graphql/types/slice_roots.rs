//! The root fields of the queries and subscriptions of slices.

use async_graphql::registry::{MetaField, Registry};
use entity::{Noun, Permission};

use super::{
    reached::{answer, arguments},
    roots::{add_object, field, scoped},
};
use crate::graphql::{slice::Subscription, typed::input::Argument};

/// Registers the subscription root.
pub fn register_subscriptions(registry: &mut Registry, subscriptions: &[&'static Subscription]) {
    let fields = subscriptions.iter().map(|Subscription { name, doc, permissions, run }| {
        own_root(registry, (name, doc, permissions), run.answer(), run.arguments())
    });
    let fields = fields.collect();
    let doc = "The subscriptions of the API. An operation has exactly one; it ends when the access token does.";
    add_object(registry, "Subscription", doc, fields);
}

/// Returns the root field of a slice's query or subscription.
pub(super) fn own_root(
    registry: &mut Registry,
    (name, doc, permissions): (&str, &str, &[Permission]),
    shown: &'static Noun,
    given: &[Argument],
) -> MetaField {
    let mut own = field(name, answer(registry, shown), doc);
    own.args = arguments(registry, given).into_iter().map(|value| (value.name.clone(), value)).collect();
    scoped(own, permissions)
}
