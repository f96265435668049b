//! The types of conditions on attributes by name.

use async_graphql::registry::{MetaInputValue, Registry};

use super::roots::{add_input, value};

/// The fields of a condition that speak of one attribute, and the types they take.
pub(in crate::graphql) fn attribute(registry: &mut Registry) -> [MetaInputValue; 5] {
    let texts = [
        value("eq", "String", "Equal, letter for letter."),
        value("neq", "String", "Not equal. An absent attribute does not match."),
        value("in", "[String!]", "Equal to one of up to 1,000."),
        value("startsWith", "String", "Starts with, letter case ignored; no wildcards."),
        value("contains", "String", "Contains, letter case ignored; no wildcards."),
    ];
    let doc = "Comparisons of an attribute's value as a text; all given ones must hold.";
    add_input(registry, "AttributeTextFilter", doc, false, texts.into());
    let number = "Comparisons of an attribute's value as a number: decimal digits with an optional sign, point and \
                  exponent. A value that is none meets no comparison. All given ones must hold.";
    add_input(registry, "AttributeNumberFilter", number, false, ordered("Float", "number"));
    let date = "Comparisons of an attribute's value as an instant: RFC 3339, or a date alone, which is its midnight in \
                UTC. A value that is none meets no comparison. All given ones must hold.";
    add_input(registry, "AttributeDateFilter", date, false, ordered("DateTime", "instant"));
    [
        value("name", "String", "The attribute of this name is there, and what stands beside this holds of its value."),
        value("text", "AttributeTextFilter", "Compares the value as a text. Needs `name`."),
        value("number", "AttributeNumberFilter", "Compares the value as a number. Needs `name`."),
        value("date", "AttributeDateFilter", "Compares the value as an instant. Needs `name`."),
        value("isNull", "Boolean", "Whether the attribute is absent. Needs `name`."),
    ]
}

fn ordered(scalar: &str, what: &str) -> Vec<MetaInputValue> {
    vec![
        value("eq", scalar, "Equal."),
        value("neq", scalar, "Not equal. An absent attribute does not match."),
        value("in", &format!("[{scalar}!]"), "Equal to one of up to 1,000."),
        value("gt", scalar, "Greater, later."),
        value("gte", scalar, "Greater or equal: the start of a half-open range."),
        value("lt", scalar, "Less, earlier: the end of a half-open range."),
        value("lte", scalar, "Less or equal."),
        value(
            "isNull",
            "Boolean",
            &format!("Whether the value is no {what}: finds what the other comparisons pass over."),
        ),
    ]
}
