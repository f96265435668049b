//! The types that do not belong to a noun.

use async_graphql::registry::{__DirectiveLocation, Deprecation, MetaDirective, Registry};
use entity::noun::StringEnum;

use super::{
    money_types,
    reached::answer,
    roots::{add_enum, add_enum_values, add_input, add_object, field, trimmed, value},
};
use crate::{
    error::Code,
    graphql::{mutation::mutate::Policy, planning::distinct::PageInfo, typed::output::Output},
    store::writing::draft::{Mode, OnNull, Outcome},
};

/// Registers the common types.
pub fn register(registry: &mut Registry) {
    for known in [Mode::TYPE, OnNull::TYPE, Outcome::TYPE, Policy::TYPE, Code::TYPE] {
        add_enum(registry, known);
    }
    let directions = [("ASC", "Ascending."), ("DESC", "Descending.")];
    add_enum_values(
        registry,
        "OrderDirection",
        "Sort direction.",
        directions.into_iter().map(|(name, doc)| (name.to_owned(), doc)),
    );
    let nulls = [("FIRST", "Before all values."), ("LAST", "After all values.")];
    add_enum_values(
        registry,
        "NullOrder",
        "Position of nulls in a sort order.",
        nulls.into_iter().map(|(name, doc)| (name.to_owned(), doc)),
    );
    money_types::register(registry);
    answer(registry, PageInfo::noun());
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
    add_object(
        registry,
        "Attribute",
        "A name and its value.",
        vec![field("name", "String!", "The name."), field("value", "String!", "The value.")],
    );
    add_input(
        registry,
        "AttributeInput",
        "A name and its value.",
        false,
        vec![value("name", "String!", "The name."), value("value", "String!", "The value.")],
    );
    add_object(
        registry,
        "UserError",
        "An error in the input of a mutation.",
        vec![
            field("code", "UserErrorCode!", "Error code, for programs."),
            field("message", "String!", "Message for people."),
            field("path", "[String!]!", "Path of the input field at fault; list items by index, starting at 0."),
        ],
    );
    let mut scopes = value(
        "scopes",
        "[[String!]!]!",
        "Alternatives. The token needs all scopes of one of them; an empty alternative accepts any valid token.",
    );
    scopes.deprecation = Deprecation::NoDeprecated;
    registry.add_directive(MetaDirective {
        name: "requiresScopes".to_owned(),
        description: Some(trimmed("The scopes that a token needs to select the field.")),
        locations: vec![__DirectiveLocation::FIELD_DEFINITION],
        args: [("scopes".to_owned(), scopes)].into_iter().collect(),
        is_repeatable: false,
        visible: None,
        composable: None,
    });
}
