//! The filter types for attributes by name.

use async_graphql::registry::{MetaInputValue, Registry};

use super::roots::{add_input, value};

/// Registers the filter types for one attribute and returns the filter fields that use them.
pub(in crate::graphql) fn attribute(registry: &mut Registry) -> [MetaInputValue; 5] {
    let texts = [
        value("eq", "String", "Equal to this text; case-sensitive."),
        value("neq", "String", "Not equal to this value. An absent attribute does not match."),
        value("in", "[String!]", "Equal to one of these values, at most 1,000."),
        value("startsWith", "String", "Starts with this text; case-insensitive, without wildcards."),
        value("contains", "String", "Contains this text; case-insensitive, without wildcards."),
    ];
    let doc = "Comparisons of an attribute's value as text. All comparisons that are set must hold.";
    add_input(registry, "AttributeTextFilter", doc, false, texts.into());
    let number = "Comparisons of an attribute's value as a number: decimal digits with an optional sign, point and \
                  exponent. A value that is not a number matches no comparison. All comparisons that are set must hold.";
    add_input(registry, "AttributeNumberFilter", number, false, ordered("Float", "number"));
    let date = "Comparisons of an attribute's value as an instant: RFC 3339, or a date, which means midnight UTC. A value \
                that is neither matches no comparison. All comparisons that are set must hold.";
    add_input(registry, "AttributeDateFilter", date, false, ordered("DateTime", "instant"));
    [
        value("name", "String", "Requires an attribute with this name whose value matches the comparison beside it."),
        value("text", "AttributeTextFilter", "Compares the value as text. Requires `name`."),
        value("number", "AttributeNumberFilter", "Compares the value as a number. Requires `name`."),
        value("date", "AttributeDateFilter", "Compares the value as an instant. Requires `name`."),
        value("isNull", "Boolean", "Whether the attribute is absent. Requires `name`."),
    ]
}

fn ordered(scalar: &str, what: &str) -> Vec<MetaInputValue> {
    vec![
        value("eq", scalar, "Equal to this value."),
        value("neq", scalar, "Not equal to this value. An absent attribute does not match."),
        value("in", &format!("[{scalar}!]"), "Equal to one of these values, at most 1,000."),
        value("gt", scalar, "Greater or later than this value."),
        value("gte", scalar, "Greater or later than this value, or equal to it."),
        value("lt", scalar, "Less or earlier than this value."),
        value("lte", scalar, "Less or earlier than this value, or equal to it."),
        value(
            "isNull",
            "Boolean",
            &format!("Whether the value is not a valid {what}; matches the rows that the other comparisons skip."),
        ),
    ]
}
