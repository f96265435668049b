//! Types that are found by following what fields take and answer with.

use async_graphql::registry::{MetaInputValue, Registry};
use entity::Noun;

use super::{
    noun_types::register_object,
    roots::{add_enum, add_input, value},
};
use crate::graphql::typed::input::{Argument, Target};

/// Arguments, or the fields of an input. What they lead to is registered with them.
pub(in crate::graphql) fn arguments<'a>(
    registry: &mut Registry,
    arguments: impl IntoIterator<Item = &'a Argument>,
) -> Vec<MetaInputValue> {
    let argument = |known: &Argument| {
        match known.target {
            Target::None => {}
            Target::Enum(known) => add_enum(registry, known),
            Target::Object(name, doc, fields) => {
                if !registry.types.contains_key(name) {
                    let fields = self::arguments(registry, fields());
                    add_input(registry, name, doc, false, fields);
                }
            }
        }
        MetaInputValue { default_value: known.default.clone(), ..value(known.name, &known.ty, known.doc) }
    };
    arguments.into_iter().map(argument).collect()
}

/// The name of an object that a field answers with, which is registered with all it leads to unless it is a noun's.
pub(in crate::graphql) fn answer(registry: &mut Registry, noun: &'static Noun) -> &'static str {
    if !noun.is_stored() && !registry.types.contains_key(noun.name) {
        register_object(registry, noun, &[]);
        for relation in noun.relations {
            answer(registry, relation.target);
        }
    }
    noun.name
}
