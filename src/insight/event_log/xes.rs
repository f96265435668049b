//! Writes XES (IEEE 1849): a trace for each customer.

use std::{collections::HashMap, fmt::Write as _};

use entity::id;
use sea_orm::prelude::Uuid;

use super::read::{Activities, Event};
use crate::map::diagram::text::verbatim;

const BEGIN: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849-2016" xes.features="" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
<extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
<extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
<global scope="trace"><string key="concept:name" value=""/></global>
<global scope="event"><string key="concept:name" value=""/><date key="time:timestamp" value="1970-01-01T00:00:00.000Z"/><string key="lifecycle:transition" value="complete"/></global>
<classifier name="Activity" keys="concept:name"/>
<string key="lifecycle:model" value="standard"/>
"#;
/// The end of a trace.
pub(super) const END_OF_TRACE: &str = "</trace>\n";
/// The end of the log.
pub(super) const END: &str = "</log>\n";

/// Returns the beginning of the log of a journey with this title.
pub(super) fn begin(title: &str) -> String {
    let mut out = BEGIN.to_owned();
    string(&mut out, "concept:name", title);
    out.push('\n');
    out
}

/// Begins the trace of a customer.
pub(super) fn begin_trace(out: &mut String, customer: Uuid) {
    out.push_str("<trace>");
    string(out, "concept:name", &id::encode(entity::customer::NOUN.prefix, customer));
    out.push('\n');
}

/// Writes an event. `names` are those of mediums and departments.
pub(super) fn event(out: &mut String, event: &Event, activities: &Activities, names: &HashMap<Uuid, String>) {
    let name = |id: Option<Uuid>| id.and_then(|id| names.get(&id));
    out.push_str("<event>");
    string(out, "concept:name", activities.get(&event.point.0).map_or("", String::as_str));
    string(out, "concept:instance", &id::encode(entity::interaction::NOUN.prefix, event.id.0));
    attribute(out, "date", "time:timestamp", &event.time());
    string(out, "lifecycle:transition", "complete");
    if let Some(resource) = &event.resource {
        string(out, "org:resource", resource);
    }
    if let Some(department) = name(event.department.map(|id| id.0)) {
        string(out, "org:group", department);
    }
    string(out, "point", &id::encode(entity::interaction_point::NOUN.prefix, event.point.0));
    if let Some(medium) = name(event.medium.map(|id| id.0)) {
        string(out, "medium", medium);
    }
    if let Some(account) = event.account {
        string(out, "account", &id::encode(entity::account::NOUN.prefix, account.0));
    }
    for (key, value) in event.attributes() {
        string(out, key, value);
    }
    attribute(out, "boolean", "automated", if event.is_automated { "true" } else { "false" });
    out.push_str("</event>\n");
}

fn string(out: &mut String, key: &str, value: &str) {
    attribute(out, "string", key, value);
}

fn attribute(out: &mut String, element: &str, key: &str, value: &str) {
    // XML readers normalize a raw line feed in an attribute to a space.
    let value = verbatim(value).replace('\n', "&#10;");
    write!(out, "<{element} key=\"{key}\" value=\"{value}\"/>").expect("a string takes any text");
}
