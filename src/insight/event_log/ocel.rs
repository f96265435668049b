//! Writes OCEL 2.0 as JSON: events, and the objects that took part in them.

use std::collections::BTreeSet;

use entity::{Noun, account, customer, department, id, interaction, interaction_point, medium};
use serde_json::{Value, json};

use super::read::{Activities, Event, Object, ObjectType};

/// Returns the types of objects, in the order of the log.
pub(super) fn types() -> [ObjectType; 5] {
    [
        ObjectType::of(customer::ID, None),
        ObjectType::of(account::ID, None),
        ObjectType::of(interaction_point::ID, Some(interaction_point::NAME.into())),
        ObjectType::of(medium::ID, Some(medium::NAME.into())),
        ObjectType::of(department::ID, Some(department::NAME.into())),
    ]
}

/// From when on the name of an object is known.
const ALWAYS: &str = "1970-01-01T00:00:00Z";

/// What stands between the events and the objects.
pub(super) const OBJECTS: &str = "],\n\"objects\":[\n";
/// The end of the log.
pub(super) const END: &str = "]}\n";

/// Returns the beginning of a log with these activities.
pub(super) fn begin(activities: &Activities) -> String {
    let kind = |name: &str, kind: &str| json!({ "name": name, "type": kind });
    let name = kind("name", "string");
    let objects = types().map(|object| {
        let attributes: Vec<&Value> = object.name.iter().map(|_| &name).collect();
        json!({ "name": object.noun.name, "attributes": attributes })
    });
    let texts = ["direction", "purpose", "stage", "resource"].map(|name| kind(name, "string"));
    let attributes: Vec<Value> = texts.into_iter().chain([kind("automated", "boolean")]).collect();
    let names: BTreeSet<&String> = activities.values().collect();
    let types: Vec<Value> = names.into_iter().map(|name| json!({ "name": name, "attributes": attributes })).collect();
    format!("{{\"objectTypes\":{},\n\"eventTypes\":{},\n\"events\":[\n", json!(objects), json!(types))
}

/// Returns an event.
pub(super) fn event(event: &Event, activities: &Activities) -> Value {
    let value = |name: &str, value: Value| json!({ "name": name, "value": value });
    let mut attributes: Vec<Value> = event.attributes().map(|(name, text)| value(name, text.into())).collect();
    attributes.extend(event.resource.as_deref().map(|resource| value("resource", resource.into())));
    attributes.push(value("automated", event.is_automated.into()));
    let related = [
        (&interaction_point::NOUN, Some(event.point.0), "point"),
        (&medium::NOUN, event.medium.map(|id| id.0), "medium"),
        (&customer::NOUN, event.customer.map(|id| id.0), "customer"),
        (&account::NOUN, event.account.map(|id| id.0), "account"),
        (&department::NOUN, event.department.map(|id| id.0), "department"),
    ];
    let related = related.into_iter().filter_map(|(noun, row, qualifier)| {
        Some(json!({ "objectId": id::encode(noun.prefix, row?), "qualifier": qualifier }))
    });
    json!({
        "id": id::encode(interaction::NOUN.prefix, event.id.0),
        "type": activities.get(&event.point.0),
        "time": event.time(),
        "attributes": attributes,
        "relationships": related.collect::<Vec<_>>(),
    })
}

/// Returns an object of a type.
pub(super) fn object(noun: &Noun, object: &Object) -> Value {
    let named = |name: &String| json!({ "name": "name", "value": name, "time": ALWAYS });
    let attributes: Vec<Value> = object.name.iter().map(named).collect();
    json!({ "id": id::encode(noun.prefix, object.id), "type": noun.name, "attributes": attributes, "relationships": [] })
}
