//! The types of external ids.

use async_graphql::registry::Registry;

use super::roots::{add_input, add_object, field, value};

/// Registers the types of external ids in answers, inputs and filters.
pub(super) fn register(registry: &mut Registry) {
    add_object(
        registry,
        "ExternalId",
        "The id of a row in another system.",
        vec![field("system", "String!", "Name of the system."), field("id", "String!", "Id in that system.")],
    );
    add_input(
        registry,
        "ExternalIdInput",
        "The id of a row in another system. Unique within system and type.",
        false,
        vec![
            value("system", "String!", "Name of the system, up to 64 characters."),
            value("id", "String!", "Id in that system, up to 255 characters."),
        ],
    );
    add_input(
        registry,
        "ExternalIdRemoval",
        "External ids to remove from a row.",
        false,
        vec![
            value("system", "String!", "Name of the system, up to 64 characters."),
            value("id", "String", "Id in that system; if omitted or null, all ids in that system."),
        ],
    );
    add_input(
        registry,
        "ExternalIdListFilter",
        "A condition on the external ids of a row. All fields that are set must hold.",
        false,
        vec![
            value("some", "ExternalIdFilter", "At least one of them matches."),
            value("none", "ExternalIdFilter", "None of them matches."),
        ],
    );
    add_input(
        registry,
        "ExternalIdFilter",
        "A condition on one external id. All fields that are set must hold for the same one. Of customers and feedback \
         records it requires `customers:read`.",
        false,
        vec![
            value("system", "ExternalIdTextFilter", "Compares the name of the system."),
            value("id", "ExternalIdTextFilter", "Compares the id in that system."),
        ],
    );
    add_input(
        registry,
        "ExternalIdTextFilter",
        "Comparisons of a part of an external id, all case-sensitive. All comparisons that are set must hold.",
        false,
        vec![
            value("eq", "String", "Equal to this value."),
            value("in", "[String!]", "Equal to one of these values, at most 1,000."),
            value("startsWith", "String", "Starts with this text, without wildcards."),
        ],
    );
}
