//! The types that belong to no noun.

use async_graphql::registry::{__DirectiveLocation, Deprecation, MetaDirective, Registry};
use entity::noun::StringEnum;

use super::roots::{add_enum, add_enum_values, add_input, add_object, field, told, value};
use crate::{
    error::Code,
    graphql::mutation::mutate::Policy,
    store::writing::draft::{Mode, OnNull, Outcome},
};

/// Registers them.
pub fn register(registry: &mut Registry) {
    for known in [Mode::TYPE, OnNull::TYPE, Outcome::TYPE, Policy::TYPE, Code::TYPE] {
        add_enum(registry, known);
    }
    let directions =
        [("ASC", "Smallest first; absent values come first."), ("DESC", "Largest first; absent values come last.")];
    add_enum_values(
        registry,
        "OrderDirection",
        "A direction of an order.",
        directions.into_iter().map(|(name, doc)| (name.to_owned(), doc)),
    );
    add_object(
        registry,
        "PageInfo",
        "Where a page stands in its list.",
        vec![
            field("hasNextPage", "Boolean!", "Whether rows follow."),
            field("hasPreviousPage", "Boolean!", "Whether rows precede."),
            field("startCursor", "String", "Cursor of the first row; null for an empty page."),
            field("endCursor", "String", "Cursor of the last row; null for an empty page."),
        ],
    );
    add_object(
        registry,
        "ExternalId",
        "The id that another system gave a row.",
        vec![field("system", "String!", "The system."), field("id", "String!", "The id there.")],
    );
    add_input(
        registry,
        "ExternalIdInput",
        "The id that another system gave a row; unique for each system and type.",
        false,
        vec![
            value("system", "String!", "The system, up to 64 characters."),
            value("id", "String!", "The id there, up to 255 characters."),
        ],
    );
    add_input(
        registry,
        "ExternalIdRemoval",
        "External ids to take away from a row.",
        false,
        vec![
            value("system", "String!", "The system, up to 64 characters."),
            value("id", "String", "The id there; left out or null, all ids of the system."),
        ],
    );
    add_object(
        registry,
        "Attribute",
        "A named value.",
        vec![field("name", "String!", "The name."), field("value", "String!", "The value.")],
    );
    add_input(
        registry,
        "AttributeInput",
        "A named value.",
        false,
        vec![value("name", "String!", "The name."), value("value", "String!", "The value.")],
    );
    add_object(
        registry,
        "UserError",
        "What is wrong with a mutation's input.",
        vec![
            field("code", "UserErrorCode!", "What kind of mistake."),
            field("message", "String!", "A sentence to show."),
            field("path", "[String!]!", "The input field it is about."),
        ],
    );
    let mut scopes = value(
        "scopes",
        "[[String!]!]!",
        "Alternatives; all scopes of one of them are needed. An empty one is any valid token.",
    );
    scopes.deprecation = Deprecation::NoDeprecated;
    registry.add_directive(MetaDirective {
        name: "requiresScopes".to_owned(),
        description: Some(told("The scopes a token needs for a field.")),
        locations: vec![__DirectiveLocation::FIELD_DEFINITION],
        args: [("scopes".to_owned(), scopes)].into_iter().collect(),
        is_repeatable: false,
        visible: None,
        composable: None,
    });
}
