//! Checks arguments once their variables are put in.
//!
//! async-graphql's validation passes over every argument that mentions a variable nobody gave, whatever else the
//! argument contains.

use async_graphql::{
    Value,
    indexmap::IndexMap,
    registry::{MetaInputValue, MetaType, MetaTypeName, Registry},
};

use crate::{Error, Result};

/// Refuses unless every argument is there that must be, and each fits its type.
pub fn check<'a>(
    registry: &Registry,
    wanted: &IndexMap<String, MetaInputValue>,
    given: impl Fn(&str) -> Option<&'a Value>,
) -> Result<()> {
    for input in wanted.values() {
        member(registry, input, given(&input.name))?;
    }
    Ok(())
}

fn member(registry: &Registry, input: &MetaInputValue, value: Option<&Value>) -> Result<()> {
    let is_missing = value.is_none() && MetaTypeName::create(&input.ty).is_non_null() && input.default_value.is_none();
    if is_missing || !value.is_none_or(|value| fits(registry, &input.ty, value)) {
        return Err(Error::BadInput(format!("{} must be given as {}", input.name, input.ty)));
    }
    Ok(())
}

fn fits(registry: &Registry, ty: &str, value: &Value) -> bool {
    match (MetaTypeName::create(ty), value) {
        (MetaTypeName::NonNull(_), Value::Null) => false,
        (MetaTypeName::NonNull(inner), _) => fits(registry, inner, value),
        (_, Value::Null) => true,
        (MetaTypeName::List(inner), Value::List(items)) => items.iter().all(|item| fits(registry, inner, item)),
        (MetaTypeName::List(inner), _) => fits(registry, inner, value),
        (MetaTypeName::Named(name), _) => match (registry.types.get(name), value) {
            (Some(MetaType::Scalar { is_valid: Some(is_valid), .. }), _) => is_valid(value),
            (Some(MetaType::Enum { enum_values, .. }), Value::Enum(name)) => enum_values.contains_key(name.as_str()),
            (Some(MetaType::Enum { enum_values, .. }), Value::String(name)) => enum_values.contains_key(name),
            (Some(MetaType::InputObject { input_fields, oneof, .. }), Value::Object(fields)) => {
                fields.keys().all(|name| input_fields.contains_key(name.as_str()))
                    && input_fields
                        .values()
                        .all(|input| member(registry, input, fields.get(input.name.as_str())).is_ok())
                    && (!oneof || (fields.len() == 1 && fields.values().all(|value| *value != Value::Null)))
            }
            _ => false,
        },
    }
}
