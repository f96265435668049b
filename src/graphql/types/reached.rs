//! Registers types that are found by following the arguments and return types of fields.

use async_graphql::registry::{MetaInputValue, Registry};
use entity::Noun;

use super::{
    noun_types::register_object,
    roots::{add_enum, add_input, value},
};
use crate::graphql::typed::input::{Argument, Target};

/// Returns arguments or the fields of an input, and registers the types that they refer to.
pub(in crate::graphql) fn arguments<'a>(
    registry: &mut Registry,
    arguments: impl IntoIterator<Item = &'a Argument>,
) -> Vec<MetaInputValue> {
    let argument = |known: &Argument| {
        match known.target {
            Target::None => {}
            Target::Enum(known) => add_enum(registry, known),
            Target::Object(name, doc, fields) | Target::OneOf(name, doc, fields) => {
                if !registry.types.contains_key(name) {
                    let fields = self::arguments(registry, fields());
                    add_input(registry, name, doc, matches!(known.target, Target::OneOf(..)), fields);
                }
            }
        }
        MetaInputValue { default_value: known.default.clone(), ..value(known.name, &known.ty, known.doc) }
    };
    arguments.into_iter().map(argument).collect()
}

/// Returns the name of the object type that a field returns. Registers the type and the types of its relations, unless
/// it is the type of a stored noun.
pub(in crate::graphql) fn answer(registry: &mut Registry, noun: &'static Noun) -> &'static str {
    if !noun.is_stored() && !registry.types.contains_key(noun.name) {
        register_object(registry, noun, &[]);
        for relation in noun.relations {
            answer(registry, relation.target);
        }
    }
    noun.name
}
