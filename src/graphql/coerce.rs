//! Checks arguments once their variables are put in.
//!
//! async-graphql's validation passes over every argument that mentions a variable nobody gave, whatever else the
//! argument contains.

use async_graphql::{
    Name, Value,
    registry::{MetaInputValue, MetaType, MetaTypeName, Registry},
};

use super::scalars;
use crate::{Error, Result};

/// Refuses unless every argument is there that must be, and each fits its type.
pub fn check<'a, 'b>(
    registry: &Registry,
    wanted: impl IntoIterator<Item = &'b MetaInputValue>,
    given: impl Fn(&str) -> Option<&'a Value>,
) -> Result<()> {
    for input in wanted {
        member(registry, input, given(&input.name))?;
    }
    Ok(())
}

fn member(registry: &Registry, input: &MetaInputValue, value: Option<&Value>) -> Result<()> {
    if value.is_none() && is_required(input) || !value.is_none_or(|value| fits(registry, &input.ty, value)) {
        return Err(Error::BadInput(format!("{} must be given as {}", input.name, input.ty)));
    }
    Ok(())
}

fn is_required(input: &MetaInputValue) -> bool {
    MetaTypeName::create(&input.ty).is_non_null() && input.default_value.is_none()
}

/// Whether a value is one of the type.
pub fn fits(registry: &Registry, ty: &str, value: &Value) -> bool {
    match (MetaTypeName::create(ty), value) {
        (MetaTypeName::NonNull(_), Value::Null) => false,
        (MetaTypeName::NonNull(inner), _) => fits(registry, inner, value),
        (_, Value::Null) => true,
        (MetaTypeName::List(inner), Value::List(items)) => items.iter().all(|item| fits(registry, inner, item)),
        (MetaTypeName::List(inner), _) => fits(registry, inner, value),
        (MetaTypeName::Named(name), _) => fits_named(registry, name, value),
    }
}

fn fits_named(registry: &Registry, name: &str, value: &Value) -> bool {
    // Most values are scalars, which need no look-up among all types.
    if let Some(is_valid) = scalars::check(name) {
        return is_valid(value);
    }
    match (registry.types.get(name), value) {
        (Some(MetaType::Enum { enum_values, .. }), Value::Enum(name)) => enum_values.contains_key(name.as_str()),
        (Some(MetaType::Enum { enum_values, .. }), Value::String(name)) => enum_values.contains_key(name),
        (Some(MetaType::InputObject { input_fields, oneof, .. }), Value::Object(fields)) => {
            // An input object has many fields that few give: those are looked up, and not the others.
            let is_known = |(name, value): (&Name, &Value)| {
                input_fields.get(name.as_str()).is_some_and(|input| fits(registry, &input.ty, value))
            };
            fields.iter().all(is_known)
                && input_fields.values().all(|input| !is_required(input) || fields.contains_key(input.name.as_str()))
                && (!oneof || (fields.len() == 1 && fields.values().all(|value| *value != Value::Null)))
        }
        _ => false,
    }
}
