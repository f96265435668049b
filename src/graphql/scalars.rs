//! Scalars of the API beyond those of GraphQL itself.

use async_graphql::{
    Value,
    registry::{MetaType, Registry},
};

use super::input::{instant, text};

/// Registers every scalar, with its check.
pub fn register(registry: &mut Registry) {
    standard(registry, "ID", "An opaque identifier.");
    standard(registry, "String", "A text in UTF-8.");
    standard(registry, "Boolean", "True or false.");
    standard(registry, "Int", "A whole number of 32 bits.");
    standard(registry, "Float", "A number of double precision.");
    own(
        registry,
        "DateTime",
        "An instant in RFC 3339 with any offset, years 1 to 9999; answers are in UTC, to the millisecond.",
        "https://scalars.graphql.org/andimarek/date-time",
    );
    own(registry, "JSON", "Any JSON value. Only in answers.", "https://www.rfc-editor.org/rfc/rfc8259");
    own(registry, "TimeZone", "An IANA time zone name, for example Europe/Berlin.", "https://www.iana.org/time-zones");
}

/// Whether a value is one of the scalar of that name; none if there is no such scalar.
pub fn check(name: &str) -> Option<fn(&Value) -> bool> {
    Some(match name {
        "ID" | "String" | "TimeZone" => |value| matches!(value, Value::String(_)),
        "Boolean" => |value| matches!(value, Value::Boolean(_)),
        "Int" => |value| match value {
            Value::Number(number) => number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            _ => false,
        },
        "Float" => |value| match value {
            Value::Number(number) => number.as_f64().is_some_and(f64::is_finite),
            _ => false,
        },
        "DateTime" => |value| text(value).and_then(instant).is_some(),
        "JSON" => |_| false,
        _ => return None,
    })
}

fn standard(registry: &mut Registry, name: &str, doc: &str) {
    add(registry, name, doc, None);
}

fn own(registry: &mut Registry, name: &str, doc: &str, specification: &str) {
    add(registry, name, doc, Some(specification.to_owned()));
}

fn add(registry: &mut Registry, name: &str, doc: &str, specified_by_url: Option<String>) {
    let is_valid = check(name).expect("every scalar has a check");
    let scalar = MetaType::Scalar {
        name: name.to_owned(),
        description: Some(doc.to_owned()),
        is_valid: Some(std::sync::Arc::new(is_valid)),
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        specified_by_url,
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    };
    registry.types.insert(name.to_owned(), scalar);
}
