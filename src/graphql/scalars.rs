//! Scalars of the API beyond those of GraphQL itself.

use async_graphql::{
    Value,
    registry::{MetaType, Registry},
};

use super::input::{instant, text};

/// Registers every scalar, with its check.
pub fn register(registry: &mut Registry) {
    standard(registry, "ID", "An opaque identifier.", |value| matches!(value, Value::String(_)));
    standard(registry, "String", "A text in UTF-8.", |value| matches!(value, Value::String(_)));
    standard(registry, "Boolean", "True or false.", |value| matches!(value, Value::Boolean(_)));
    standard(registry, "Int", "A whole number of 32 bits.", |value| match value {
        Value::Number(number) => number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        _ => false,
    });
    standard(registry, "Float", "A number of double precision.", |value| match value {
        Value::Number(number) => number.as_f64().is_some_and(f64::is_finite),
        _ => false,
    });
    own(
        registry,
        "DateTime",
        "An instant in RFC 3339 with any offset, years 1 to 9999; answers are in UTC, to the millisecond.",
        "https://scalars.graphql.org/andimarek/date-time",
        |value| text(value).and_then(instant).is_some(),
    );
    own(registry, "JSON", "Any JSON value. Only in answers.", "https://www.rfc-editor.org/rfc/rfc8259", |_| false);
    own(
        registry,
        "TimeZone",
        "An IANA time zone name, for example Europe/Berlin.",
        "https://www.iana.org/time-zones",
        |value| matches!(value, Value::String(_)),
    );
}

fn standard(registry: &mut Registry, name: &str, doc: &str, is_valid: fn(&Value) -> bool) {
    add(registry, name, doc, None, is_valid);
}

fn own(registry: &mut Registry, name: &str, doc: &str, specification: &str, is_valid: fn(&Value) -> bool) {
    add(registry, name, doc, Some(specification.to_owned()), is_valid);
}

fn add(registry: &mut Registry, name: &str, doc: &str, specified_by_url: Option<String>, is_valid: fn(&Value) -> bool) {
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
